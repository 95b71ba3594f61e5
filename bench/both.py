"""Texts while calls run: one server with both, as in production. I/O."""

import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.our_server import our_server
from bench.trial import Trial
from lab.postgres import Postgres
from lab.smsc.account_file import write_account_file
from lab.smsc.load import FIRST_SOURCE, FloodReport
from lab.smsc.process import SmscProcess

_CALLS, _TEXTS, _SECONDS = 10.0, 500, 20
_WINDOW = 100
_FIRST_TEXTER = 1_000_000
"""Beyond the numbers that are called."""

console = Console(width=120)


def bench_both() -> None:
    """Run and print."""
    console.print(f"bench of both: {_CALLS:g} calls/s and {_TEXTS} texts/s for {_SECONDS} s\n")
    with Postgres() as postgres:
        sides = {"SQLite": None, "PostgreSQL": postgres.create_database("both")}
        figures = {name: _tried(name, url) for name, url in sides.items()}
    table = Table(
        *("", "calls done", "texts answered", "acknowledged p50/p99 ms", "answered p50/p99 ms"),
        *("p99 target ms", "key 1 → committed p50/p99 ms"),
    )
    for name, (trial, report) in figures.items():
        keys = trial.latencies["key_1_to_committed"]
        table.add_row(
            *(name, f"{trial.done}/{trial.offered}", f"{report.answered}/{report.count}"),
            f"{report.ack_p50_ms:.0f} / {report.ack_p99_ms:.0f}",
            f"{report.answer_p50_ms:.0f} / {report.answer_p99_ms:.0f}",
            *("1,000", f"{keys['p50_ms']:.0f} / {keys['p99_ms']:.0f}"),
        )
    console.print(table)


def _tried(name: str, store_url: str | None) -> tuple[Trial, FloodReport]:
    count = _TEXTS * _SECONDS
    reports: list[FloodReport] = []
    with tempfile.TemporaryDirectory(prefix="tstn-bench-") as made:
        directory = Path(made)
        account = directory / "smsc.toml"
        with SmscProcess(directory / "smsc", window=_WINDOW, keeps_journal=False) as smsc:
            write_account_file(account, smsc, _WINDOW)

            def flood() -> None:
                first = FIRST_SOURCE + _FIRST_TEXTER
                options = {"window": _WINDOW, "with_answers": True, "rate": float(_TEXTS)}
                report = smsc.control.flood(count, first_source=first, seconds=120.0, **options)
                reports.append(report)

            trial = our_server(
                directory,
                name,
                _CALLS,
                _SECONDS,
                store_url,
                more={"sms": {"smsc_file": str(account)}},
                texters=range(_FIRST_TEXTER, _FIRST_TEXTER + count),
                meanwhile=flood,
            )
    return trial, reports[0]
