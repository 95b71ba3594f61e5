"""What the database itself refuses, whoever writes to it: raw SQL on both kinds. I/O."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from domain.callbacks import MAY_BECOME
from domain.states import CallbackState
from store import history
from store.engine import Store

ONE = "00000000000000000000000000000001"
TWO = "00000000000000000000000000000002"
AT = "'2021-04-01 03:00:00.000000'"
NUMBER = "'+84900000001'"


def campaign(state: str = "draft", purpose: str = "'customer_care'", **other: str) -> str:
    values = {
        "id": "1",
        "name": "'mekong'",
        "purpose": purpose,
        "script_version": "'vi-1'",
        "cps": "5",
        "max_channels": "10",
        "ring_timeout_seconds": "30",
        "max_attempts": "4",
        "retry": "'{}'",
        "windows": "'[]'",
        "call_on_holidays": "false",
        "created_at": AT,
        "state": f"'{state}'",
    }
    return _insert("campaigns", values | other)


def target(**other: str) -> str:
    values = {
        "id": "1",
        "campaign_id": "1",
        "msisdn": NUMBER,
        "attributes": "'{}'",
        "not_before": AT,
        "state": "'ready'",
        "attempts_made": "0",
    }
    return _insert("targets", values | other)


def attempt(identity: str = ONE, state: str = "dialling", **other: str) -> str:
    values = {
        "id": f"'{identity}'",
        "campaign_id": "1",
        "target_id": "1",
        "msisdn": NUMBER,
        "node": "'node1'",
        "trunk": "'carrier'",
        "script_version": "'vi-1'",
        "ring_timeout_seconds": "30",
        "started_at": AT,
        "deadline_at": AT,
        "state": f"'{state}'",
        "adoptions": "0",
    }
    return _insert("attempts", values | other)


def registration(identity: int = 1, source: str = "a", **other: str) -> str:
    values = {
        "id": str(identity),
        "msisdn": NUMBER,
        "channel": "'ivr'",
        "source_id": f"'{source}'",
        "registered_at": AT,
        "evidence": "'{}'",
        "state": "'open'",
    }
    return _insert("registrations", values | other)


def callback(identity: int = 1, source: str = "ivr:a", **other: str) -> str:
    values = {
        "id": str(identity),
        "kind": "'advice'",
        "msisdn": NUMBER,
        "source_id": f"'{source}'",
        "requested_at": AT,
        "target_at": AT,
        "promise_at": AT,
        "state": "'open'",
        "attempts_made": "0",
    }
    return _insert("callbacks", values | other)


def event(identity: int = 1, **other: str) -> str:
    values = {
        "id": str(identity),
        "at": AT,
        "kind": "'attempt_dialled'",
        "msisdn": NUMBER,
        "data": "'{}'",
    }
    return _insert("events", values | other)


def _insert(table: str, values: dict[str, str]) -> str:
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})"  # noqa: S608


async def run(store: Store, *statements: str) -> None:
    def work(connection: Connection) -> None:
        for statement in statements:
            connection.exec_driver_sql(statement)

    await store.write(work)


async def values(store: Store, query: str) -> list[Any]:
    """The first column of every row."""
    return await store.read(lambda connection: list(connection.scalars(text(query))))


BASE = (campaign(), target())
ENDED = {"ended_at": AT, "disposition": "'busy'"}
GONE = {"state": "'cancelled'", "closed_at": AT}
HELD = {
    "state": "'claimed'",
    "claim_id": f"'{ONE}'",
    "claimed_by": "1",
    "claimed_at": AT,
    "claimed_until": AT,
}
UNIQUE, CHECK, FOREIGN = "unique", "check", "foreign"


REFUSED: dict[str, tuple[tuple[str, ...], str, str]] = {
    "2 open attempts": ((*BASE, attempt(ONE)), attempt(TWO), UNIQUE),
    "an attempt beside an answered one": (
        (*BASE, attempt(ONE, "answered", answered_at=AT)),
        attempt(TWO),
        UNIQUE,
    ),
    "an ended attempt opened beside an open one": (
        (*BASE, attempt(ONE, "ended", **ENDED), attempt(TWO)),
        "UPDATE attempts SET state = 'dialling', ended_at = NULL, disposition = NULL",
        UNIQUE,
    ),
    "2 open registrations": ((registration(1, "a"),), registration(2, "b"), UNIQUE),
    "a cancelled registration opened beside an open one": (
        (registration(1, "a", state="'cancelled'"), registration(2, "b")),
        "UPDATE registrations SET state = 'open' WHERE id = 1",
        UNIQUE,
    ),
    "one source, 2 registrations": (
        (registration(1, "a", state="'cancelled'"),),
        registration(2, "a"),
        UNIQUE,
    ),
    "2 open call-backs": ((callback(1, "a"),), callback(2, "b"), UNIQUE),
    "one source, 2 calls": ((callback(1, "a", **GONE),), callback(2, "a"), UNIQUE),
    "open, and claimed": ((callback(1, "a"),), callback(2, "b", **HELD), UNIQUE),
    "2 agents, one number": (
        (callback(1, "a", **HELD),),
        callback(2, "b", kind="'confirm'", registration_id="1", **(HELD | {"claimed_by": "2"})),
        UNIQUE,
    ),
    "2 claims of an agent": (
        (callback(1, "a", **HELD),),
        callback(2, "b", **(HELD | {"msisdn": "'+84900000002'"})),
        UNIQUE,
    ),
    "claimed by nobody": ((), callback(**(HELD | {"claimed_by": "NULL"})), CHECK),
    "claimed for ever": ((), callback(**(HELD | {"claimed_until": "NULL"})), CHECK),
    "open, yet claimed": ((), callback(**(HELD | {"state": "'open'"})), CHECK),
    "closed at no time": ((), callback(state="'cancelled'"), CHECK),
    "open, yet closed": ((), callback(closed_at=AT), CHECK),
    "done without result": ((), callback(state="'done'", closed_at=AT), CHECK),
    "an unknown result": ((), callback(outcome="'asleep'"), CHECK),
    "half an appointment": ((), callback(appointment_slot="'morning'"), CHECK),
    "a number twice in a campaign": (BASE, target(id="2"), UNIQUE),
    "2 campaigns of a name": ((campaign(),), campaign(id="2"), UNIQUE),
    "an unknown purpose": ((), campaign(purpose="'fun'"), CHECK),
    "an empty purpose": ((), campaign(purpose="''"), CHECK),
    "runs without a purpose": ((), campaign("running", "NULL"), CHECK),
    "paused without a purpose": ((), campaign("paused", "NULL"), CHECK),
    "starts without a purpose": (
        (campaign(purpose="NULL"),),
        "UPDATE campaigns SET state = 'running'",
        CHECK,
    ),
    "loses its purpose while it runs": (
        (campaign("running"),),
        "UPDATE campaigns SET purpose = NULL",
        CHECK,
    ),
    "an unknown campaign state": ((), campaign("RUNNING"), CHECK),
    "no rate": ((), campaign(cps="0"), CHECK),
    "no channels": ((), campaign(max_channels="0"), CHECK),
    "no attempts": ((), campaign(max_attempts="0"), CHECK),
    "an unknown target state": ((campaign(),), target(state="'waiting'"), CHECK),
    "done without an outcome": ((campaign(),), target(state="'done'"), CHECK),
    "an outcome, not done": ((campaign(),), target(outcome="'busy'"), CHECK),
    "an unknown attempt state": (BASE, attempt(state="ringing"), CHECK),
    "answered at no time": (BASE, attempt(state="answered"), CHECK),
    "ended, disposition?": (BASE, attempt(state="ended", ended_at=AT), CHECK),
    "ended at no time": (BASE, attempt(state="ended", disposition="'busy'"), CHECK),
    "open and ended": (BASE, attempt(disposition="'busy'", ended_at=AT), CHECK),
    "an unknown disposition": (
        BASE,
        attempt(state="ended", ended_at=AT, disposition="'failed'"),
        CHECK,
    ),
    "settled before its end": (BASE, attempt(settled_at=AT), CHECK),
    "an unknown registration state": ((), registration(state="'new'"), CHECK),
    "an unknown channel": ((), registration(channel="'fax'"), CHECK),
    "an unknown call-back state": ((), callback(state="'late'"), CHECK),
    "an unknown kind of call-back": ((), callback(kind="'sales'"), CHECK),
    "confirms no registration": ((), callback(kind="'confirm'"), CHECK),
    "a limit without a rate": ((), "INSERT INTO limits VALUES ('global', 0, 5)", CHECK),
    "channels below nought": ((), "INSERT INTO limits VALUES ('global', 1, -1)", CHECK),
    "no such campaign": ((campaign(),), target(campaign_id="9"), FOREIGN),
    "no such target": (BASE, attempt(target_id="9"), FOREIGN),
    "no such attempt": (
        (),
        _insert(
            "key_presses",
            {
                "attempt_id": f"'{ONE}'",
                "pressed_at": AT,
                "key": "'1'",
                "script_state": "'inviting'",
            },
        ),
        FOREIGN,
    ),
}
"""What must be refused: by its name, what stands legally before, the statement, and the rule."""


async def test_the_database_refuses(store: Store) -> None:
    wrong = []
    for name, (legal, illegal, rule) in REFUSED.items():
        statement, complaint = await refusal(store, *legal, illegal)
        if statement != illegal or rule not in complaint.lower():
            wrong.append(f"{name}: {complaint or 'taken'}")
    assert wrong == []


async def refusal(store: Store, *statements: str) -> tuple[str | None, str]:
    """The statement that the database refuses, and why; the transaction leaves nothing behind."""
    try:
        await run(store, *statements)
    except IntegrityError as error:
        return error.statement, str(error.orig)
    return None, ""


async def test_what_is_legal_is_not_refused(store: Store) -> None:
    """The same statements with nothing wrong: the rules above refuse for their reason alone."""
    await run(
        store,
        campaign("running"),
        campaign(id="2", name="'no purpose yet'", purpose="NULL"),
        target(),
        target(id="2", msisdn="'+84900000002'", state="'done'", outcome="'busy'"),
        attempt(ONE, "ended", settled_at=AT, **ENDED),
        attempt(TWO, "answered", answered_at=AT),
        registration(1, "a", state="'cancelled'"),
        registration(2, "b"),
        registration(3, "c", msisdn="'+84900000002'", channel="'sms'"),
        callback(1, "ivr:b", kind="'confirm'", registration_id="2"),
        callback(2, "ivr:b"),
        "INSERT INTO limits VALUES ('trunk:carrier', 0.5, 0)",
    )
    assert await values(store, "SELECT id FROM registrations ORDER BY id") == [1, 2, 3]


@pytest.mark.parametrize("before", CallbackState)
async def test_a_call_back_makes_the_legal_moves_only(store: Store, before: CallbackState) -> None:
    """The trigger and the table in `domain.callbacks` are one."""
    for after in set(CallbackState) - {before}:
        statement = callback(1, "a", **STATE_VALUES[before])
        change = ", ".join(f"{name} = {value}" for name, value in STATE_VALUES[after].items())
        move = f"UPDATE callbacks SET {change}"  # noqa: S608
        undo = "DELETE FROM callbacks"
        if after in MAY_BECOME[before]:
            await run(store, statement, move, undo)
        else:
            with pytest.raises(DBAPIError, match="no such move"):
                await run(store, statement, move, undo)


NOT_HELD = dict.fromkeys(("claim_id", "claimed_by", "claimed_at", "claimed_until"), "NULL")
STATE_VALUES: dict[CallbackState, dict[str, str]] = {
    CallbackState.OPEN: {**NOT_HELD, "state": "'open'", "closed_at": "NULL"},
    CallbackState.CLAIMED: {**HELD, "closed_at": "NULL"},
    CallbackState.DONE: {**NOT_HELD, **GONE, "state": "'done'", "outcome": "'refused'"},
    CallbackState.UNREACHABLE: {**NOT_HELD, **GONE, "state": "'unreachable'"},
    CallbackState.CANCELLED: {**NOT_HELD, **GONE},
}


async def test_history_is_only_ever_added_to(store: Store) -> None:
    await run(store, event(1), event(2))
    for change in (
        "UPDATE events SET kind = 'nothing'",
        "UPDATE events SET once = 'x' WHERE id = 1",
        "DELETE FROM events",
        "DELETE FROM events WHERE id = 1",
    ):
        with pytest.raises(DBAPIError, match="append-only"):
            await run(store, change)
    assert await values(store, "SELECT kind FROM events") == ["attempt_dialled"] * 2


async def test_history_can_not_be_emptied_or_overwritten_either(
    store: Store, store_url: str
) -> None:
    await run(store, event(1), event(2))
    replace = event(1, kind="'nothing'").replace("INSERT", "INSERT OR REPLACE")
    with pytest.raises(DBAPIError, match="append-only"):
        await run(store, replace if store_url.startswith("sqlite") else "TRUNCATE events")
    assert await values(store, "SELECT kind FROM events") == ["attempt_dialled"] * 2


async def test_a_naive_time_never_gets_in(store: Store) -> None:
    naive = datetime(2021, 4, 1, 10, 0)  # noqa: DTZ001
    with pytest.raises((StatementError, ValueError), match="naive"):
        await store.write(history.add, [history.happening("noticed", naive)])
    assert await values(store, "SELECT id FROM events") == []
