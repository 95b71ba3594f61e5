"""How long the claim of the next fifty targets takes, with few and with many targets. I/O."""

import sqlite3
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

import asyncpg  # type: ignore[import-untyped]
import uvloop
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, text

from domain.clock import utc_now
from domain.dispositions import Disposition
from domain.states import CampaignState
from lab.postgres import Postgres
from store import attempts, campaigns
from store.claims import Claimed, ClaimOrder, claim
from store.engine import Store, open_store
from store.facts import AttemptEnded
from store.locks import lock_claims
from store.migrate import migrate
from store.settlement import Verdict, settle

CLAIMED_AT_ONCE = 50
_TARGET_MS = 10.0
_SIZES = {
    "sqlite": (10_000, 1_000_000),
    "postgresql": (10_000, 1_000_000, 10_000_000),
}
_FILLED_AT_ONCE = 100_000
_NO_VARIANTS: Mapping[str, int] = MappingProxyType({})
_ROUNDS = 150
_WARM_UP = 10
_INSERT = """
INSERT INTO targets (campaign_id, msisdn, attributes, not_before, state, attempts_made)
WITH RECURSIVE n(n) AS (
    SELECT CAST(:first AS integer) UNION ALL SELECT n + 1 FROM n WHERE n < CAST(:last AS integer)
)
SELECT :campaign, {msisdn}, '{{}}', :now, 'ready', 0 FROM n
"""
_MSISDN = {
    "sqlite": "'+849' || substr('0000000' || n, -8)",
    "postgresql": "'+849' || lpad(n::text, 8, '0')",
}


@dataclass(frozen=True)
class ClaimTimes:
    """Milliseconds of one claim, commit included."""

    database: str
    targets: int
    p50_ms: float
    p99_ms: float


def bench_claims() -> None:
    """Run and print."""
    console = Console(width=120)
    console.print(f"bench of claims: {CLAIMED_AT_ONCE} targets at once, commit included\n")
    table = Table(
        *("", "targets", "p50 ms", "p99 ms", "target p99 ms", "p99 ratio to the fewest targets")
    )
    with tempfile.TemporaryDirectory(prefix="tstn-bench-") as directory, Postgres() as postgres:
        for database, sizes in _SIZES.items():
            few: ClaimTimes | None = None
            for targets in sizes:
                name = f"claims{targets}"
                url = f"sqlite:///{directory}/{name}.sqlite"
                if database == "postgresql":
                    url = postgres.create_database(name)
                times = uvloop.run(claim_times(url, targets))
                few = few or times
                table.add_row(
                    *(database, f"{targets:,}", f"{times.p50_ms:.1f}", f"{times.p99_ms:.1f}"),
                    *(f"{_TARGET_MS:g}", f"{times.p99_ms / few.p99_ms:.2f}"),
                )
    console.print(table)


async def claim_times(url: str, targets: int) -> ClaimTimes:
    """Fill a new database with `targets` ready numbers and time the claims."""
    store = open_store(url)
    await migrate(store)
    campaign_id = await fill(store, targets)
    await write_back(url)
    took = sorted([await one_claim(store, campaign_id) for _ in range(_ROUNDS)][_WARM_UP:])
    await store.close()
    return ClaimTimes(
        url.partition(":")[0],
        targets,
        p50_ms=took[len(took) // 2] * 1000,
        p99_ms=took[int(len(took) * 0.99)] * 1000,
    )


async def write_back(url: str) -> None:
    """Let the database finish the load: what it still writes is not what a claim costs."""
    if url.startswith("postgresql"):
        connection = await asyncpg.connect(url)
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
        await connection.close()
    else:
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            file.execute("ANALYZE targets")
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")


async def one_claim(store: Store, campaign_id: int) -> float:
    """Seconds of one claim, commit included; its calls are ended after it."""
    order = ClaimOrder(
        campaign_id=campaign_id,
        limit=CLAIMED_AT_ONCE,
        now=utc_now(),
        ring_timeout_seconds=30,
        max_call_seconds=180,
        node="bench",
        trunk="carrier",
        script_version="vi-1",
    )
    began = time.perf_counter()
    claimed = await store.write(_claim, order)
    took = time.perf_counter() - began
    if len(claimed) != CLAIMED_AT_ONCE:
        raise AssertionError(f"claimed {len(claimed)} targets instead of {CLAIMED_AT_ONCE}")
    await store.write(_finish, claimed, utc_now())
    return took


def _claim(connection: Connection, order: ClaimOrder) -> list[Claimed]:
    """What the engine does in one transaction."""
    lock_claims(connection)
    attempts.open_channels(connection)
    return claim(connection, order)


def _finish(connection: Connection, claimed: Sequence[Claimed], now: datetime) -> None:
    """End the calls, so that as few are open as with a real server."""
    answered = Disposition.ANSWERED
    ends = [
        AttemptEnded(c.attempt_id, c.msisdn, c.campaign_id, answered, 16, None, None, now, now)
        for c in claimed
    ]
    attempts.record_ended(connection, ends)
    verdicts = [Verdict(c.attempt_id, c.target_id, answered, 1, None) for c in claimed]
    settle(connection, verdicts, now)


async def fill(store: Store, targets: int) -> int:
    """Make a running campaign of the numbers from +84900000000 on, due now; give its id."""
    campaign_id = await store.write(running_campaign)
    for first in range(0, targets, _FILLED_AT_ONCE):
        last = min(first + _FILLED_AT_ONCE, targets) - 1
        await store.write(_add_targets, campaign_id, first, last)
    return campaign_id


def running_campaign(connection: Connection, variants: Mapping[str, int] = _NO_VARIANTS) -> int:
    """One that may call at any hour; gives its id."""
    now = utc_now()
    values = {
        "name": "bench",
        "purpose": "customer_care",
        "script_version": "vi-1",
        "cps": 100.0,
        "max_channels": 1000,
        "ring_timeout_seconds": 30,
        "max_attempts": 1,
        "retry": {},
        "windows": ["00:00-24:00"],
        "call_on_holidays": True,
        "variants": dict(variants),
    }
    campaign = campaigns.create(connection, values, now)
    campaigns.move(connection, campaign, CampaignState.RUNNING, now)
    return campaign.id


def _add_targets(connection: Connection, campaign_id: int, first: int, last: int) -> None:
    dialect, now = connection.dialect.name, utc_now()
    insert = _INSERT.format(msisdn=_MSISDN[dialect])
    moment: object = now.strftime("%Y-%m-%d %H:%M:%S.%f") if dialect == "sqlite" else now
    given = {"campaign": campaign_id, "now": moment, "first": first, "last": last}
    connection.execute(text(insert), given)
