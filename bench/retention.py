"""The claim and key 1 while retention runs beside them, on a million old calls. I/O."""

import asyncio
import tempfile
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, text

from bench.claims import fill, one_claim, write_back
from dialer.retention import Retention
from domain.clock import utc_now
from domain.deadlines import DEFAULT_TARGET_TIME
from domain.states import Channel
from lab.postgres import Postgres
from store import campaigns
from store.apply import apply
from store.engine import Store, open_store
from store.facts import RegistrationAsked
from store.migrate import migrate
from store.overdue import Periods

_OLD = 1_000_000
_READY = 100_000
_BLOCKS, _TURNS = 5, 100
_EVERY_SECONDS = 0.1
_STEP = 50_000
_NUMBERS = {
    "sqlite": "WITH RECURSIVE n(n) AS "
    "(SELECT :first UNION ALL SELECT n + 1 FROM n WHERE n < :last)",
    "postgresql": "WITH n AS "
    "(SELECT generate_series(CAST(:first AS integer), CAST(:last AS integer)) AS n)",
}
_OLD_TARGETS = """
INSERT INTO targets (campaign_id, msisdn, attributes, not_before, state, attempts_made, outcome)
{numbers}
SELECT :campaign, '+848' || substr(CAST(100000000 + n AS text), 2), '{{"name": "Lan"}}', :at,
  'done', 1, 'busy' FROM n
"""
_OLD_ATTEMPTS = """
INSERT INTO attempts (id, campaign_id, target_id, msisdn, node, trunk, script_version, started_at,
  ring_timeout_seconds, deadline_at, state, ended_at, disposition, adoptions, settled_at)
SELECT {uuid}, campaign_id, id, msisdn, 'bench', 'carrier', 'vi-1', :at, 30, :at, 'ended', :at,
  'busy', 0, :at FROM targets WHERE id > :after AND campaign_id = :campaign
"""
_UUID = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "gen_random_uuid()"}
_LAST = "SELECT max(id) FROM targets"


@dataclass(frozen=True)
class Times:
    """Milliseconds, commits included."""

    claim_p50: float
    claim_p99: float
    key_1_p50: float
    key_1_p99: float


@dataclass(frozen=True)
class Beside:
    """The same work without retention and with it; how fast that is."""

    alone: Times
    beside: Times
    rows: int
    seconds: float


@dataclass
class _Took:
    """Seconds of each claim and key 1, and of all the turns."""

    claims: list[float] = field(default_factory=list)
    keys: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def times(self) -> Times:
        return Times(*_ms(self.claims), *_ms(self.keys))


def bench_retention() -> None:
    """Run and print."""
    console = Console(width=120)
    console.print(f"bench of retention: {_OLD:,} targets and {_OLD:,} calls that are overdue\n")
    with tempfile.TemporaryDirectory(prefix="tstn-bench-") as here, Postgres() as postgres:
        for url in (f"sqlite:///{Path(here)}/store.sqlite", postgres.create_database("retention")):
            found = asyncio.run(_beside(url))
            shown = Table(
                *(url.partition(":")[0], "claim of 50, p50/p99 ms", "key 1 to commit, p50/p99 ms"),
                *("rows taken out", "rows/s"),
            )
            rate = f"{found.rows / found.seconds:,.0f}"
            shown.add_row("alone", *_cells(found.alone), "", "")
            shown.add_row("beside it", *_cells(found.beside), f"{found.rows:,}", rate)
            console.print(shown)


def _cells(times: Times) -> tuple[str, str]:
    return (
        f"{times.claim_p50:.1f} / {times.claim_p99:.1f}",
        f"{times.key_1_p50:.1f} / {times.key_1_p99:.1f}",
    )


async def _beside(url: str) -> Beside:
    store = open_store(url)
    await migrate(store)
    campaign_id = await fill(store, _READY)
    old = await store.write(_old_campaign)
    for first in range(0, _OLD, _STEP):
        await store.write(_add_old, old, first)
    await write_back(url)
    periods = Periods(timedelta(days=365), timedelta(days=730))
    job = Retention(store, periods, "", utc_now)
    alone, beside = _Took(), _Took()
    # By turns, so that what else the box does falls on both; a run that is cut off goes on later.
    for _ in range(_BLOCKS):
        await _work(store, campaign_id, alone)
        taking = asyncio.create_task(job.run("bench"))
        await _work(store, campaign_id, beside)
        taking.cancel()
        await asyncio.wait([taking])
    rows = await store.read(_taken)
    await store.close()
    return Beside(alone.times(), beside.times(), rows, beside.seconds)


async def _work(store: Store, campaign_id: int, took: _Took) -> None:
    """What a dialling server asks for: a claim ten times a second, and a key 1 beside each."""
    started = time.perf_counter()
    for _ in range(_TURNS):
        began = time.perf_counter()
        claim, key = await asyncio.gather(one_claim(store, campaign_id), _key_1(store))
        took.claims.append(claim)
        took.keys.append(key)
        await asyncio.sleep(max(0.0, _EVERY_SECONDS - (time.perf_counter() - began)))
    took.seconds += time.perf_counter() - started


def _ms(took: list[float]) -> tuple[float, float]:
    took = sorted(took)
    return took[len(took) // 2] * 1000, took[int(len(took) * 0.99)] * 1000


async def _key_1(store: Store) -> float:
    source = str(uuid4())
    msisdn = f"+847{int(source[:7], 16) % 100_000_000:08d}"
    asked = RegistrationAsked(Channel.IVR, source, msisdn, None, {"key": "1"}, utc_now())
    began = time.perf_counter()
    await store.write(apply, [asked], DEFAULT_TARGET_TIME)
    return time.perf_counter() - began


def _old_campaign(connection: Connection) -> int:
    """A campaign like the running one."""
    running = campaigns.by_name(connection, "bench")
    alike = (
        *("purpose", "script_version", "cps", "max_channels", "max_attempts"),
        *("ring_timeout_seconds", "retry", "windows", "call_on_holidays"),
    )
    values = {name: getattr(running, name) for name in alike}
    return campaigns.create(connection, {**values, "name": "old"}, utc_now()).id


def _add_old(connection: Connection, campaign: int, first: int) -> None:
    """Numbers that were called more than a year ago."""
    dialect = connection.dialect.name
    before = utc_now() - timedelta(days=400)
    at: object = before.strftime("%Y-%m-%d %H:%M:%S.%f") if dialect == "sqlite" else before
    after = connection.execute(text(_LAST)).scalar_one()
    same = {"campaign": campaign, "at": at}
    targets = text(_OLD_TARGETS.format(numbers=_NUMBERS[dialect]))
    connection.execute(targets, {**same, "first": first, "last": first + _STEP - 1})
    connection.execute(text(_OLD_ATTEMPTS.format(uuid=_UUID[dialect])), {**same, "after": after})


_COUNT = "SELECT count(*) FROM attempts WHERE msisdn LIKE '#%'"


def _taken(connection: Connection) -> int:
    """Targets and their calls."""
    return 2 * int(connection.execute(text(_COUNT)).scalar_one())
