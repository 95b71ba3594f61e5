"""The pages in a browser: login, look-up, accounts, audit, health; mouse and keyboard. I/O."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from domain.dispositions import Disposition
from domain.errors import StoreUnavailable
from domain.roles import Role
from store import messages
from store.apply import apply
from store.engine import Store
from tests.browsing import Browsing, press_until
from tests.consoles import PASSWORD, Rig
from tests.rows import (
    BY_NINE,
    NOW,
    answered,
    asked,
    claim_some,
    ended,
    make_campaign,
    numbers,
    pressed,
)
from tests.texts import new_text

SECOND = timedelta(seconds=1)


async def one_number(store: Store) -> str:
    """A number that was called, registered, and texted."""
    [msisdn] = numbers(1, first=1234567)
    campaign = await make_campaign(store, [msisdn], name="Giai đoạn 1, danh sách 1")
    [call] = await claim_some(store, campaign)
    facts = [
        answered(call, NOW + 6 * SECOND),
        pressed(call, "2", NOW + 20 * SECOND),
        pressed(call, "1", NOW + 41 * SECOND),
        asked(msisdn, NOW + 41 * SECOND, call.attempt_id, campaign_id=campaign.id),
        ended(
            call,
            Disposition.ANSWERED,
            NOW + 55 * SECOND,
            cause=16,
            ringing_at=NOW + 2 * SECOND,
            answered_at=NOW + 6 * SECOND,
        ),
    ]
    await store.write(apply, facts, BY_NINE)

    def text_in(connection: Connection) -> None:
        messages.take_in(connection, [new_text(msisdn, at=NOW + timedelta(hours=2))])

    await store.write(text_in)
    return "0901 234 567"


async def test_in_by_the_keyboard_alone_and_out_again(desk: Rig, browsing: Browsing) -> None:
    page = await browsing.page()
    await page.goto(desk.path("/"))
    await browsing.shoot(page, "login")
    await browsing.assert_accessible(page)
    await page.keyboard.type(Role.SUPERVISOR.value)
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url(desk.path("/supervise"))
    await press_until(page, "Shift+Tab", "form[action='/logout'] button")
    await page.keyboard.press("Enter")
    await page.wait_for_url(desk.path("/login"))
    await page.goto(desk.path("/numbers"))
    assert "/login" in page.url


async def test_a_wrong_password_and_a_session_that_has_ended(desk: Rig, browsing: Browsing) -> None:
    page = await browsing.page()
    await page.goto(desk.path("/login?ended=1"))
    await browsing.shoot(page, "login-ended")
    await page.fill("#login", Role.AGENT.value)
    await page.fill("#password", "sai mật khẩu")
    await page.press("#password", "Enter")
    await page.wait_for_selector(".notice-problem")
    assert await page.input_value("#login") == Role.AGENT.value
    assert await page.input_value("#password") == ""
    await browsing.shoot(page, "login-wrong")
    await browsing.assert_accessible(page)


async def test_an_account_is_locked_after_wrong_passwords(desk: Rig, browsing: Browsing) -> None:
    page = await browsing.page()
    await page.goto(desk.path("/login"))
    for password in ("một", "hai", "ba", PASSWORD):
        await page.fill("#login", Role.VERIFIER.value)
        await page.fill("#password", password)
        async with page.expect_response(lambda r: r.request.method == "POST") as answer:
            await page.press("#password", "Enter")
        assert (await answer.value).status == 422
    page = await browsing.logged_in(Role.ADMINISTRATOR)
    await page.goto(desk.path("/users"))
    row = page.locator("tr", has_text="verifier")
    assert await row.locator(".mood").inner_text() == "Đang khoá"
    await browsing.shoot(page, "users-locked")


async def test_the_language_is_switched_and_kept(desk: Rig, browsing: Browsing) -> None:
    page = await browsing.logged_in(Role.ADMINISTRATOR)
    assert await page.get_attribute("html", "lang") == "vi"
    await page.click("text=English")
    await page.wait_for_selector("h1:has-text('Number look-up')")
    assert await page.get_attribute("html", "lang") == "en"
    await page.goto(desk.path("/users"))
    await browsing.shoot(page, "users-en")
    await page.click("text=Tiếng Việt")
    await page.wait_for_selector("h1:has-text('Tài khoản')")


async def test_a_number_is_looked_up_by_the_keyboard(
    desk: Rig, browsing: Browsing, store: Store
) -> None:
    typed = await one_number(store)
    page = await browsing.logged_in(Role.AGENT)
    await page.goto(desk.path("/numbers"))
    await browsing.shoot(page, "number-empty")
    await browsing.assert_accessible(page)
    await page.click("h1")
    await page.keyboard.press("/")
    await page.keyboard.type(typed)
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".number")
    assert await page.inner_text(".number") == typed
    assert await page.locator("tbody tr").count() >= 8
    await browsing.shoot(page, "number-agent")
    await browsing.assert_accessible(page)
    await page.select_option("#group", "texts")
    await page.click("text=Tra cứu >> nth=-1")
    await page.wait_for_function("document.querySelectorAll('tbody tr').length === 1")


async def test_who_need_not_dial_sees_a_masked_number(
    desk: Rig, browsing: Browsing, store: Store
) -> None:
    typed = await one_number(store)
    page = await browsing.logged_in(Role.AUDITOR)
    await page.goto(desk.path("/numbers"))
    await page.fill("#number", typed)
    await page.press("#number", "Enter")
    await page.wait_for_selector(".number")
    assert await page.inner_text(".number") == "090****567"
    assert "TSTN" not in await page.inner_text("tbody")
    await browsing.shoot(page, "number-auditor")
    await page.fill("#number", "12345")
    await page.press("#number", "Enter")
    await page.wait_for_selector(".notice-problem")
    await browsing.shoot(page, "number-wrong")
    await page.fill("#number", "0987654321")
    await page.press("#number", "Enter")
    await page.wait_for_selector(".empty")
    await browsing.shoot(page, "number-unknown")


async def test_accounts_are_managed_by_the_keyboard_alone(desk: Rig, browsing: Browsing) -> None:
    page = await browsing.logged_in(Role.ADMINISTRATOR)
    await page.goto(desk.path("/users"))
    await browsing.assert_accessible(page)
    await press_until(page, "Tab", "a[href='/users/new']")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#role")
    await browsing.shoot(page, "user-new")
    await browsing.assert_accessible(page)
    for text in ("lan", "Nguyễn Thị Lan"):
        await page.keyboard.insert_text(text)
        await page.keyboard.press("Tab")
    await page.keyboard.press("ArrowDown")  # the first role
    for text in ("", "", "agent7"):
        await page.keyboard.insert_text(text)
        await page.keyboard.press("Tab")
    await page.keyboard.insert_text("ngắn")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".notice-problem")
    await browsing.shoot(page, "user-new-wrong")
    await page.fill("#password", "mật khẩu đủ dài")
    await page.press("#password", "Enter")
    await page.wait_for_selector(".notice-done")
    row = page.locator("tr", has_text="Nguyễn Thị Lan")
    await row.locator("button").press("Enter")
    await row.locator(".mood-off").wait_for()
    await browsing.shoot(page, "users")
    await browsing.assert_accessible(page)
    await row.locator("a[href$='/change']").press("Enter")
    await page.wait_for_selector("#province")
    await browsing.shoot(page, "user-change")
    await browsing.assert_accessible(page)
    await page.fill("#name", "Trần Thị Lan")
    await page.press("#name", "Enter")
    row = page.locator("tr", has_text="Trần Thị Lan")
    await row.locator("a[href$='/password']").press("Enter")
    await page.wait_for_selector("h1:has-text('Mật khẩu mới')")
    await browsing.shoot(page, "user-password")
    await browsing.assert_accessible(page)


async def test_the_audit_tells_who_did_what(desk: Rig, browsing: Browsing) -> None:
    page = await browsing.logged_in(Role.ADMINISTRATOR)
    await press_until(page, "Tab", "a[href='/audit']")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("td:has-text('administrator')")
    await browsing.shoot(page, "audit")
    await browsing.assert_accessible(page)


async def test_health_is_live_and_says_when_it_is_not(desk: Rig, browsing: Browsing) -> None:
    page = await browsing.logged_in(Role.OPERATOR)
    await press_until(page, "Tab", "a[href='/health']")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".live.is-live")
    await browsing.shoot(page, "health")
    await browsing.assert_accessible(page)
    desk.report["asterisk"] = {"ready": False, "trouble": "Connect call failed (127.0.0.1, 8088)"}
    desk.report["why_idle"] = {"Giai đoạn 1": "outside the calling hours"}
    desk.console.parts.live.push("health")
    await page.wait_for_selector(".mood-trouble")
    await browsing.shoot(page, "health-trouble")
    await browsing.assert_accessible(page)
    await desk.console.close()
    await page.wait_for_selector("#lost:not([hidden])")
    await browsing.shoot(page, "health-lost")
    await browsing.assert_accessible(page)


async def test_errors_say_what_to_do_next(desk: Rig, browsing: Browsing) -> None:
    page = await browsing.logged_in(Role.AGENT)
    for path, status in (("/nothing", 404), ("/users", 403)):
        answer = await page.goto(desk.path(path))
        assert answer is not None
        assert answer.status == status
        await browsing.shoot(page, f"error-{status}")
        await browsing.assert_accessible(page)


async def test_a_store_that_is_away_is_said(
    desk: Rig, browsing: Browsing, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await browsing.logged_in(Role.AGENT)

    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(desk.store, "read", away)
    answer = await page.goto(desk.path("/numbers"))
    assert answer is not None
    assert answer.status == 503
    await browsing.shoot(page, "error-503")
    await browsing.assert_accessible(page)


async def test_the_dark_look_has_contrast_too(desk: Rig, browsing: Browsing, store: Store) -> None:
    typed = await one_number(store)
    page = await browsing.logged_in(Role.SUPERVISOR, dark=True)
    await page.goto(desk.path("/numbers"))
    await browsing.assert_accessible(page)
    await page.fill("#number", typed)
    await page.press("#number", "Enter")
    await page.wait_for_selector(".number")
    await browsing.shoot(page, "number-dark")
    await browsing.assert_accessible(page)
