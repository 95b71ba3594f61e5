"""Slips of the hand at the agent's desk: a late click, Enter too early, a page left. I/O."""

from datetime import timedelta

import pytest
from playwright.async_api import Dialog, Page

from console.phone_line import LineState
from domain.clock import utc_now
from domain.dispositions import Disposition
from domain.roles import Role
from domain.states import CallbackState
from store import sessions
from store.models import Audit, CallbackClaim
from tests.browser.test_desk import desk, line, rows, taken
from tests.browsing import Browsing
from tests.consoles import PASSWORD, Rig
from tests.phone_lines import ScriptedLine
from tests.rows import all_rows

__all__ = ["desk", "line"]  # fixtures


async def test_a_late_click_never_presses_the_button_that_came_instead(
    desk: Rig, browsing: Browsing, line: ScriptedLine
) -> None:
    page = await browsing.logged_in(Role.AGENT)
    await taken(page)
    await page.wait_for_selector(".live.is-live")
    await page.evaluate(
        "addEventListener('submit', () => { window.sent = (window.sent || 0) + 1 })"
    )
    now = utc_now()
    await page.clock.set_fixed_time(now)
    await click_twice(page, "#call-button", "text=Đang gọi máy của bạn")
    await line.move(LineState.TALKING)
    await page.wait_for_selector("text=Đang nói chuyện")
    await page.clock.set_fixed_time(now + timedelta(seconds=1))
    await line.end(Disposition.ANSWERED)
    await page.wait_for_selector("#call-state:has-text('Cuộc gọi đã kết thúc')")
    await page.click("#call-button")  # meant for the button that hangs up
    await click_twice(page, "#duty-pause", "#duty-on")
    assert await page.evaluate("window.sent") == 2
    await page.clock.set_fixed_time(now + timedelta(seconds=2))
    await page.click("#leave")
    await browsing.shoot(page, "desk-leave")
    await browsing.assert_accessible(page)
    assert len(await rows(desk, CallbackState.CLAIMED)) == 1
    await page.keyboard.press("Enter")
    await page.wait_for_selector("text=Chưa vào ca")
    assert await rows(desk, CallbackState.CLAIMED) == []


async def click_twice(page: Page, selector: str, came: str) -> None:
    """Both halves of a double click, with the page's answer between them."""
    box = await page.locator(selector).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await page.mouse.click(x, y)
    await page.wait_for_selector(came)
    await page.mouse.click(x, y)


async def test_enter_in_a_field_records_nothing(browsing: Browsing) -> None:
    """All that a result needs stands there; Enter goes through the fields, but for the folded."""
    page = await browsing.logged_in(Role.AGENT)
    await taken(page)
    for name, value in (("ward", "An Bình"), ("hamlet", "ấp 3"), ("landmark", "gần chợ")):
        await page.fill(f"#{name}", value)
    await page.evaluate("addEventListener('submit', () => { window.sent = true })")
    await page.focus("#hamlet")
    for name in ("street", "house_number", "landmark", "contact_name", "day"):
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == name
    await page.focus("#slot")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")  # unfolds the rest
    await page.focus("#note")
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "later_at"
    assert await page.evaluate("window.sent") is None


async def test_what_was_typed_outlives_a_look_up_a_slip_and_the_session(
    desk: Rig, browsing: Browsing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.live._BEATS_A_CHECK", 1)  # in two seconds, not in sixteen
    page = await browsing.logged_in(Role.AGENT)
    await taken(page)
    await page.wait_for_selector(".live.is-live")
    await page.fill("#ward", "Trung Hiếu")
    await page.fill("#result_note", "gọi sau 5 giờ")
    for typed in ("0901234567", "0907654321"):
        async with page.context.expect_page() as opening:
            await page.fill("#number", typed)
            await page.press("#number", "Enter")
        found = await opening.value
        await found.wait_for_selector(f".number:has-text('{typed[-3:]}')")
        await found.close()
    looked_up = [one for one in await all_rows(desk.store, Audit) if "looked" in one["action"]]
    assert [one["subject"] for one in looked_up] == ["090****567", "090****321"]

    asked: list[str] = []

    async def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.dismiss()

    page.on("dialog", stay)
    for _ in range(2):
        await page.click("text=English")
        await page.wait_for_selector("form.language:not([data-sent])")
    assert asked == ["beforeunload"] * 2
    assert page.url == desk.path("/desk")

    await desk.store.write(sessions.end_all_of, desk.users[Role.AGENT], utc_now())
    await page.wait_for_selector("#ended", state="visible")
    await browsing.shoot(page, "desk-ended")
    await browsing.assert_accessible(page)
    await page.click("[value=no_answer]")
    await page.wait_for_selector("#ended:focus")
    async with page.context.expect_page() as opening:
        await page.click("#ended a")
    login = await opening.value
    await login.fill("#login", Role.AGENT.value)
    await login.fill("#password", PASSWORD)
    await login.press("#password", "Enter")
    await login.wait_for_selector("form[action='/logout']")
    assert await page.input_value("#ward") == "Trung Hiếu"
    await page.click("[value=no_answer]")
    await page.wait_for_selector("text=Đã ghi kết quả")
    [row] = [row for row in await all_rows(desk.store, CallbackClaim) if row["outcome"]]
    assert (row["outcome"], row["note"]) == ("no_answer", "gọi sau 5 giờ")
    assert len(asked) == 2
