"""Slips of the hand at the agent's desk: a late click, Enter too early, a page left. I/O."""

from datetime import timedelta

from playwright.async_api import Page

from console.phone_line import LineState
from domain.clock import utc_now
from domain.dispositions import Disposition
from domain.roles import Role
from domain.states import CallbackState
from tests.browser.test_desk import desk, line, rows, taken
from tests.browsing import Browsing
from tests.consoles import Rig
from tests.phone_lines import ScriptedLine

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
