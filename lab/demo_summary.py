"""The demo's figures: while it runs, at its end, and as var/demo/summary.json. Pure.

Times are ISO 8601 in UTC, waits in milliseconds, everything else is counted in numbers or keys.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, TypedDict

from domain.dispositions import Disposition
from domain.states import AttemptState, CallbackKind, CallbackState
from lab.demo_texts_summary import TextsSummary, summarise_texts
from lab.demo_texts_verdict import TextJudged, TextRecords
from lab.demo_verdict import Judged, Records, Row

MENU_KEYS = "123"
_KINDS = [str(kind) for kind in CallbackKind]


@dataclass(frozen=True)
class Counts:
    """A campaign so far. `keys` are presses of 1, 2, 3 and `other`."""

    called: int
    live: int
    answered: int
    keys: Mapping[str, int]
    registrations: int
    dispositions: Mapping[str, int]

    @property
    def asr(self) -> float:
        """The answer-seizure ratio, 0…1, of the calls that were answered or have ended."""
        decided = sum(self.dispositions.values())
        ended_unanswered = decided - self.dispositions.get(Disposition.ANSWERED, 0)
        return self.answered / max(1, self.answered + ended_unanswered)


class Due(TypedDict):
    """Call-backs of one kind that are due on the same evening.

    `target_at` is 21:00 of the day after the request, the promises are the request + 48 hours.
    """

    kind: str
    count: int
    target_at: str
    first_promise_at: str
    last_promise_at: str


class NumberSummary(TypedDict):
    """One number: the fields of lab.demo_verdict.Outcome as demanded and as seen."""

    msisdn: str
    behaviour: str
    demanded: dict[str, Any]
    seen: dict[str, Any]


class Summary(TypedDict):
    """The fields of var/demo/summary.json.

    Attributes:
        ok: the outcome of every number is as demanded, and the import was too: exit status 0.
        started_at: when the campaign was started; `seconds`: from there to its finish.
        finished: whether it finished by itself, False where the deadline came first.
        rows, rejected: rows of the audience file, and how many of them its import refused.
        called, answered, registrations, dispositions: numbers; registrations by key only.
        asr: answer-seizure ratio, 0…1.
        keys: presses of 1, 2, 3 and other.
        callbacks: those open at the end, by kind and evening, of keys and of texts.
        key_1_to_committed, key_1_to_thanks: what `tstn health` says: count, p50_ms, p99_ms, max_ms.
        carrier: INVITEs that reached the carrier, calls its subscribers answered.
        behaviours: how many numbers of each, by the name in lab/behaviours.py.
        problems: one line each of what is wrong, none where `ok`.
        mismatches: what differs: msisdn, behaviour, what (a field of Outcome or TextOutcome),
            demanded, seen.
        numbers: each number with what was demanded and what was seen.
        texts: what subscribers texted meanwhile.
    """

    ok: bool
    started_at: str
    seconds: float
    finished: bool
    rows: int
    rejected: int
    called: int
    answered: int
    asr: float
    keys: dict[str, int]
    registrations: int
    dispositions: dict[str, int]
    callbacks: list[Due]
    key_1_to_committed: dict[str, float]
    key_1_to_thanks: dict[str, float]
    carrier: dict[str, int]
    behaviours: dict[str, int]
    problems: list[str]
    mismatches: list[dict[str, Any]]
    numbers: list[NumberSummary]
    texts: TextsSummary


@dataclass(frozen=True)
class Run:
    """What is known of a run beside its records.

    `good_rows` and `bad_rows` were in the audience file, `rejected` of them were refused; `health`
    is the last answer of /health, empty where none came; `exit_status` is that of the server;
    `settled`: no text waited any more at the end.
    """

    started_at: datetime
    seconds: float
    finished: bool
    good_rows: int
    bad_rows: int
    rejected: int
    health: Mapping[str, Any]
    exit_status: int | None
    settled: bool


def count(attempts: Sequence[Row], registrations: Sequence[Row]) -> Counts:
    """Count the lines of `tstn export attempts` and `registrations`."""
    keys = Counter(
        press["key"] if press["key"] in MENU_KEYS else "other"
        for attempt in attempts
        for press in attempt["keys"]
    )
    dispositions = Counter(row["disposition"] for row in attempts if row["disposition"])
    return Counts(
        called=len({row["msisdn"] for row in attempts}),
        live=sum(row["state"] != AttemptState.ENDED for row in attempts),
        answered=sum(row["answered_at"] is not None for row in attempts),
        keys={key: keys[key] for key in (*MENU_KEYS, "other")},
        registrations=len(registrations),
        dispositions=dict(dispositions.most_common()),
    )


def due(callbacks: Sequence[Row]) -> list[Due]:
    """Group the lines of `tstn export callbacks` by evening and kind, the next evening first."""
    groups: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for row in callbacks:
        groups[row["target_at"], row["kind"]].append(row["promise_at"])
    return [
        Due(
            kind=kind,
            count=len(promises),
            target_at=target,
            first_promise_at=min(promises),
            last_promise_at=max(promises),
        )
        for (target, kind), promises in sorted(
            groups.items(), key=lambda group: (group[0][0], _KINDS.index(group[0][1]))
        )
    ]


def summarise(
    run: Run,
    records: Records,
    judged: Sequence[Judged],
    texts: TextRecords,
    judged_texts: Sequence[TextJudged],
) -> Summary:
    """Put together what stands in summary.json."""
    counts = count(records.attempts, records.registrations)
    problems = list(_problems(run))
    mismatches = [
        *(each for one in judged for each in one.mismatches),
        *(each for one in judged_texts for each in one.mismatches),
    ]
    events = Counter(event.event for event in records.carrier)
    return Summary(
        ok=not problems and not mismatches,
        started_at=run.started_at.isoformat(),
        seconds=round(run.seconds, 1),
        finished=run.finished,
        rows=run.good_rows + run.bad_rows,
        rejected=run.rejected,
        called=counts.called,
        answered=counts.answered,
        asr=round(counts.asr, 3),
        keys=dict(counts.keys),
        registrations=counts.registrations,
        dispositions=dict(counts.dispositions),
        callbacks=due([row for row in texts.callbacks if row["state"] == CallbackState.OPEN]),
        key_1_to_committed=run.health.get("key_1_to_committed", {}),
        key_1_to_thanks=run.health.get("key_1_to_thanks", {}),
        carrier={"invites": events["invite"], "answered": events["answer"]},
        behaviours=dict(Counter(one.behaviour for one in judged)),
        problems=problems,
        mismatches=[asdict(mismatch) for mismatch in mismatches],
        numbers=[_number(one) for one in judged],
        texts=summarise_texts(texts, judged_texts),
    )


def _problems(run: Run) -> Iterator[str]:
    """What is wrong with the run itself, a line each."""
    if not run.finished:
        calls = f"{run.health['calls']} calls live" if run.health else "/health gave no answer"
        why = [calls, *run.health.get("why_idle", {}).values()]
        yield f"not finished after {run.seconds:.0f} s: {'; '.join(why)}"
    if not run.settled:
        yield "texts still wait to be read, answered or delivered"
    if run.rejected != run.bad_rows:
        yield f"{run.rejected} rows of the audience were refused, {run.bad_rows} are bad"
    if run.exit_status != 0:
        yield f"`tstn serve` ended with exit status {run.exit_status}"


def _number(one: Judged) -> NumberSummary:
    return NumberSummary(
        msisdn=one.msisdn,
        behaviour=one.behaviour,
        demanded=asdict(one.demanded),
        seen=asdict(one.seen),
    )
