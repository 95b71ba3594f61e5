"""What the demo shows: calls and texts while they run, and the closing table. I/O."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from domain.clock import to_local
from domain.msisdn import display
from lab.demo_summary import Counts, Due, Summary
from lab.demo_texts_summary import TextCounts, TextsSummary

PLAIN_SECONDS = 10
_BAR_WIDTH = 50
_MISMATCHES_SHOWN = 20


class Show(Protocol):
    """Shows how the campaign and the texts stand after so many seconds."""

    def __call__(self, counts: Counts, texts: TextCounts, seconds: float) -> None: ...


@contextmanager
def progress(console: Console, total: int) -> Iterator[Show]:
    """A table that is redrawn on a terminal; elsewhere a line every PLAIN_SECONDS."""
    if not console.is_terminal:
        yield _Lines(console, total)
        return
    with Live(console=console, transient=True) as live:
        yield lambda counts, texts, seconds: live.update(_picture(counts, texts, total, seconds))


class _Lines:
    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._next = 0.0

    def __call__(self, counts: Counts, texts: TextCounts, seconds: float) -> None:
        if seconds < self._next:
            return
        self._next = seconds + PLAIN_SECONDS
        calls, of_texts = (
            ", ".join(f"{name} {value}" for name, value in figures)
            for figures in (_figures(counts), _text_figures(texts))
        )
        self._console.print(
            f"{_clock(seconds)}  {calls} (of {self._total}); {of_texts}",
            highlight=False,
            soft_wrap=True,
        )


def _picture(counts: Counts, texts: TextCounts, total: int, seconds: float) -> RenderableType:
    ended = counts.called - counts.live
    head = Table.grid(padding=(0, 1))
    bar = ProgressBar(total=total, completed=ended, width=_BAR_WIDTH)
    head.add_row(_clock(seconds), bar, f"{ended} of {total} ended")
    return Group(head, _line(_figures(counts)), _line(_text_figures(texts)))


def _line(figures: Sequence[tuple[str, str]]) -> Table:
    made = Table(box=None, header_style="dim", padding=(0, 1))
    for name, _ in figures:
        made.add_column(name, justify="right")
    made.add_row(*(value for _, value in figures))
    return made


def _figures(counts: Counts) -> list[tuple[str, str]]:
    return [
        ("called", str(counts.called)),
        ("live", str(counts.live)),
        ("answered", str(counts.answered)),
        ("ASR", f"{counts.asr:.0%}"),
        *((f"key {key}" if key.isdigit() else key, str(n)) for key, n in counts.keys.items()),
        ("registrations", str(counts.registrations)),
    ]


def _text_figures(texts: TextCounts) -> list[tuple[str, str]]:
    return [
        ("texts", str(texts.received)),
        ("answered", str(texts.answered)),
        ("registrations by text", str(texts.registered)),
        ("refused", str(texts.refused)),
        ("delivered", str(texts.delivered)),
    ]


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def closing_table(summary: Summary) -> Table:
    """What came of the campaign, in local time."""
    made = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    made.add_column(style="bold")
    made.add_column(justify="right")
    made.add_column()
    for row in _closing_rows(summary):
        made.add_row(*row)
    return made


def mismatch_table(summary: Summary) -> Table:
    """What is not as demanded, as far as it fits."""
    made = Table("number", "behaviour", "what", "demanded", "seen", box=None)
    for mismatch in summary["mismatches"][:_MISMATCHES_SHOWN]:
        made.add_row(
            _who(mismatch["msisdn"]),
            *(str(mismatch[name]) for name in ("behaviour", "what", "demanded", "seen")),
        )
    return made


def _who(sender: str) -> str:
    return display(sender) if sender.startswith("+84") else sender


def _closing_rows(summary: Summary) -> Iterator[tuple[str, str, str]]:
    invites = summary["carrier"]["invites"]
    yield "called", str(summary["called"]), f"{invites} INVITEs by the carrier's log"
    yield "answered", str(summary["answered"]), f"ASR {summary['asr']:.1%}"
    for word, number in summary["dispositions"].items():
        if word != "answered":
            yield "", str(number), word.replace("_", " ")
    for key, number in summary["keys"].items():
        yield f"key {key}" if key.isdigit() else "other keys", str(number), ""
    yield "registrations", str(summary["registrations"]), "by key 1"
    yield from _text_rows(summary["texts"])
    for group in summary["callbacks"]:
        yield f"{group['kind']} call-backs", str(group["count"]), _deadlines(group)
    yield "key 1 → committed", "", _waits(summary["key_1_to_committed"])
    yield "key 1 → thank-you", "", _waits(summary["key_1_to_thanks"])
    texts = summary["texts"]
    yield "text → acknowledged", "", _waits(texts["to_acknowledged"])
    yield "text → answered", "", _waits(texts["to_answered"])
    wrong = {(each["msisdn"], each["behaviour"]) for each in summary["mismatches"]}
    called = {(each["msisdn"], each["behaviour"]) for each in summary["numbers"]}
    texted = {(each["sender"], each["name"]) for each in texts["texters"]}
    yield "calls as demanded", str(len(called - wrong)), f"of {len(called)} numbers"
    yield "texts as demanded", str(len(texted - wrong)), f"of {len(texted)} senders"


def _text_rows(texts: TextsSummary) -> Iterator[tuple[str, str, str]]:
    again = f"{texts['pdus']} PDUs, {texts['again']} of them delivered again by the SMSC"
    replies = ", ".join(f"{kind.replace('_', ' ')} {n}" for kind, n in texts["replies"].items())
    yield "texts received", str(texts["received"]), again
    yield "registered by text", str(texts["registered"]), ""
    yield "texts answered", str(texts["answered"]), replies
    yield "", str(texts["refused"]), "of them refused: syntax, not in the audience"
    yield "", str(texts["silent"]), "left unanswered"
    yield "replies delivered", str(texts["delivered"]), "by the SMSC's receipts"


def _deadlines(group: Due) -> str:
    target = _local(group["target_at"])
    first, last = _local(group["first_promise_at"]), _local(group["last_promise_at"])
    return f"n+1 {target:%d/%m %H:%M}, 48 h {first:%d/%m %H:%M:%S} to {last:%H:%M:%S}"


def _waits(waits: dict[str, float]) -> str:
    if not waits.get("count"):
        return "not measured"
    return f"median {waits['p50_ms']:g} ms, p99 {waits['p99_ms']:g} ms, of {waits['count']:g}"


def _local(text: str) -> datetime:
    return to_local(datetime.fromisoformat(text))
