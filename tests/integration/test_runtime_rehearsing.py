"""`tstn rehearse` over a real store: what it starts from, both columns, nothing written. I/O."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from domain.addresses import Scheme
from domain.dispositions import Disposition
from domain.gate import Refusal
from domain.states import Purpose
from store import consent, phases, registrations
from store.apply import apply
from store.engine import Store, open_store
from store.facts import OptOutAsked
from store.models import Base
from store.phases import NewPhase
from store.ready_targets import ready_targets
from tests.command_line import Tstn, make_directory
from tests.integration.test_store_rules import run
from tests.rows import BY_NINE, NOW, all_rows, asked, claim_some, ended, make_campaign, numbers
from tests.text_campaigns import make_text_campaign

T = TypeVar("T")
HOUR = timedelta(hours=1)
LAST_MONTH = date(2021, 3, 31)
ASKED = ("rehearse", "--campaign", "mekong", "--from", "2021-04-01T10:00", "--hours", "24")


async def test_ready_targets_by_attempts_and_minutes(store: Store) -> None:
    campaign = await make_campaign(store, numbers(5))
    await make_campaign(store, numbers(2, first=50), name="other")
    later = await make_campaign(
        store, numbers(1, first=80), name="later", due=NOW + timedelta(seconds=61)
    )
    assert (await store.read(ready_targets, campaign, NOW)).audience == {(0, 0, None): 5}
    await claim_some(store, campaign, 2)  # in the air: no longer ready
    assert (await store.read(ready_targets, campaign, NOW)).audience == {(0, 0, None): 3}
    assert (await store.read(ready_targets, later, NOW)).audience == {(0, 2, None): 1}


@pytest.fixture
def tstn(tmp_path: Path) -> Tstn:
    made = make_directory(tmp_path)
    made("migrate")
    asyncio.run(_in_store(made, _fill))
    return made


async def _fill(store: Store) -> None:
    campaign = await make_campaign(store, numbers(300), cps=1.0, max_channels=20)
    [attempt] = await claim_some(store, campaign, 1)
    await store.write(apply, [ended(attempt, Disposition.BUSY, NOW)], BY_NINE)


async def _rows(store: Store) -> dict[str, list[dict[str, Any]]]:
    every = [mapper.class_ for mapper in Base.registry.mappers]
    return {row.__tablename__: await all_rows(store, row) for row in every}


async def _in_store(tstn: Tstn, work: Callable[[Store], Awaitable[T]]) -> T:
    store = open_store(f"sqlite:///{tstn.directory}/var/tstn.sqlite")
    try:
        return await work(store)
    finally:
        await store.close()


def test_present_and_changed_knobs_side_by_side_and_nothing_written(tstn: Tstn) -> None:
    before = asyncio.run(_in_store(tstn, _rows))
    told = tstn.json(*ASKED, "--agents", "4", "cps=2")
    assert (told["ready_targets"], told["agents"], told["changes"]) == (299, 4, ["cps=2"])
    present, changed = told["present"], told["changed"]
    for column in (present, changed):
        assert column["targets_done"] + column["targets_waiting"] == 299
        assert column["most_channels"] <= 20
        assert column["finished_at"] is None or column["finished_at"] > "2021-04-01T03:00"
    assert changed["most_channels"] > 1
    assert present["by_hour"] != changed["by_hour"]
    assert asyncio.run(_in_store(tstn, _rows)) == before


def test_the_same_seed_tells_the_same(tstn: Tstn) -> None:
    first, again, other = [tstn.json(*ASKED, "--seed", seed)["present"] for seed in (7, 7, 8)]
    assert first == again
    assert first != other


def test_for_people_there_are_tables(tstn: Tstn) -> None:
    told = tstn(*ASKED, "--agents", "4", "cps=2")
    for words in ("299 targets are ready, 4 agents", "finished at", "kept in 48 hours", "01/04 10"):
        assert words in told


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--answer-rate", "1.5"), "answer-rate"),
        (("--agents", "-1"), "--agents must be"),
        (("--from", "soon"), "--from soon is no moment"),
        (("cps=0",), "cps"),
        (("--hours", "0"), "--hours must be"),
        (("by_phase=true",), "by_phase decides whom the gate lets through"),
        (("purpose=advertising",), "purpose decides whom the gate lets through"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_line(
    tstn: Tstn, words: tuple[str, ...], why: str
) -> None:
    assert why in tstn.error(*ASKED, *words)


async def test_whom_the_gate_refuses_is_not_rehearsed(store: Store) -> None:
    """As a claim would judge each of them now, counted by reason."""
    campaign = await make_campaign(store, numbers(8), by_phase=True, purpose=Purpose.ADVERTISING)
    out, registered, spent, closed, comes, none, called, _ = numbers(8)
    await store.write(consent.opt_out, [OptOutAsked(out, NOW, "sms:1")], NOW)
    await store.write(registrations.register, [asked(registered, NOW)], BY_NINE)
    opens = [(("86", None), date(2021, 3, 1), None), (("87", None), date(2021, 3, 1), LAST_MONTH)]
    opens.append((("89", None), date(2021, 4, 3), None))
    new = [NewPhase(Scheme.VN_2021, *place, *days) for place, *days in opens]
    await store.write(phases.put, new, "lan", NOW)
    await run(
        store,
        "UPDATE targets SET province_code = '86'",
        *(
            f"UPDATE targets SET {change} WHERE msisdn = '{number}'"  # noqa: S608
            for number, change in (
                (spent, "attempts_made = 4"),
                (closed, "province_code = '87'"),
                (comes, "province_code = '89'"),
                (none, "province_code = '96'"),
            )
        ),
    )
    other = await make_campaign(store, [called], "other", due=NOW - 3 * HOUR)
    [call] = await claim_some(store, other, now=NOW - 3 * HOUR)
    await store.write(apply, [ended(call, Disposition.BUSY, NOW - 3 * HOUR)], BY_NINE)
    ready = await store.read(ready_targets, campaign, NOW)
    assert ready.left_out == {
        Refusal.OPTED_OUT: 1,
        Refusal.ALREADY_REGISTERED: 1,
        Refusal.ATTEMPTS_SPENT: 1,
        Refusal.PHASE_CLOSED: 2,
    }
    assert ready.held == {Refusal.PHASE_CLOSED: 1, Refusal.CAPPED: 1}
    # The phase opens at midnight of the day after tomorrow, 38 hours ahead; the cap frees in 21.
    assert ready.audience == {(0, 0, None): 1, (0, 38 * 60, None): 1, (0, 21 * 60, None): 1}


async def test_a_phase_that_closes_later_is_known_from_the_start(store: Store) -> None:
    """The district's own goes before its province's; its last day is included."""
    campaign = await make_campaign(store, numbers(4), by_phase=True, windows=["00:00-24:00"])
    opened = date(2021, 3, 1)
    new = [
        NewPhase(Scheme.VN_2021, "86", None, opened, date(2021, 4, 30)),
        NewPhase(Scheme.VN_2021, "86", "855", opened, date(2021, 4, 1)),
        NewPhase(Scheme.VN_2021, "87", None, date(2021, 4, 2), date(2021, 4, 3)),
        NewPhase(Scheme.VN_2021, "89", None, opened, None),
    ]
    await store.write(phases.put, new, "lan", NOW)
    places = [("86", "855"), ("86", None), ("87", None), ("89", None)]
    for number, (province, district) in zip(numbers(4), places, strict=True):
        code = "NULL" if district is None else f"'{district}'"
        await run(
            store,
            f"UPDATE targets SET province_code = '{province}', "  # noqa: S608
            f"district_code = {code} WHERE msisdn = '{number}'",
        )
    ready = await store.read(ready_targets, campaign, NOW)
    today = 14 * 60  # from 10:00 until midnight
    assert ready.audience == {
        (0, 0, today): 1,
        (0, 0, today + 29 * 24 * 60): 1,
        (0, today, today + 2 * 24 * 60): 1,
        (0, 0, None): 1,
    }


def test_a_phase_that_closes_within_the_hours_is_heeded(tstn: Tstn) -> None:
    """299 numbers at one call in ten seconds: the night does not reach them all."""
    slow = ("cps=0.01",)
    before = tstn.json(*ASKED, "--agents", "4", *slow)["changed"]
    assert (before["targets_whose_phase_closed"], before["targets_waiting"] > 0) == (0, True)
    asyncio.run(_in_store(tstn, _close_tonight))
    told = tstn.json(*ASKED, "--agents", "4", *slow)
    after = told["changed"]
    assert told["left_out"] == {}
    assert after["targets_waiting"] == 0
    assert after["targets_whose_phase_closed"] == 299 - after["targets_done"] > 0
    assert max(hour["at"] for hour in after["by_hour"]) < "2021-04-01T17:00"
    assert "targets whose phase closed" in tstn(*ASKED, "--agents", "4", *slow)


async def _close_tonight(store: Store) -> None:
    await run(
        store,
        "UPDATE targets SET province_code = '86'",
        "UPDATE campaigns SET by_phase = true",
    )
    day = date(2021, 4, 1)
    await store.write(phases.put, [NewPhase(Scheme.VN_2021, "86", None, day, day)], "lan", NOW)


def test_what_was_left_out_given_and_assumed_is_said(tstn: Tstn) -> None:
    asyncio.run(_in_store(tstn, _refuse_some))
    told = tstn.json(*ASKED, "--agents", "4", "--answer-rate", "0.5")
    assert (told["ready_targets"], told["left_out"]) == (297, {"opted_out": 2})
    assert (told["rates_given"], told["agents_given"]) == (["answer"], True)
    assert told["rates"]["answer"] == 0.5
    assert told["pace_measured"] is False
    words = tstn(*ASKED, "--agents", "4", "--answer-rate", "0.5")
    for line in (
        "left out, as the gate refuses them: 2 opted out",
        "rates given: answer 0.5",
        "rates assumed (no better is known): key 1 0.1, key 3 0.03, busy 0.1",
        "agents: given; their pace is assumed",
    ):
        assert line in words
    assert "agents: those on duty now" in tstn(*ASKED)


async def _refuse_some(store: Store) -> None:
    asks = [OptOutAsked(number, NOW, f"sms:{number}") for number in numbers(2, first=100)]
    await store.write(consent.opt_out, asks, NOW)


def test_few_agents_slow_the_rehearsal_as_they_would_the_server(tstn: Tstn) -> None:
    rates = ("--answer-rate", "0.9", "--key-1-rate", "0.9", "--busy-rate", "0", "--off-rate", "0")
    few = tstn.json(*ASKED, "--agents", "1", *rates)["present"]
    many = tstn.json(*ASKED, "--agents", "90", *rates)["present"]
    assert many["hours_slowed_by_the_brake"] == 0
    assert many["least_rate_left"] == 1
    assert few["hours_slowed_by_the_brake"] > 0
    assert few["least_rate_left"] < 1
    tstn.environment["TSTN_DIALER_BRAKE_PROMISE"] = "false"
    off = tstn.json(*ASKED, "--agents", "1", *rates)["present"]
    assert off["hours_slowed_by_the_brake"] == 0


def test_a_text_campaign_is_not_rehearsed(tstn: Tstn) -> None:
    asyncio.run(_in_store(tstn, _text_campaign))
    told = tstn.error("rehearse", "--campaign", "texts", "--hours", "1")
    assert "only calls are rehearsed" in told


async def _text_campaign(store: Store) -> None:
    await make_text_campaign(store, numbers(1))
