"""Load: texts at a rate, or as fast as the window lets them out, and what became of them."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from time import monotonic
from typing import Any

from lab.smsc.codec import ROK
from lab.smsc.records import Delivery, now
from lab.smsc.server import Smsc
from lab.smsc.subscribers import MO

FIRST_SOURCE = 84900000000
TICK_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class FloodReport:
    """What a flood came to. Seconds count from its first deliver_sm; rates leave no idle out."""

    count: int
    acked: int  # with status 0
    answered: int  # subscribers who were sent at least one text
    seconds: float  # to the last acknowledgement
    answer_seconds: float  # to the last first text; 0.0 where nobody was sent one
    sent_again: int
    acked_per_second: list[int]  # in each second
    answered_per_second: list[int]
    ack_p50_ms: float  # from the first deliver_sm of an MO to its answer
    ack_p99_ms: float
    answer_p50_ms: float  # from that deliver_sm to the first text to its sender
    answer_p99_ms: float

    @property
    def rate(self) -> float:
        """Acknowledged a second."""
        return self.acked / self.seconds if self.seconds else 0.0

    @property
    def answer_rate(self) -> float:
        """Answered a second."""
        return self.answered / self.answer_seconds if self.answer_seconds else 0.0

    def row(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return asdict(self)


def texts_from(count: int, mo: MO, first_source: int = FIRST_SOURCE) -> list[MO]:
    """The same text from `count` different subscribers."""
    return [replace(mo, source=str(first_source + step)) for step in range(count)]


async def send_at_rate(smsc: Smsc, mos: Sequence[MO], rate: float) -> list[Delivery]:
    """Sends them evenly, `rate` a second; returns once the last is queued. Raises InputError."""
    made = [smsc.make(mo) for mo in mos]
    began, sent = monotonic(), 0
    while sent < len(made):
        due = min(len(made), int((monotonic() - began) * rate) + 1)
        smsc.queue_all(made[sent:due])
        sent = due
        await asyncio.sleep(TICK_SECONDS)
    return made


async def flood(
    smsc: Smsc,
    count: int,
    *,
    window: int | None = None,
    binds: int = 1,
    mo: MO | None = None,
    first_source: int = FIRST_SOURCE,
    rate: float = 0.0,
    with_answers: bool = False,
    seconds: float = 120.0,
) -> FloodReport:
    """Sends `count` MO, each from another subscriber, and waits until all have their final answer.

    Waits for `binds` receivers first. `rate` 0: as fast as the window allows. `with_answers`
    also waits until each sender was sent a text. Raises LabError where it takes `seconds`.
    """
    if window is not None:
        smsc.set_window(window)
    mos = texts_from(count, mo or MO(source="", text="TSTN"), first_source)
    await smsc.until(lambda: smsc.counts()["receivers"] >= binds, seconds)
    first_mt = len(smsc.journal.mts)
    sent_again = smsc.journal.counts["mo_sent_again"]
    if rate > 0:
        made = await send_at_rate(smsc, mos, rate)
    else:
        made = smsc.send_all(mos)
    watch = _Answers(smsc, made, first_mt)
    await smsc.until(lambda: all_done(made), seconds)
    if with_answers:
        await smsc.until(watch.is_complete, seconds)
    return _report(made, watch.first, smsc.journal.counts["mo_sent_again"] - sent_again)


def all_done(made: Sequence[Delivery]) -> bool:
    """Whether each has its final answer."""
    # The last is most likely the latest: mostly one look is enough.
    return made[-1].status is not None and all(one.status is not None for one in made)


class _Answers:
    """The first text that went to each of the senders, as it comes."""

    def __init__(self, smsc: Smsc, made: Sequence[Delivery], first_mt: int) -> None:
        self._smsc = smsc
        self._seen = first_mt
        self._senders = {one.message.source.digits for one in made}
        self.first: dict[str, float] = {}

    def is_complete(self) -> bool:
        mts = self._smsc.journal.mts
        for mt in mts[self._seen :]:
            digits = mt.message.destination.digits
            if mt.status == ROK and digits in self._senders:
                self.first.setdefault(digits, mt.at)
        self._seen = len(mts)
        return len(self.first) >= len(self._senders)


def _report(made: Sequence[Delivery], answers: dict[str, float], sent_again: int) -> FloodReport:
    began = min(one.sent_at or now() for one in made)
    acks = [(one.sent_at or 0.0, one.acked_at or 0.0) for one in made if one.status == ROK]
    sent = {one.message.source.digits: one.sent_at or 0.0 for one in made}
    answered = [(sent[digits], at) for digits, at in answers.items()]
    return FloodReport(
        count=len(made),
        acked=len(acks),
        answered=len(answered),
        seconds=max((at for _, at in acks), default=began) - began,
        answer_seconds=max((at for _, at in answered), default=began) - began,
        sent_again=sent_again,
        acked_per_second=_per_second([at - began for _, at in acks]),
        answered_per_second=_per_second([at - began for _, at in answered]),
        ack_p50_ms=_percentile(acks, 0.5),
        ack_p99_ms=_percentile(acks, 0.99),
        answer_p50_ms=_percentile(answered, 0.5),
        answer_p99_ms=_percentile(answered, 0.99),
    )


def _per_second(moments: Sequence[float]) -> list[int]:
    seen = Counter(int(moment) for moment in moments)
    return [seen[second] for second in range(max(seen, default=-1) + 1)]


def _percentile(spans: Sequence[tuple[float, float]], share: float) -> float:
    taken = sorted(end - start for start, end in spans)
    return round(taken[int(share * (len(taken) - 1))] * 1000, 3) if taken else 0.0
