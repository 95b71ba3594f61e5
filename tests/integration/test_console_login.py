"""In and out: one answer for all that may be wrong, lock-out, idle time, cookies, language. I/O."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from threading import Event

import pytest

from console import passwords
from domain.roles import Role
from store import users
from store.engine import Store
from store.models import Audit, Session, User
from tests.consoles import HASHER, PASSWORD, Rig, Visitor, console
from tests.rows import all_rows

AGENT = Role.AGENT.value
Guess = Callable[[str], Awaitable[asyncio.Task[int]]]


@pytest.fixture
async def rig(store: Store) -> AsyncIterator[Rig]:
    async with console(store) as served:
        yield served


async def acts(rig: Rig) -> list[tuple[str, int | None, str | None]]:
    rows = await all_rows(rig.store, Audit)
    return [(row["action"], row["user_id"], row["subject"]) for row in rows]


async def test_in_and_out(rig: Rig) -> None:
    async with Visitor(rig) as visitor:
        answer = await visitor.log_in(AGENT)
        assert (answer.status, answer.headers["Location"]) == (303, "/desk")
        assert "Nguyễn Thị Agent" in await visitor.text("/numbers")
        await visitor.send("/numbers", "/logout")
        assert (await visitor.get("/numbers")).status == 303
    agent = rig.users[Role.AGENT]
    assert await acts(rig) == [("logged_in", agent, None), ("logged_out", agent, None)]


async def test_the_session_s_row_ends_at_logout_and_the_cookie_is_worth_nothing(rig: Rig) -> None:
    async with Visitor(rig) as visitor:
        await visitor.log_in(AGENT)
        kept = {c.key: c.value for c in visitor._session.cookie_jar}
        await visitor.send("/numbers", "/logout")
        visitor._session.cookie_jar.update_cookies(kept)
        assert (await visitor.get("/numbers")).status == 303
    [row] = await all_rows(rig.store, Session)
    assert row["ended_at"] == rig.hands()
    assert kept["tstn_session"] not in str(row)


async def test_all_that_may_be_wrong_gets_one_answer(rig: Rig) -> None:
    """An unknown login, a wrong password, a locked and a switched-off account look the same."""
    await rig.store.write(users.set_active, rig.users[Role.AUDITOR], rig.hands(), is_active=False)
    async with Visitor(rig) as visitor:
        pages = set()
        for login, password in (
            ("nobody", PASSWORD),
            (AGENT, "wrong"),
            (AGENT, ""),
            (AGENT, "wrong again"),
            (AGENT, PASSWORD),  # locked by now
            (Role.AUDITOR.value, PASSWORD),
        ):
            answer = await visitor.log_in(login, password)
            assert answer.status == 422
            text = await answer.text()
            assert password not in text or not password
            pages.add(text.replace(f'value="{login}"', ""))
        assert len(pages) == 1
    assert [action for action, _, _ in await acts(rig)] == [
        *("login_failed", "login_failed", "login_failed", "login_locked"),
        *("login_failed", "login_failed"),
    ]


async def test_an_account_is_locked_for_a_while_and_then_open_again(rig: Rig) -> None:
    async with Visitor(rig) as visitor:
        for _ in range(3):
            await visitor.log_in(AGENT, "wrong")
        rig.hands.move(minutes=14)
        assert (await visitor.log_in(AGENT)).status == 422
        rig.hands.move(minutes=1)
        assert (await visitor.log_in(AGENT)).status == 303


@asynccontextmanager
async def held_up(rig: Rig, login: str) -> AsyncIterator[Guess]:
    """Passwords wait to be checked, as they do behind slow ones, until the block ends."""
    thread, gate = rig.console.parts.passwords._thread, Event()
    thread.submit(gate.wait)
    asked: list[asyncio.Task[int]] = []

    async def send(password: str) -> int:
        async with Visitor(rig) as visitor:
            return (await visitor.log_in(login, password)).status

    async def guess(password: str) -> asyncio.Task[int]:
        asked.append(asyncio.create_task(send(password)))
        async with asyncio.timeout(20):
            while thread._work_queue.qsize() < len(asked) and not asked[-1].done():
                await asyncio.sleep(0.001)
        return asked[-1]

    try:
        yield guess
    finally:
        gate.set()
        await asyncio.gather(*asked)


async def test_guesses_sent_all_at_once_are_worth_no_more(rig: Rig) -> None:
    """Each one was sent before any was found wrong; the fourth and later ones count for nothing."""
    async with held_up(rig, AGENT) as guess:
        wrong = [await guess(f"wrong {number}") for number in range(12)]
        right = await guess(PASSWORD)
    assert {one.result() for one in wrong} == {422}
    assert right.result() == 422
    assert await all_rows(rig.store, Session) == []
    row = next(row for row in await all_rows(rig.store, User) if row["login"] == AGENT)
    assert row["locked_until"] == rig.hands() + timedelta(minutes=15)


@pytest.mark.parametrize("change", ["switched off", "new password"])
async def test_an_account_that_changes_while_its_password_is_checked(rig: Rig, change: str) -> None:
    agent, now = rig.users[Role.AGENT], rig.hands()
    async with held_up(rig, AGENT) as guess:
        right = await guess(PASSWORD)
        if change == "switched off":
            await rig.store.write(users.set_active, agent, now, is_active=False)
        else:
            await rig.store.write(users.set_password, agent, HASHER.hash("another one"), now)
    assert right.result() == 422
    assert await all_rows(rig.store, Session) == []


async def test_more_guesses_than_can_be_checked_are_sent_away(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, without a row each; who waited already gets in."""
    monkeypatch.setattr(passwords, "MOST_WAITING", 2)
    async with held_up(rig, AGENT) as guess:
        first, second = [await guess(PASSWORD) for _ in range(2)]
        async with Visitor(rig) as visitor, asyncio.timeout(10):
            answer = await visitor.log_in(AGENT)
            assert answer.status == 503
            assert "quá nhiều người đăng nhập" in await answer.text()
        assert await acts(rig) == []
    assert (first.result(), second.result()) == (303, 303)


