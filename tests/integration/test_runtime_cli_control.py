"""`tstn campaign preview, revert, recycle` and `tstn brakes`, as an operator types them. I/O."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, update

from domain.clock import utc_now
from domain.states import BrakeCause
from runtime.cli.acts import operator
from store import brakes
from store.brakes import Change, Scope
from store.engine import Operation, open_store
from store.models import Audit, Base, Event, Target
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


def rows_of(tstn: Tstn, kind: type[Base]) -> list[dict[str, Any]]:
    async def work() -> list[dict[str, Any]]:
        store = open_store(f"sqlite:///{tstn.directory}/var/tstn.sqlite")
        try:
            return await all_rows(store, kind)
        finally:
            await store.close()

    return asyncio.run(work())


def events(tstn: Tstn, kind: str) -> list[dict[str, Any]]:
    return [row for row in rows_of(tstn, Event) if row["kind"] == kind]


def acts(tstn: Tstn) -> list[dict[str, Any]]:
    return rows_of(tstn, Audit)


def of_brakes(tstn: Tstn) -> list[dict[str, Any]]:
    return [row for row in acts(tstn) if row["action"].startswith("brake_")]


def test_a_preview_shows_now_and_then_and_changes_nothing(tstn: Tstn) -> None:
    shown = tstn.json("campaign", "preview", NAME, "cps=8", "max_attempts=1")
    assert (shown["before"]["cps"], shown["after"]["cps"]) == (
        pytest.approx(50 / 27),  # fifty channels, 27 seconds a call, as long as nothing is measured
        pytest.approx(50 / 27),
    )
    assert shown["before"]["limited_by"] == "channels"
    assert shown["after"]["dials"] == 3
    never = [f"retry.{how}.max=0" for how in ("no_answer", "busy", "unreachable")]
    shown = tstn.json("campaign", "preview", NAME, *never)
    assert shown["before"]["dials"] > shown["after"]["dials"] == 3
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


@pytest.fixture
def braked(tstn: Tstn) -> Tstn:
    """The trunk's breaker is open; one campaign of two is slowed for its promise."""
    now = utc_now()
    refused = Change(0.0, "10 of the last 10 calls were refused", now + timedelta(hours=1), 1)
    tstn.create('name = "other"\npurpose = "customer_care"')
    write(tstn, brakes.put, Scope(BrakeCause.CONGESTION, trunk="carrier"), refused, now)
    write(tstn, brakes.put, Scope(BrakeCause.PROMISE, campaign_id=1), Change(0.5, "late"), now)
    return tstn


def test_brakes_are_shown(tstn: Tstn) -> None:
    assert tstn("brakes", "show") == "no brake is drawn\n"


def test_the_brakes_of_one_campaign_are_its_own_and_the_trunks(braked: Tstn) -> None:
    def shown(*of: object) -> list[tuple[str, float]]:
        return [(one["scope"], one["factor"]) for one in braked.json("brakes", "show", *of)]

    assert shown() == shown(NAME) == shown(1) == [("trunk:carrier", 0), (NAME, 0.5)]
    assert shown("other") == [("trunk:carrier", 0)]
    assert "10 of the last 10 calls were refused" in braked("brakes", "show", "other")
    assert "there is no campaign" in braked.error("brakes", "show", "third")


def test_a_brake_is_overridden_and_heeded_again_by_name(braked: Tstn) -> None:
    by = operator()
    braked("brakes", "override", "trunk:carrier", "congestion", "--minutes", 30)
    told = braked("brakes", "override", 1, "promise", "--minutes", 30)
    assert told.startswith("the brake promise of 1 is not heeded until ")
    assert [one["overridden_by"] for one in braked.json("brakes", "show")] == [by, by]
    told = braked("brakes", "release", NAME, "promise")
    assert told == f"the brake promise of {NAME} is heeded again\n"
    assert [one["overridden_by"] for one in braked.json("brakes", "show")] == [by, None]
    data = braked.json("brakes", "release", "trunk:carrier", "congestion")
    assert data == {"scope": "trunk:carrier", "cause": "congestion", "brakes": 1}
    assert [one["overridden_by"] for one in braked.json("brakes", "show")] == [None, None]
    assert len(events(braked, "brake_overridden")) == len(events(braked, "brake_released")) == 2


def test_what_is_done_to_a_campaign_and_to_limits_is_in_the_audit_by_name(tstn: Tstn) -> None:
    tstn("campaign", "tune", NAME, "cps=8")
    tstn("campaign", "revert", NAME)
    recycle = ("campaign", "recycle", NAME, "--outcome", "no_answer,busy")
    tstn(*recycle, "--preview")
    tstn(*recycle)
    tstn("limits", "set", "trunk:carrier", "channels=5")
    tstn("campaign", "stop", NAME)
    tstn.error("campaign", "pause", NAME)  # it is not done, so it is not there
    by = {"by": operator()}
    chosen = {"outcomes": ["no_answer", "busy"], "province": None, "ended_before": None}
    assert [(row["action"], row["subject"], row["data"]) for row in acts(tstn)] == [
        ("campaign_created", NAME, by),
        ("campaign_tuned", NAME, {"pairs": ["cps=8"], **by}),
        ("campaign_reverted", NAME, by),
        ("campaign_recycled", NAME, {**chosen, **by}),
        ("limits_set", "trunk:carrier", {"cps": 10.0, "channels": 5, **by}),
        ("campaign_stopped", NAME, by),
    ]


def test_what_is_done_to_a_brake_is_in_the_audit_as_from_the_page(braked: Tstn) -> None:
    braked("brakes", "override", 1, "promise", "--minutes", 30)
    braked("brakes", "release", "trunk:carrier", "congestion")
    rows = [(row["action"], row["subject"], row["data"]) for row in of_brakes(braked)]
    by = operator()
    assert rows == [
        (
            *("brake_overridden", NAME),
            {"cause": "promise", "trunk": None, "by": by, "minutes": 30},
        ),
        ("brake_released", "trunk:carrier", {"cause": "congestion", "trunk": "carrier", "by": by}),
    ]


def test_what_there_is_not_is_neither_overridden_nor_audited(braked: Tstn) -> None:
    for words in (("override", NAME, "queue", "--minutes", 30), ("release", NAME, "queue")):
        assert braked.error("brakes", *words) == (
            "there is no brake queue there: see `tstn brakes show`"
        )
    assert "--minutes 0: write 1 to 1440" in braked.error(
        *("brakes", "override", NAME, "promise", "--minutes", 0)
    )
    assert of_brakes(braked) == []
