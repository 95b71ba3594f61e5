"""No more invitations, from the desk: by the keyboard, and nothing that was typed is lost. I/O."""

from domain.clock import utc_now
from domain.roles import Role
from domain.states import CallbackState
from store.engine import Store
from store.models import Callback, OptOut
from tests.browser.test_desk import desk, line, taken
from tests.browsing import Browsing
from tests.rows import all_rows

__all__ = ["desk", "line"]  # fixtures


async def test_a_refusal_by_the_keyboard_alone(browsing: Browsing, store: Store) -> None:
    page = await browsing.logged_in(Role.AGENT)
    await taken(page)
    await page.wait_for_selector(".live.is-live")
    await page.fill("#ward", "Trung Hiếu")
    await page.keyboard.press("Escape")
    await page.keyboard.press("o")
    await page.wait_for_selector("#refuse:focus")
    await browsing.shoot(page, "desk-refusal")
    await browsing.assert_accessible(page)
    assert await all_rows(store, OptOut) == []  # it is asked once more
    await page.keyboard.press("Enter")
    await page.wait_for_selector("text=Từ bây giờ thuê bao không còn nhận lời mời nào")
    await browsing.shoot(page, "desk-refused")
    await browsing.assert_accessible(page)
    assert await page.input_value("#ward") == "Trung Hiếu"
    [row] = await all_rows(store, OptOut)
    assert row["msisdn"] == "+84901234567"
    assert row["at"] <= utc_now()
    claimed = [
        one for one in await all_rows(store, Callback) if one["state"] == CallbackState.CLAIMED
    ]
    assert len(claimed) == 1
