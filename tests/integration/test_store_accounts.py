"""Accounts and the audit in the store: what the database refuses, and one form, one write. I/O."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from domain.errors import InputError
from domain.roles import Role
from store import audit, sessions, users
from store.audit import Act, Repeated
from store.engine import Store
from store.models import Audit, Session, User
from store.users import Details, LoginLimits, NewUser
from tests.rows import NOW, all_rows

LIMITS = LoginLimits(3, timedelta(minutes=15))


def new(login: str = "lan", **other: object) -> NewUser:
    values: dict[str, object] = {"name": "Lan", "role": Role.AGENT, "password_hash": "x"}
    return NewUser(login, **(values | other))  # type: ignore[arg-type]


async def add(store: Store, login: str = "lan", **other: object) -> int:
    return await store.write(users.add, new(login, **other), NOW)


async def test_a_login_and_a_phone_belong_to_one_account(store: Store) -> None:
    await add(store, phone="agent1")
    for other in (new("lan"), new("mai", phone="agent1")):
        with pytest.raises(InputError, match="another account"):
            await store.write(users.add, other, NOW)
    await add(store, "mai")  # no phone is nobody's phone
    await add(store, "hoa")


async def phone_of(store: Store, user_id: int) -> str | None:
    [row] = [row for row in await all_rows(store, User) if row["id"] == user_id]
    return row["phone"]  # type: ignore[no-any-return]


async def switch(store: Store, user_id: int, *, is_active: bool) -> None:
    await store.write(
        lambda connection: users.set_active(connection, user_id, NOW, is_active=is_active)
    )


async def test_a_phone_goes_from_who_leaves_to_who_comes(store: Store) -> None:
    lan = await add(store, phone="agent1")
    await switch(store, lan, is_active=False)
    assert await phone_of(store, lan) is None
    mai = await add(store, "mai", phone="agent1")
    assert await phone_of(store, mai) == "agent1"
    await switch(store, lan, is_active=True)
    assert await phone_of(store, lan) is None
    with pytest.raises(InputError, match="another account"):
        await store.write(users.change, lan, Details("Lan", phone="agent1"))
    await store.write(users.change, lan, Details("Lan", phone="agent2"))
    assert await phone_of(store, lan) == "agent2"


async def test_a_phone_that_an_earlier_version_left_to_a_leaver_is_free(store: Store) -> None:
    lan, mai = await add(store, phone="agent1"), await add(store, "mai")
    await store.write(lambda c: c.execute(text("UPDATE users SET is_active = false")).rowcount)
    await switch(store, mai, is_active=True)
    await store.write(users.change, mai, Details("Mai", phone="agent1"))
    assert (await phone_of(store, lan), await phone_of(store, mai)) == (None, "agent1")


async def test_an_account_is_corrected(store: Store) -> None:
    """What was wrong is told apart for the audit; what no account may be is refused."""
    lan = await add(store, role=Role.SPECIALIST, province="Vinh Long")
    was = await store.read(users.by_id, lan)
    assert was is not None
    new = Details("Nguyễn Thị Lan", "Vĩnh Long")
    assert users.difference(was, new) == {
        "name": "Nguyễn Thị Lan",
        "province": "Vĩnh Long",
        "before": "Lan, Vinh Long",
    }
    await store.write(users.change, lan, new)
    now = await store.read(users.by_id, lan)
    assert now is not None
    assert (now.login, now.name, now.province) == ("lan", "Nguyễn Thị Lan", "Vĩnh Long")
    assert users.difference(now, new) == {}
    await switch(store, lan, is_active=False)
    for wrong, said in (
        (Details("", "Vĩnh Long"), "name"),
        (Details("Lan"), "province"),
        (Details("Lan", "Vĩnh Long", "a b"), "SIP"),
        (Details("Lan", "Vĩnh Long", "agent1"), "switch it on"),
    ):
        with pytest.raises(InputError, match=said):
            await store.write(users.change, lan, wrong)
    with pytest.raises(InputError, match="no such account"):
        await store.write(users.change, 999, new)


async def test_a_phone_that_two_want_at_once_goes_to_one(store: Store) -> None:
    wanting = [await add(store, login) for login in ("lan", "mai", "hoa")]
    asked = (store.write(users.change, one, Details("Lan", phone="agent1")) for one in wanting)
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert len([one for one in answers if isinstance(one, InputError)]) == 2
    assert sorted([await phone_of(store, one) or "" for one in wanting]) == ["", "", "agent1"]


async def test_what_the_database_refuses_of_an_account(store: Store) -> None:
    await add(store)
    for change in ("login = 'LAN'", "role = 'king'", "role = 'specialist'"):

        def do(connection: Connection, change: str = change) -> None:
            connection.execute(text(f"UPDATE users SET {change}"))  # noqa: S608

        with pytest.raises(IntegrityError):
            await store.write(do)


async def test_two_wrong_passwords_at_once_are_two(store: Store) -> None:
    lan = await add(store)
    failed = (store.write(users.login_failed, lan, LIMITS, NOW) for _ in range(3))
    assert sorted(await asyncio.gather(*failed)) == [False, False, True]
    [row] = await all_rows(store, User)
    assert (row["failed_logins"], row["locked_until"]) == (0, NOW + LIMITS.lock)


async def test_a_session_is_found_while_it_lives(store: Store) -> None:
    lan = await add(store, phone="agent1")
    one = await store.write(sessions.start, lan, "hash", "csrf", NOW)
    idle = timedelta(minutes=30)
    found = await store.read(sessions.present, "hash", NOW, idle)
    assert found is not None
    assert (found.id, found.user_id, found.role, found.phone) == (one, lan, Role.AGENT, "agent1")
    assert await store.read(sessions.present, "other", NOW, idle) is None
    assert await store.read(sessions.present, "hash", NOW + idle, idle) is None
    await store.write(sessions.seen, one, NOW + idle)
    assert await store.read(sessions.present, "hash", NOW + idle, idle) is not None


async def test_an_end_keeps_its_time_and_a_new_password_ends_all(store: Store) -> None:
    lan = await add(store)
    one = await store.write(sessions.start, lan, "one", "csrf", NOW)
    await store.write(sessions.start, lan, "two", "csrf", NOW)
    later = NOW + timedelta(minutes=1)
    await store.write(sessions.end, one, NOW)
    await store.write(users.set_password, lan, "y", later)
    assert [row["ended_at"] for row in await all_rows(store, Session)] == [NOW, later]


async def test_a_form_does_its_work_once_however_it_comes(store: Store) -> None:
    """Twice at once, as of a double click: one of the two is undone whole."""

    async def send(login: str) -> int | None:
        act = Act("user_added", None, once="1:key")
        try:
            return await store.write(
                audit.perform, act, NOW, lambda c: users.add(c, new(login), NOW)
            )
        except Repeated:
            return None

    answers = await asyncio.gather(*(send(f"u{number}") for number in range(5)))
    assert len([answer for answer in answers if answer is not None]) == 1
    assert len(await all_rows(store, User)) == 1
    assert len(await all_rows(store, Audit)) == 1


async def test_a_write_that_fails_leaves_no_row_of_the_audit(store: Store) -> None:
    def fails(_: Connection) -> None:
        raise InputError("no")

    with pytest.raises(InputError):
        await store.write(audit.perform, Act("user_added", None, once="1:key"), NOW, fails)
    assert await all_rows(store, Audit) == []


async def test_the_subject_may_be_found_in_the_answer(store: Store) -> None:
    act = Act("callback_taken", None)
    await store.write(audit.perform, act, NOW, lambda _: 17, lambda found: f"callback {found}")
    [row] = await all_rows(store, Audit)
    assert row["subject"] == "callback 17"


async def test_the_audit_is_only_ever_added_to(store: Store, store_url: str) -> None:
    for once in (None, "a"):
        await store.write(audit.add, Act("logged_in", None, once=once), NOW)
    changes = ["UPDATE audit SET action = 'x'", "DELETE FROM audit WHERE id = 1"]
    if store_url.startswith("postgresql"):
        changes.append("TRUNCATE audit")
    for change in changes:

        def do(connection: Connection, change: str = change) -> None:
            connection.exec_driver_sql(change)

        with pytest.raises(DBAPIError, match="append-only"):
            await store.write(do)
    assert len(await all_rows(store, Audit)) == 2
