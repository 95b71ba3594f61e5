"""The supervisor's desk in a browser: live, by mouse and by the keyboard alone. I/O."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from playwright.async_api import Page

from domain.callbacks import Outcome
from domain.clock import to_local, utc_now
from domain.roles import Role
from domain.states import Duty
from store import callback_calls, duty, sla, users
from store.callback_calls import NewCall
from store.callback_queue import Taken
from store.engine import Store
from store.users import NewUser
from tests.answering_calls import callback_of, close, on_duty, register, release, taken
from tests.browsing import Browsing, press_until
from tests.consoles import PASSWORD_HASH, Rig
from tests.rows import numbers

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NAMES = ("Lê Thị Cúc", "Phạm Văn Dũng", "Trần Thị Bê", "Võ Thị Em")
AGES = (*(number / 2 for number in range(40)), 22, 26, 27, 30, 33, 36, 40, 44, 47, 49, 52)


async def add_agents(store: Store, at: datetime) -> list[int]:
    """People with names, on duty."""
    made = []
    for number, name in enumerate(NAMES):
        new = NewUser(f"a{number}", name, Role.AGENT, PASSWORD_HASH)
        made.append(await store.write(users.add, new, at))
    await on_duty(store, *made, at=at)
    return made


async def talk(store: Store, claim: Taken, at: datetime) -> None:
    """A call that goes on."""
    call = uuid4()
    await store.write(callback_calls.begin, NewCall(call, claim.claim_id, "node1", at))
    await store.write(callback_calls.record, call, subscriber_answered_at=at)


async def busy_day(store: Store) -> Taken:
    """Call-backs of all ages, and agents who do different things; tells what the second holds."""
    now = utc_now()
    listed = numbers(len(AGES))
    for msisdn, age in zip(listed, AGES, strict=True):
        await register(store, msisdn, at=now - age * HOUR)
    await release(store)
    talker, holder, pausing, _ = await add_agents(store, now - HOUR)
    for outcome in (Outcome.CONFIRMED, Outcome.NO_ANSWER, Outcome.REFUSED):
        claim = await taken(store, talker, now - 30 * MINUTE)
        await close(store, claim, outcome, now - 26 * MINUTE)
    await talk(store, await taken(store, talker, now - 3 * MINUTE), now - 2 * MINUTE)
    held = await taken(store, holder, now - MINUTE)
    await store.write(duty.set_duty, pausing, Duty.PAUSED, now - 5 * MINUTE, "ăn trưa")
    await report(store, now)
    return held


async def report(store: Store, now: datetime) -> None:
    """The reports of the days behind."""
    for back in range(1, 4):
        day = to_local(now).date() - timedelta(days=back)
        await store.write(sla.keep, await store.read(sla.day_report, day, now))


async def at_desk(desk: Rig, browsing: Browsing, **more: bool) -> Page:
    """The desk, live."""
    page = await browsing.logged_in(Role.SUPERVISOR, **more)
    await page.wait_for_url(desk.path("/supervise"))
    await page.wait_for_selector(".live.is-live")
    return page


async def test_an_empty_desk_says_what_will_come(desk: Rig, browsing: Browsing) -> None:
    page = await at_desk(desk, browsing)
    await page.wait_for_selector(".curve canvas")
    assert "không có gì đang chờ" in await page.inner_text(".figures-clears")
    await browsing.shoot(page, "supervise-empty")
    await browsing.assert_accessible(page)


@pytest.mark.parametrize("dark", [False, True])
async def test_the_desk_of_a_busy_day(
    desk: Rig, browsing: Browsing, store: Store, dark: bool
) -> None:
    await busy_day(store)
    page = await at_desk(desk, browsing, dark=dark)
    await page.wait_for_selector(".curve canvas")
    states = await page.locator(".agents .mood").all_inner_texts()
    assert states == [
        "Đang nói chuyện",
        "Đang giữ cuộc gọi lại",
        "Sẵn sàng",
        "Tạm nghỉ",
        "Chưa vào ca",
    ]
    await browsing.shoot(page, "supervise-dark" if dark else "supervise")
    await browsing.assert_accessible(page)
    await page.click("#filter-broken")
    await page.wait_for_selector("#filter-broken[aria-current]")
    assert await page.locator(".queue .chip").count() > 0
    assert await page.locator(".queue .chip:not(.chip-broken)").count() == 0
    await page.click("#curve-table summary")
    await browsing.shoot(page, "supervise-broken-dark" if dark else "supervise-broken")
    await browsing.assert_accessible(page)


async def test_a_row_that_is_closed_elsewhere_disappears_without_a_reload(
    desk: Rig, browsing: Browsing, store: Store
) -> None:
    held = await busy_day(store)
    page = await at_desk(desk, browsing)
    await page.evaluate("document.body.dataset.loaded = 'once'")
    await page.wait_for_selector(f"#row-{held.callback_id}:has-text('Phạm Văn Dũng')")
    waiting = int(await page.locator(".figure-value").first.inner_text())
    await close(store, held, Outcome.CONFIRMED, utc_now())
    await page.wait_for_selector(f"#row-{held.callback_id}", state="detached")
    await page.wait_for_selector(f".figure-value:text-is('{waiting - 1}')")
    row = page.locator(".agents tr", has_text="Phạm Văn Dũng")
    await row.locator(".mood:has-text('Sẵn sàng')").wait_for()
    await register(store, *numbers(1, first=777), at=utc_now())
    identity = (await callback_of(store, numbers(1, first=777)[0]))["id"]
    await page.wait_for_selector(f"#row-{identity}")
    assert await page.get_attribute("body", "data-loaded") == "once"


async def test_the_focus_stays_where_it_is_when_the_queue_changes(
    desk: Rig, browsing: Browsing, store: Store
) -> None:
    held = await busy_day(store)
    page = await at_desk(desk, browsing)
    await page.focus("#filter-late")
    await close(store, held, Outcome.CONFIRMED, utc_now())
    await page.wait_for_selector(f"#row-{held.callback_id}", state="detached")
    assert await page.evaluate("document.activeElement.id") == "filter-late"


async def test_a_call_back_is_moved_by_the_keyboard_alone(
    desk: Rig, browsing: Browsing, store: Store
) -> None:
    held = await busy_day(store)
    page = await at_desk(desk, browsing)
    await press_until(page, "Tab", f"#open-{held.callback_id}", most=60)
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#agent")
    await browsing.shoot(page, "supervise-callback")
    await browsing.assert_accessible(page)
    await press_until(page, "Tab", "#agent")
    await page.keyboard.type("Võ")
    await press_until(page, "Tab", "form[action$='/assign'] button")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".notice-done")
    await page.wait_for_selector(f"#row-{held.callback_id}:has-text('Võ Thị Em')")
    await browsing.shoot(page, "supervise-done")
    await press_until(page, "Tab", f"#open-{held.callback_id}", most=60)
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#reason")
    await press_until(page, "Tab", "#reason")
    await page.keyboard.insert_text("đổi người")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".notice-done")
    assert (await callback_of(store, held.msisdn))["claimed_by"] is None


async def test_an_agent_is_put_off_duty_by_the_keyboard_alone(
    desk: Rig, browsing: Browsing, store: Store
) -> None:
    [agent, *_] = await add_agents(store, utc_now())
    page = await at_desk(desk, browsing)
    await press_until(page, "Tab", f"#off-{agent}")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("form[action$='/off'] button")
    await browsing.shoot(page, "supervise-agent")
    await browsing.assert_accessible(page)
    await press_until(page, "Tab", "form[action$='/off'] button")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".notice-done")
    assert await store.read(duty.duty_of, agent) is Duty.OFF


async def test_a_refused_hand_over_says_why(desk: Rig, browsing: Browsing, store: Store) -> None:
    held = await busy_day(store)
    page = await at_desk(desk, browsing)
    await page.goto(desk.path(f"/supervise/{held.callback_id}"))
    await page.select_option("#agent", label="Võ Thị Em")
    await close(store, held, Outcome.CONFIRMED, utc_now())
    await page.click("form[action$='/assign'] button")
    await page.wait_for_selector(".notice-problem")
    await browsing.shoot(page, "supervise-refused")
    await browsing.assert_accessible(page)


async def test_the_days_by_the_keyboard_alone(desk: Rig, browsing: Browsing, store: Store) -> None:
    page = await at_desk(desk, browsing)
    await page.goto(desk.path("/supervise/report"))
    await browsing.shoot(page, "supervise-report-empty")
    await page.goto(desk.path("/supervise/day"))
    await browsing.shoot(page, "supervise-day-empty")
    await browsing.assert_accessible(page)
    await busy_day(store)
    await page.goto(desk.path("/supervise"))
    await press_until(page, "Tab", "a[href='/supervise/day']")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".outcomes")
    await browsing.shoot(page, "supervise-day")
    await browsing.assert_accessible(page)
    await press_until(page, "Shift+Tab", "a[href='/supervise/report']")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".total")
    await browsing.shoot(page, "supervise-report")
    await browsing.assert_accessible(page)
    await press_until(page, "Tab", "a[href^='/supervise/report.xlsx']")
    async with page.expect_download() as download:
        await page.keyboard.press("Enter")
    assert (await download.value).suggested_filename.startswith("sla-")


async def test_a_lost_connection_is_said(desk: Rig, browsing: Browsing, store: Store) -> None:
    await busy_day(store)
    page = await at_desk(desk, browsing)
    await desk.console.close()
    await page.wait_for_selector("#lost:not([hidden])")
    await browsing.shoot(page, "supervise-lost")
    await browsing.assert_accessible(page)
