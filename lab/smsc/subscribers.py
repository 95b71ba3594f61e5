"""The subscribers' side: texts they send, and their delivery until an ESME has answered for good.

As a real SMSC does it: an MO is delivered again, under a new sequence number, when its link ended
or its answer took too long, and a little later when the answer was a temporary error. Only status
0 or a permanent error ends it.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

from lab.smsc.codec import (
    ROK,
    TEMPORARY,
    UDH,
    Address,
    Message,
    Tlvs,
)
from lab.smsc.faults import Faults
from lab.smsc.journal import Journal
from lab.smsc.records import Delivery, now
from lab.smsc.setting import Setting
from lab.smsc.texts import LongStyle, encode, split

SHORT_CODE = "9231"


@dataclass(frozen=True, slots=True)
class MO:
    """A text that a subscriber sends. `payload` goes out as it is, `text` is encoded before."""

    source: str  # as the SMSC writes it: 84901234567
    destination: str = SHORT_CODE
    text: str | None = None
    payload: bytes | None = None
    data_coding: int | None = None  # None: 0 where GSM 7-bit will do, else 8
    esm_class: int = 0
    tlvs: tuple[tuple[int, bytes], ...] = ()
    account: str | None = None  # None: the first one
    source_ton: int = 1
    source_npi: int = 1
    destination_ton: int = 0
    destination_npi: int = 1
    service_type: str = ""
    protocol_id: int = 0
    by_data_sm: bool = False
    in_tlv: bool = False  # in message_payload, although it would fit


class Link(Protocol):
    """A bind that takes deliver_sm."""

    no: int
    pending: dict[int, tuple[Delivery, float]]
    """Not answered yet: by sequence number, with the time of sending; the oldest first."""
    own: deque[Delivery]
    """What must go out on this link and no other."""

    @property
    def room(self) -> int:
        """How many more may be unanswered now."""

    def deliver(self, delivery: Delivery) -> int:
        """Put it; its sequence number."""

    def flush(self) -> None:
        """Write what was put."""


class Queue:
    """What is on its way to the ESME of one account."""

    def __init__(self, account: str, setting: Setting, faults: Faults, journal: Journal) -> None:
        self.account = account
        self.links: list[Link] = []
        self._setting = setting
        self._faults = faults
        self._journal = journal
        self._waiting: deque[Delivery] = deque()
        self._later: list[tuple[float, int, Delivery]] = []
        self._tie = count()
        self._acked = 0
        self._fills_soon = False

    @property
    def open(self) -> int:
        """How many have no final answer yet, or are to be delivered once more."""
        on_links = sum(len(link.pending) + len(link.own) for link in self.links)
        return on_links + len(self._waiting) + len(self._later)

    def add(self, delivery: Delivery, seconds: float = 0.0, link: Link | None = None) -> None:
        """To be sent in so many seconds, over `link` if one is given. `fill` then sends it."""
        if seconds > 0:
            heappush(self._later, (now() + seconds, next(self._tie), delivery))
        elif link is not None:
            link.own.append(delivery)
        else:
            self._waiting.append(delivery)

    def attach(self, link: Link) -> None:
        """A bind begins."""
        self.links.append(link)
        self.fill(link)

    def detach(self, link: Link) -> None:
        """A link ended: what it did not acknowledge goes first to whoever comes next."""
        self.links.remove(link)
        unanswered = [delivery for delivery, _ in link.pending.values()]
        link.pending.clear()
        self._waiting.extendleft(reversed([*unanswered, *link.own]))
        link.own.clear()
        self.fill_all()

    def fill(self, link: Link) -> None:
        """Send what waits, as the window allows."""
        waiting = link.own or self._waiting
        if not waiting or (room := link.room) <= 0:
            return
        at = now()
        while room and (waiting := link.own or self._waiting):
            self._send(waiting.popleft(), link, at)
            room -= 1

    def fill_all(self) -> None:
        """The same for every bind; another one is the first each time."""
        self.links = self.links[1:] + self.links[:1]
        for link in list(self.links):
            self.fill(link)
            link.flush()

    def fill_soon(self) -> None:
        """The same after what happens now, once for however many ask."""
        if not self._fills_soon:
            self._fills_soon = True
            asyncio.get_running_loop().call_soon(self._fill_now)

    def answer(self, link: Link, sequence: int, status: int) -> bool:
        """An ESME answered; whether there was anything to answer."""
        sent = link.pending.pop(sequence, None)
        if sent is None:
            return False
        delivery = sent[0]
        self._journal.answered(delivery, link.no, sequence, status)
        if status in TEMPORARY:
            delivery.refusals += 1
            self._journal.counts[f"{_kind(delivery)}_refused"] += 1
            self.add(delivery, self._setting.retry_seconds)
        else:
            self._end(delivery, status)
        return True

    def tick(self, at: float) -> None:
        """Now and then: what is due again, and answers that took too long."""
        later = self._later
        while later and later[0][0] <= at:
            self._waiting.append(heappop(later)[2])
        too_old = at - self._setting.response_seconds
        for link in self.links:
            for sequence in list(_older(link, too_old)):
                self._waiting.append(link.pending.pop(sequence)[0])
                self._journal.note("answer_timeout", link.no, sequence=sequence)
        if self._waiting:
            self.fill_all()

    def _fill_now(self) -> None:
        self._fills_soon = False
        self.fill_all()

    def _send(self, delivery: Delivery, link: Link, at: float) -> None:
        sequence = link.deliver(delivery)
        link.pending[sequence] = (delivery, at)
        delivery.times += 1
        delivery.sent_at = delivery.sent_at or at
        self._journal.delivered(delivery, link.no, sequence, at)
        if delivery.on_sent:
            done, delivery.on_sent = delivery.on_sent, None
            done()

    def _end(self, delivery: Delivery, status: int) -> None:
        kind = _kind(delivery)
        if delivery.status is None:
            delivery.status, delivery.acked_at = status, now()
            self._journal.counts[f"{kind}_acked" if status == ROK else f"{kind}_failed"] += 1
        if status == ROK:
            delivery.acks += 1
        every = self._faults.redeliver_every
        if every and kind == "mo" and delivery.acks == 1:
            self._acked += 1
            if self._acked % every == 0:
                self._waiting.append(delivery)


def message_of(mo: MO) -> Message:
    """Raises KeyError or UnicodeEncodeError: its text does not fit the data_coding it asks for."""
    payload, data_coding = mo.payload, mo.data_coding or 0
    if payload is None:
        payload, data_coding = encode(mo.text or "", mo.data_coding)
    return Message(
        source=Address(mo.source_ton, mo.source_npi, mo.source),
        destination=Address(mo.destination_ton, mo.destination_npi, mo.destination),
        payload=payload,
        data_coding=data_coding,
        esm_class=mo.esm_class,
        service_type=mo.service_type,
        protocol_id=mo.protocol_id,
        tlvs=dict(mo.tlvs),
        payload_in_tlv=mo.in_tlv,
    )


def parts_of(mo: MO, style: LongStyle, reference: int, size: int | None = None) -> Sequence[MO]:
    """A long text as the MO that a phone makes of it, in order; `size` octets of text each."""
    message = message_of(mo)
    room = size or (134 if message.data_coding == 8 else 153)
    return [
        replace(
            mo,
            text=None,
            payload=piece.payload,
            data_coding=message.data_coding,
            esm_class=mo.esm_class | (piece.esm_class & UDH),
            tlvs=(*mo.tlvs, *_pairs(piece.tlvs)),
        )
        for piece in split(message.payload, room, style, reference)
    ]


def _pairs(tlvs: Tlvs) -> Sequence[tuple[int, bytes]]:
    return tuple(tlvs.items())


def _older(link: Link, than: float) -> Iterator[int]:
    for sequence, (_, at) in link.pending.items():
        if at > than:
            return
        yield sequence


def _kind(delivery: Delivery) -> str:
    return "mo" if delivery.receipt_for is None else "receipt"
