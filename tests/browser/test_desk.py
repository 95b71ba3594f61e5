"""The agent's desk in a browser: take, call, confirm; by mouse and by keyboard alone. I/O."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page
from sqlalchemy import Connection, update

from console.phone_line import LineState
from domain.calendar import Calendar, Window
from domain.clock import utc_now
from domain.dispositions import Disposition
from domain.roles import Role
from domain.states import CallbackState
from store import callback_queue
from store.apply import apply
from store.engine import Store
from store.models import Address, Callback, CallbackAttempt
from tests.agent_desks import release
from tests.browsing import Browsing, press_until
from tests.consoles import Rig, a_desk, console
from tests.phone_lines import ScriptedLine
from tests.rows import BY_NINE, all_rows, asked, make_campaign, numbers, wants_advice

ALWAYS = Calendar([Window.parse("00:00-24:00")], call_on_holidays=True)


@pytest.fixture
def line(store: Store) -> ScriptedLine:
    return ScriptedLine(store, utc_now)


@pytest_asyncio.fixture(loop_scope="session")
async def desk(store: Store, line: ScriptedLine) -> AsyncIterator[Rig]:
    """A queue of every colour."""
    async with console(store, clock=utc_now, desk=a_desk(line, hours=ALWAYS)) as rig:
        now = utc_now()
        msisdns = numbers(6, first=1234567)
        campaign = await make_campaign(
            store, msisdns, name="Giai đoạn 1", windows=["00:00-24:00"], call_on_holidays=True
        )
        ages = (50, 40, 30, 20, 3, 1)
        facts: list[Any] = [
            asked(each, now - timedelta(hours=age), campaign_id=campaign.id)
            for each, age in zip(msisdns, ages, strict=True)
        ]
        facts.append(wants_advice(numbers(1, first=7654321)[0], now - timedelta(hours=2)))
        await store.write(apply, facts, BY_NINE)
        await store.write(release, now)
        yield rig


def empty(connection: Connection) -> None:
    closing = update(Callback).values(state=CallbackState.CANCELLED, closed_at=utc_now())
    connection.execute(closing)


async def rows(rig: Rig, state: CallbackState) -> list[dict[str, Any]]:
    return [row for row in await all_rows(rig.store, Callback) if row["state"] == state]


async def taken(page: Page) -> None:
    """On duty, with a call-back in hand."""
    await page.click("#duty-on")
    await page.wait_for_selector("#duty-pause")
    await page.click("#next")
    await page.wait_for_selector("#result")


async def test_a_call_back_from_the_queue_to_the_confirmed_address(
    desk: Rig, browsing: Browsing, line: ScriptedLine
) -> None:
    page = await browsing.logged_in(Role.AGENT)
    assert page.url == desk.path("/desk")
    await browsing.shoot(page, "desk-off-duty")
    await browsing.assert_accessible(page)
    await taken(page)
    assert await page.inner_text(".number") == "0901 234 567"
    await page.wait_for_selector(".live.is-live")
    await browsing.shoot(page, "desk-taken")
    await browsing.assert_accessible(page)
    await page.fill("#ward", "Trung Hiếu")
    await page.click("#call-button")
    await page.wait_for_selector("text=Đang gọi máy của bạn")
    await line.move(LineState.AGENT_RINGING)
    await page.wait_for_selector("text=Máy của bạn đang đổ chuông")
    await line.move(LineState.DIALLING)
    await line.move(LineState.RINGING)
    await page.wait_for_selector("text=Thuê bao đang đổ chuông")
    await browsing.shoot(page, "desk-ringing")
    await line.move(LineState.TALKING)
    await page.wait_for_selector("text=Đang nói chuyện")
    await browsing.shoot(page, "desk-talking")
    await browsing.assert_accessible(page)
    assert await page.input_value("#ward") == "Trung Hiếu"
    await page.fill("#contact_name", "Nguyễn Thị Sáu")
    await page.fill("#hamlet", "ấp 3")
    await page.fill("#landmark", "gần chợ Trung Hiếu")
    await page.click("#call-button")
    await page.wait_for_selector("#call-state:has-text('Cuộc gọi đã kết thúc')")
    await page.click("[value=confirmed]")
    await page.wait_for_selector("text=Đã ghi kết quả")
    await browsing.shoot(page, "desk-recorded")
    [address] = await all_rows(desk.store, Address)
    assert (address["ward"], address["province"]) == ("Trung Hiếu", "Vĩnh Long")
    assert len(await rows(desk, CallbackState.DONE)) == 1
    [call] = await all_rows(desk.store, CallbackAttempt)
    assert call["disposition"] == Disposition.ANSWERED


async def test_by_the_keyboard_alone(desk: Rig, browsing: Browsing, line: ScriptedLine) -> None:
    page = await browsing.logged_in(Role.AGENT)
    await press_until(page, "Shift+Tab", "#duty-on")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#duty-pause")
    await page.keyboard.press("n")
    await page.wait_for_selector("#result")
    await page.keyboard.press("?")
    await page.wait_for_selector("#keys[open]")
    await browsing.shoot(page, "desk-keys")
    await page.keyboard.press("?")
    await page.keyboard.press("c")
    await page.wait_for_selector("text=Đang gọi máy của bạn")
    await line.end(Disposition.NO_ANSWER)
    await page.wait_for_selector("#call-state:has-text('Cuộc gọi đã kết thúc')")
    await page.keyboard.press("/")
    assert await page.evaluate("document.activeElement.id") == "number"
    await page.keyboard.press("Escape")
    await page.keyboard.press("2")
    await page.wait_for_selector("[value=no_answer].is-chosen")
    await browsing.shoot(page, "desk-outcome-chosen")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("text=Đã ghi kết quả")
    [row] = [row for row in await all_rows(desk.store, Callback) if row["outcome"]]
    assert (row["outcome"], row["attempts_made"]) == ("no_answer", 1)
    await page.keyboard.press("n")
    await page.wait_for_selector("#result")


async def test_places_are_found_without_marks(desk: Rig, browsing: Browsing) -> None:
    page = await browsing.logged_in(Role.AGENT)
    await taken(page)
    await page.fill("#province", "")
    await page.fill("#district", "")
    await page.focus("#province")
    await page.keyboard.type("dong th")
    await page.wait_for_selector("#province-suggestions li")
    await page.keyboard.press("Enter")
    assert await page.input_value("#province") == "Đồng Tháp"
    await page.focus("#district")
    await page.keyboard.type("cao l")
    await page.wait_for_selector("#district-suggestions li")
    await browsing.shoot(page, "desk-suggestions")
    await browsing.assert_accessible(page)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    assert "Cao Lãnh" in await page.input_value("#district")


async def test_what_is_missing_is_marked_and_gets_the_focus(desk: Rig, browsing: Browsing) -> None:
    page = await browsing.logged_in(Role.AGENT)
    await taken(page)
    await page.click("[value=confirmed]")
    await page.wait_for_selector("#ward-wrong")
    assert await page.evaluate("document.activeElement.id") == "ward"
    await browsing.shoot(page, "desk-wrong")
    await browsing.assert_accessible(page)


async def test_call_later_warns_past_the_promise(desk: Rig, browsing: Browsing) -> None:
    page = await browsing.logged_in(Role.AGENT)
    await taken(page)
    await page.select_option("#later_at", index=3)
    await page.wait_for_selector(".past-warning", state="visible")
    await browsing.shoot(page, "desk-later")
    await browsing.assert_accessible(page)
    await page.click("[value=call_later]")
    await page.wait_for_selector("text=Đã ghi kết quả")


async def test_a_pause_keeps_the_page_and_what_was_typed(desk: Rig, browsing: Browsing) -> None:
    page = await browsing.logged_in(Role.AGENT)
    await taken(page)
    await page.fill("#ward", "An Hiệp")
    await page.select_option("#reason", "meal")
    await page.click("#duty-pause")
    await page.wait_for_selector("text=Ăn cơm")
    assert await page.input_value("#ward") == "An Hiệp"
    await browsing.shoot(page, "desk-paused")


async def test_who_loses_the_claim_is_told_at_once(desk: Rig, browsing: Browsing) -> None:
    page = await browsing.logged_in(Role.AGENT)
    await taken(page)
    await page.fill("#ward", "Trung Hiếu")
    [row] = await rows(desk, CallbackState.CLAIMED)
    await desk.store.write(callback_queue.give_back, row["claim_id"], utc_now())
    await page.wait_for_selector("text=Cuộc gọi lại này không còn là của bạn")
    await page.wait_for_selector("#call-button", state="detached")
    await browsing.shoot(page, "desk-lost")
    await browsing.assert_accessible(page)
    await page.click("[value=confirmed]")
    await page.wait_for_selector("#typed >> text=Trung Hiếu")
    await browsing.shoot(page, "desk-not-recorded")
    await browsing.assert_accessible(page)


@pytest.mark.parametrize("dark", [False, True])
async def test_it_works_in_english_and_in_the_dark(
    desk: Rig, browsing: Browsing, dark: bool
) -> None:
    page = await browsing.logged_in(Role.AGENT, dark=dark)
    await page.click("text=English")
    await taken(page)
    assert (await page.inner_text("#call-button")).split() == ["Call", "C"]
    await browsing.shoot(page, "desk-english-dark" if dark else "desk-english")
    await browsing.assert_accessible(page)


async def test_it_works_without_scripts(desk: Rig, browsing: Browsing) -> None:
    page = await browsing.logged_in(Role.AGENT, java_script_enabled=False)
    await taken(page)
    await page.click("#call-button")
    await page.wait_for_selector("text=Đang gọi máy của bạn")
    await page.click("#call-button")
    await page.wait_for_selector("#call-state:has-text('Cuộc gọi đã kết thúc')")
    await page.fill("#landmark", "gần chợ")
    await page.press("#landmark", "Enter")
    await page.wait_for_selector("#outcome-wrong")
    assert await page.input_value("#landmark") == "gần chợ"
    await page.click("[value=no_answer]")
    await page.wait_for_selector("text=Đã ghi kết quả")


async def test_an_empty_queue_says_so(desk: Rig, browsing: Browsing) -> None:
    await desk.store.write(empty)
    page = await browsing.logged_in(Role.AGENT)
    await browsing.shoot(page, "desk-empty")
    await page.click("#duty-on")
    await page.wait_for_selector("#duty-pause")
    await page.click("#next")
    await page.wait_for_selector("text=Hiện chưa có cuộc gọi lại nào")
