"""A test call in a browser: asked for by the keyboard alone, and seen as it goes on. I/O."""

from datetime import timedelta

from domain.clock import utc_now
from domain.dispositions import Disposition
from domain.roles import Role
from domain.states import CampaignState
from store import trial_calls
from store.apply import apply
from store.engine import Store
from store.facts import TrialCallStood
from tests.browsing import Browsing, press_until
from tests.consoles import Rig
from tests.rows import BY_NINE, make_campaign, numbers


async def test_a_test_call_from_the_form_to_its_end(
    desk: Rig, browsing: Browsing, store: Store
) -> None:
    campaign = await make_campaign(
        store, numbers(3), name="mien-tay-dot-1", state=CampaignState.DRAFT
    )
    page = await browsing.logged_in(Role.OPERATOR)
    await page.goto(desk.path(f"/campaigns/{campaign.id}"))
    await press_until(page, "Tab", "#test-call")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".live.is-live")
    await browsing.shoot(page, "trial-empty")
    await browsing.assert_accessible(page)
    await page.keyboard.type("0901 234 567")
    await press_until(page, "Tab", "#own")
    await page.keyboard.press("Space")
    await press_until(page, "Tab", "#call")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("text=Chờ máy chủ")
    await page.wait_for_selector(".live.is-live")
    now = utc_now()
    call = await store.write(trial_calls.take, "node1", "carrier", 180, now)
    assert call is not None
    await page.wait_for_selector("td:has-text('Đang gọi')")
    stands = TrialCallStood(call.attempt_id, now, "1", None, None, None)
    await store.write(apply, [stands], BY_NINE)
    await page.wait_for_selector("td:has-text('Đang nói chuyện')")
    await browsing.shoot(page, "trial-talking")
    await browsing.assert_accessible(page)
    over = now + timedelta(seconds=20)
    ended = TrialCallStood(call.attempt_id, now, "1", Disposition.ANSWERED, 16, over)
    await store.write(apply, [ended], BY_NINE)
    await page.wait_for_selector("td:has-text('Nghe máy')")
    await page.fill("#number", "12")
    await page.check("#own")
    await page.click("#call")
    await page.wait_for_selector(".notice-problem")
    await browsing.shoot(page, "trial-wrong")
    await browsing.assert_accessible(page)
