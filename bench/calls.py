"""The calls' part of the bench: our server beside a plain dialplan IVR, on this box. I/O.

Prints calls a second held without loss, CPU per call, and what a subscriber waits for after key 1.
Figures depend on the box and on what else runs there: compare the ratios.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.our_server import our_server
from bench.plain_ivr import plain_ivr
from bench.trial import Trial, in_the_middle
from lab.postgres import Postgres

_RATES = (50, 60, 70, 80, 90, 100)
_SECONDS = 12
_COMPARED_AT, _COMPARED_TIMES = 50.0, 3
_BEYOND = 150.0
"""More than two cores can do: who takes every call that is offered loses some of them."""

Run = Callable[[Path, float], Trial]

console = Console(width=120)


def bench_calls() -> None:
    """Run and print the calls' part."""
    console.print(f"bench on {os.cpu_count()} cores; calls of about 5 s, each presses key 1\n")
    with Postgres() as postgres:
        numbers = iter(range(10**6))

        def sqlite(directory: Path, rate: float) -> Trial:
            return our_server(directory, "ours, SQLite", rate, _SECONDS, None)

        def postgresql(directory: Path, rate: float) -> Trial:
            url = postgres.create_database(f"bench{next(numbers)}")
            return our_server(directory, "ours, PostgreSQL", rate, _SECONDS, url)

        def by_agi(directory: Path, rate: float) -> Trial:
            return our_server(directory, "ours by AGI, SQLite", rate, _SECONDS, None, "agi")

        def plain(directory: Path, rate: float) -> Trial:
            return plain_ivr(directory, rate, _SECONDS)

        baseline = _highest_held(plain, _RATES)
        wanted = tuple(round(baseline.rate * share, 1) for share in (0.9, 0.95, 1.0))
        all_ours = (sqlite, postgresql, by_agi)
        _print_held([baseline, *(_highest_held(run, wanted) for run in all_ours)])
        _print_beyond([_tried(run, _BEYOND) for run in (plain, *all_ours)])
        # In turn, for a box may be quicker now than a minute later.
        rounds = [
            [_tried(run, _COMPARED_AT) for run in (plain, *all_ours)]
            for _ in range(_COMPARED_TIMES)
        ]
        _print_compared([in_the_middle(of_one) for of_one in zip(*rounds, strict=True)])


def _highest_held(run: Run, rates: tuple[float, ...]) -> Trial:
    """Raise the rate until calls are lost; the last trial without loss (or the first one)."""
    best: Trial | None = None
    for rate in rates:
        trial = _tried(run, rate)
        console.print(
            f"  {trial.name} at {rate:g}/s: {trial.done}/{trial.offered},"
            f" {trial.started_per_second:.1f} started/s, {_verdict(trial)}"
        )
        if best is not None and not trial.holds:
            break
        best = trial
    assert best is not None  # noqa: S101
    return best


def _verdict(trial: Trial) -> str:
    if trial.holds:
        return "held"
    return f"lost {trial.lost}" if trial.lost else "none lost, rate not kept"


def _tried(run: Run, rate: float) -> Trial:
    with _directory() as directory:
        return run(directory, rate)


@contextmanager
def _directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="tstn-bench-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _print_held(trials: list[Trial]) -> None:
    table = Table("calls/s held without loss", "rate", "ratio to plain", title_justify="left")
    for trial in trials:
        rate = f"{trial.rate:g}" if trial.holds else f"below {trial.rate:g}"
        table.add_row(trial.name, rate, f"{trial.rate / trials[0].rate:.2f}")
    console.print(table)


def _print_beyond(trials: list[Trial]) -> None:
    table = Table(f"offered {_BEYOND:g} calls/s", "done", "lost", "started/s", "done/s, to plain")
    for trial in trials:
        table.add_row(
            *(trial.name, f"{trial.done}/{trial.offered}", f"{trial.lost}"),
            f"{trial.started_per_second:.1f}",
            f"{trial.done_per_second / trials[0].done_per_second:.2f}",
        )
    console.print(table)


def _print_compared(trials: list[Trial]) -> None:
    table = Table(
        *(
            f"at {_COMPARED_AT:g} calls/s, median of {_COMPARED_TIMES}",
            "done",
            "Asterisk ms CPU/call",
            "ratio to plain",
        ),
        *("our ms CPU/call", "key 1 → committed p50/p99 ms", "key 1 → thanks p50/p99 ms"),
    )
    for trial in trials:
        table.add_row(
            *(trial.name, f"{trial.done}/{trial.offered}", f"{trial.asterisk_ms:.1f}"),
            f"{trial.asterisk_ms / trials[0].asterisk_ms:.2f}",
            f"{trial.ours_ms:.1f}" if trial.latencies else "-",
            *(_waits(trial, key) for key in ("key_1_to_committed", "key_1_to_thanks")),
        )
    console.print(table)


def _waits(trial: Trial, key: str) -> str:
    waits = trial.latencies.get(key)
    return f"{waits['p50_ms']:.0f} / {waits['p99_ms']:.0f}" if waits else "-"