async def test_a_right_password_forgets_the_wrong_ones(rig: Rig) -> None:
    for _ in range(3):
        async with Visitor(rig) as visitor:
            for password in ("wrong", "wrong", PASSWORD):
                answer = await visitor.log_in(AGENT, password)
            assert answer.status == 303
    assert (await all_rows(rig.store, User))[0]["failed_logins"] == 0


async def test_a_session_ends_when_nothing_is_done(rig: Rig) -> None:
    async with Visitor(rig) as visitor:
        await visitor.log_in(AGENT)
        for _ in range(3):
            rig.hands.move(minutes=29)
            await visitor.text("/numbers")
        rig.hands.move(minutes=31)
        answer = await visitor.get("/numbers")
        assert answer.headers["Location"] == "/login?next=/numbers&ended=1"
        assert "Phiên làm việc đã kết thúc" in await visitor.text("/login?next=/numbers&ended=1")


async def test_who_is_switched_off_is_out_at_once(rig: Rig) -> None:
    async with Visitor(rig) as visitor:
        await visitor.log_in(AGENT)
        agent = rig.users[Role.AGENT]
        await rig.store.write(users.set_active, agent, rig.hands(), is_active=False)
        assert (await visitor.get("/numbers")).status == 303


async def test_a_login_makes_a_new_session_and_ends_the_one_before(rig: Rig) -> None:
    async with Visitor(rig) as visitor:
        await visitor.log_in(AGENT)
        first = {c.key: c.value for c in visitor._session.cookie_jar}["tstn_session"]
        fields = await visitor.hidden("/numbers")
        await visitor.post("/login", fields | {"login": "auditor", "password": PASSWORD})
        assert {c.key: c.value for c in visitor._session.cookie_jar}["tstn_session"] != first
    before, after = await all_rows(rig.store, Session)
    assert (before["ended_at"] is None, after["ended_at"]) == (False, None)


async def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(rig: Rig) -> None:
    async with Visitor(rig) as visitor:
        answer = await visitor.get("/login", headers={"Host": "tstn.example"})
        for word in ("HttpOnly", "SameSite=Strict", "Secure"):
            assert word in answer.headers["Set-Cookie"]
        answer = await visitor.get("/login")
        assert "Secure" not in answer.headers["Set-Cookie"]  # plain HTTP on this machine


@pytest.mark.parametrize("path", ["//elsewhere.example", "https://elsewhere.example", "/\\x", ""])
async def test_nobody_is_sent_elsewhere_after_the_login(rig: Rig, path: str) -> None:
    async with Visitor(rig) as visitor:
        fields = await visitor.hidden("/login") | {"login": AGENT, "password": PASSWORD}
        answer = await visitor._session.post(
            rig.path("/login"),
            params={"next": path},
            data=fields,
            headers={"Origin": rig.url},
            allow_redirects=False,
        )
        assert answer.headers["Location"] == "/desk"


async def test_the_language_is_chosen_before_the_login_too(rig: Rig) -> None:
    async with Visitor(rig) as visitor:
        assert 'lang="vi"' in await visitor.text("/login")
        answer = await visitor.send("/login", "/language", language="en", next="/login")
        assert answer.headers["Location"] == "/login"
        assert "<h1>Log in</h1>" in await visitor.text("/login")
        assert (await visitor.send("/login", "/language", language="xx")).status == 400


async def test_a_click_keeps_the_session_but_not_each_click_is_written(rig: Rig) -> None:
    async with Visitor(rig) as visitor:
        await visitor.log_in(AGENT)
        started = rig.hands()
        for seconds, seen in ((20, 0), (20, 40), (20, 40)):
            rig.hands.move(seconds=seconds)
            await visitor.text("/numbers")
            [row] = await all_rows(rig.store, Session)
            assert row["last_seen_at"] == started + timedelta(seconds=seen)
