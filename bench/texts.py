"""The texts' part of the bench: our server beside a bare ESME that stores nothing. I/O."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.texts_process import Role
from bench.texts_rig import Measured, Rig, make_store, registered
from lab.child import LabError
from lab.postgres import Postgres
from lab.smsc.load import FloodReport

_WINDOWS = (10, 100)
_TAKEN = {10: 5_000, 100: 12_000}
_WHOLE = {10: 2_000, 100: 4_000}
_SENT = {10: 4_000, 100: 12_000}
_LATENCY_SECONDS = 0.02
_LATE_SECONDS = 3
_RATE, _SECONDS = 500, 20

_BARE = "bare ESME"

_TAKE = "taken in"
_PATH = "whole path"
_RECEIPTS = "whole, receipts"
_SEND = "sent"
_LATE = f"sent, {_LATENCY_SECONDS * 1000:g} ms"
_TARGETS = {
    (_TAKE, 10): 5_000,
    (_TAKE, 100): 10_000,
    (_PATH, 10): 1_500,
    (_PATH, 100): 1_500,
    (_SEND, 100): 10_000,
    **{(_LATE, window): 0.9 * window / _LATENCY_SECONDS for window in _WINDOWS},
}
_CAPTION = """\
Texts a second; one bind; our process on one core, SMSC on the other, PostgreSQL on either.
taken in: stored and acknowledged, nobody reads. whole path: stored, acknowledged, registered
with its call-back, answered; with receipts: those for the answers come too.
sent: from the outbox until the SMSC has it. CPU: of our process."""

console = Console(width=120)


@dataclass(frozen=True)
class _Side:
    """Who is measured; `make_url` gives a new store, None for the bare ESME."""

    name: str
    make_url: Callable[[], str | None]

    def role(self, ours: Role, bare: Role) -> Role:
        return bare if self.name == _BARE else ours


Figures = dict[tuple[str, int, str], Measured]
"""By what was done, the window, and who did it."""


def bench_texts() -> None:
    """Run and print the texts' part."""
    console.print("bench of texts; an SMSC that sends as fast as its window lets it\n")
    figures: Figures = {}
    latencies: dict[str, FloodReport] = {}
    with Postgres() as postgres, _directory() as directory:
        numbers = iter(range(10**6))

        def sqlite() -> str:
            return make_store(f"sqlite:///{directory}/{next(numbers)}.sqlite")

        def postgresql() -> str:
            return make_store(postgres.create_database(f"texts{next(numbers)}"))

        for side in (
            _Side(_BARE, lambda: None),
            _Side("SQLite", sqlite),
            _Side("PostgreSQL", postgresql),
        ):
            _take_in(directory, side, figures)
            latencies[side.name] = _whole(directory, side, figures)
            _send(directory, side, figures)
    _print_figures(figures)
    _print_latencies(latencies)


def _take_in(directory: Path, side: _Side, figures: Figures) -> None:
    with Rig(directory, side.role(Role.INTAKE, Role.BARE), side.make_url()) as rig:
        for window in _WINDOWS:
            _note(figures, _TAKE, window, side, rig.flood(_TAKEN[window], window)[0])


def _whole(directory: Path, side: _Side, figures: Figures) -> FloodReport:
    role = side.role(Role.WHOLE, Role.BARE_ANSWER)
    for window in _WINDOWS:
        url = side.make_url()
        with Rig(directory, role, url, window=window) as rig:
            _note(figures, _PATH, window, side, rig.flood(_WHOLE[window], window, answers=True)[0])
            if window == _WINDOWS[-1]:
                rig.control.set_faults(receipts=True)
                measured, _ = rig.flood(_WHOLE[window], window, answers=True)
                _note(figures, _RECEIPTS, window, side, measured)
                _, report = rig.flood(_RATE * _SECONDS, window, answers=True, rate=_RATE)
            if url is not None and registered(url) != rig.flooded:
                raise LabError(f"{registered(url)} of {rig.flooded} texts are registered")
    return report


def _send(directory: Path, side: _Side, figures: Figures) -> None:
    url = side.make_url()
    for window in _WINDOWS:
        late = round(window / _LATENCY_SECONDS * _LATE_SECONDS)
        for what, count, seconds in (
            (_SEND, _SENT[window], 0.0),
            (_LATE, late, _LATENCY_SECONDS),
        ):
            role = side.role(Role.WHOLE, Role.BARE)
            with Rig(directory, role, url, window=window, count=count) as rig:
                _note(figures, what, window, side, rig.send(count, seconds))


def _note(figures: Figures, what: str, window: int, side: _Side, measured: Measured) -> None:
    figures[what, window, side.name] = measured
    console.print(f"  {side.name}: {what}, window {window}: {measured.rate:,.0f}/s")


def _print_figures(figures: Figures) -> None:
    table = Table(
        *("texts/s", "window", "", "per second", "ratio to bare", "target", "of target"),
        *("of window / latency", "our ms CPU/text"),
        caption=_CAPTION,
        caption_justify="left",
    )
    for what, window in dict.fromkeys((what, window) for what, window, _ in figures):
        table.add_section()
        sides = {side: row for (*done, side), row in figures.items() if done == [what, window]}
        for side, measured in sides.items():
            rate, target = measured.rate, _TARGETS.get((what, window))
            table.add_row(
                *((what, str(window)) if side == _BARE else ("", "")),
                *(side, f"{rate:,.0f}", f"{rate / sides[_BARE].rate:.2f}"),
                *((f"{target:,.0f}", f"{rate / target:.0%}") if target else ("-", "-")),
                f"{rate * _LATENCY_SECONDS / window:.0%}" if what == _LATE else "-",
                f"{measured.cpu_ms:.3f}",
            )
    console.print(table)


def _print_latencies(latencies: dict[str, FloodReport]) -> None:
    table = Table(
        *(f"at {_RATE} texts/s, {_SECONDS} s, with receipts", "answered"),
        *("acknowledged p50/p99 ms", "answered p50/p99 ms", "p99 target ms"),
    )
    for name, report in latencies.items():
        table.add_row(
            *(name, f"{report.answered}/{report.count}"),
            f"{report.ack_p50_ms:.0f} / {report.ack_p99_ms:.0f}",
            f"{report.answer_p50_ms:.0f} / {report.answer_p99_ms:.0f}",
            "1,000",
        )
    console.print(table)


@contextmanager
def _directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="tstn-bench-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
