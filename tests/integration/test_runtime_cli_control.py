"""`tstn campaign preview, revert, recycle` and `tstn brakes`, as an operator types them. I/O."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, update

from domain.clock import utc_now
from domain.states import BrakeCause
from store import brakes
from store.brakes import Change, Scope
from store.engine import Operation, open_store
from store.models import Event, Target
from tests.command_line import Tstn, make_directory
from tests.rows import all_rows

NAME = "phase-1"


@pytest.fixture
def tstn(tmp_path: Path) -> Tstn:
    """A campaign of three numbers."""
    made = make_directory(tmp_path)
    made("migrate")
    made.create(f'name = "{NAME}"\npurpose = "customer_care"\ncps = 5')
    audience = made.write("a.csv", "sdt\n0901234561\n0901234562\n0901234563\n")
    made("audience", "import", audience, "--campaign", NAME)
    return made


def write(tstn: Tstn, operation: Operation[..., Any], *args: Any) -> Any:
    async def work() -> Any:
        store = open_store(f"sqlite:///{tstn.directory}/var/tstn.sqlite")
        try:
            return await store.write(operation, *args)
        finally:
            await store.close()

    return asyncio.run(work())


def events(tstn: Tstn, kind: str) -> list[dict[str, Any]]:
    async def work() -> list[dict[str, Any]]:
        store = open_store(f"sqlite:///{tstn.directory}/var/tstn.sqlite")
        try:
            return [row for row in await all_rows(store, Event) if row["kind"] == kind]
        finally:
            await store.close()

    return asyncio.run(work())


def test_a_preview_shows_now_and_then_and_changes_nothing(tstn: Tstn) -> None:
    shown = tstn.json("campaign", "preview", NAME, "cps=8", "max_attempts=1")
    assert (shown["before"]["cps"], shown["after"]["cps"]) == (
        pytest.approx(50 / 27),  # fifty channels, 27 seconds a call, as long as nothing is measured
        pytest.approx(50 / 27),
    )
    assert shown["before"]["limited_by"] == "channels"
    assert shown["after"]["dials"] == 3
    assert tstn.json("campaign", "show", NAME)["cps"] == 5
    text = tstn("campaign", "preview", NAME, "max_channels=500", "cps=8")
    limits = [line.split() for line in text.splitlines() if line.startswith("limited")]
    assert limits == [["limited", "by", "channels", "→", "shared", "channels"]]
    assert "by a guess" in text
    assert "unknown key cp: did you mean cps?" in tstn.error("campaign", "preview", NAME, "cp=8")


def test_a_tuning_is_reverted(tstn: Tstn) -> None:
    tstn("campaign", "tune", NAME, "cps=8", "priority=9")
    assert tstn.json("campaign", "revert", NAME) == {
        "name": NAME,
        "before": {"cps": 8, "priority": 9},
        "after": {"cps": 5, "priority": 5},
    }
    assert tstn.error("campaign", "revert", NAME) == f"campaign '{NAME}' has no tuning to undo"
    assert "priority: must be a whole number from 1 to 9" in tstn.error(
        *("campaign", "tune", NAME, "priority=10")
    )


def test_numbers_are_recycled_after_a_look(tstn: Tstn) -> None:
    write(tstn, _done)
    words = ("campaign", "recycle", NAME, "--outcome", "no_answer, busy")
    shown = tstn.json(*words, "--preview")
    assert shown["recycled"] == {"no_answer": 3}
    assert tstn.json("campaign", "show", NAME)["targets"] == {"done": 3}
    assert tstn(*words).splitlines()[0] == "3 numbers are to be dialled again"
    assert tstn.json("campaign", "show", NAME)["targets"] == {"ready": 3}
    assert tstn(*words) == "0 numbers are to be dialled again\n"
    assert len(events(tstn, "campaign_recycled")) == 1
    assert "answered: can't be recycled" in tstn.error(
        *("campaign", "recycle", NAME, "--outcome", "answered")
    )
    assert "--ended-before noon is no moment" in tstn.error(*words, "--ended-before", "noon")


def _done(connection: Connection) -> None:
    connection.execute(update(Target).values(state="done", outcome="no_answer"))


def test_brakes_are_shown_and_overridden(tstn: Tstn) -> None:
    assert tstn("brakes", "show") == "no brake is drawn\n"
    now = utc_now()
    refused = Change(0.0, "10 of the last 10 calls were refused", now + timedelta(hours=1), 1)
    write(tstn, brakes.put, Scope(BrakeCause.CONGESTION, trunk="carrier"), refused, now)
    write(tstn, brakes.put, Scope(BrakeCause.PROMISE, campaign_id=1), Change(0.5, "late"), now)
    shown = tstn.json("brakes", "show")
    assert [(one["scope"], one["factor"]) for one in shown] == [("trunk:carrier", 0), (NAME, 0.5)]
    assert "10 of the last 10 calls were refused" in tstn("brakes", "show")
    tstn("brakes", "override", "trunk:carrier", "congestion", "--minutes", 30)
    told = tstn("brakes", "override", NAME, "promise", "--minutes", 30)
    assert told.startswith(f"the brake promise of {NAME} is not heeded until ")
    assert all(one["overridden_by"] == "command line" for one in tstn.json("brakes", "show"))
    assert len(events(tstn, "brake_overridden")) == 2
    assert tstn.error("brakes", "override", NAME, "queue", "--minutes", 30) == (
        "there is no brake queue there: see `tstn brakes show`"
    )
    assert "--minutes 0: write 1 to 1440" in tstn.error(
        *("brakes", "override", NAME, "promise", "--minutes", 0)
    )
