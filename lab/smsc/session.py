"""One ESME, seen from the SMSC: its bind, the window of what it was sent, unbind. I/O."""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial

from lab.smsc import codec, garbage
from lab.smsc.codec import Malformed, pdu
from lab.smsc.house import House, Kind
from lab.smsc.intake import READERS, Intake
from lab.smsc.link import Link
from lab.smsc.records import Delivery
from lab.smsc.subscribers import Queue

SYSTEM_ID = "TSTN-LAB"
_VERSION = codec.write_tlvs({codec.TAG_INTERFACE_VERSION: b"\x34"})
_KINDS = {
    codec.BIND_TRANSCEIVER: Kind.TRX,
    codec.BIND_TRANSMITTER: Kind.TX,
    codec.BIND_RECEIVER: Kind.RX,
}


class Session(Link):
    """From the ESME's connect to the end of its link."""

    def __init__(self, house: House) -> None:
        super().__init__(house.faults)
        self.no = 0
        self.kind: Kind | None = None
        self.account = ""
        self.pending: dict[int, tuple[Delivery, float]] = {}
        self.own: deque[Delivery] = deque()
        self._house = house
        self._journal = house.journal
        self._queue: Queue | None = None
        self._intake: Intake | None = None
        self._sequence = self._delivered = 0
        self._unbind_sequence = self._enquire_sequence = 0
        self._handlers: dict[int, Callable[[int, int, bytes], None]] = {
            **{command: partial(self._submit, command) for command in READERS},
            codec.DELIVER_SM | codec.RESPONSE: self._acknowledged,
            codec.DATA_SM | codec.RESPONSE: self._acknowledged,
            codec.GENERIC_NACK: self._nacked,
            codec.ENQUIRE_LINK: self._enquired,
            codec.ENQUIRE_LINK | codec.RESPONSE: self._alive,
            codec.UNBIND: self._unbound,
            codec.UNBIND | codec.RESPONSE: self._may_go,
            **{command: partial(self._bind, command) for command in _KINDS},
        }

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Number the link."""
        super().connection_made(transport)
        self.no = self._house.registry.began(self)

    def take(self, command: int, status: int, sequence: int, body: bytes) -> None:
        """Carry out a request, or match an answer."""
        handler = self._handlers.get(command)
        if handler is not None:
            handler(status, sequence, body)
        elif command & codec.RESPONSE:
            self._stray(command, status, sequence)
        else:
            self._complain(f"unknown command 0x{command:08x}")
            self.put(pdu(codec.GENERIC_NACK, sequence, status=codec.RINVCMDID))

    def take_last(self, command: int, sequence: int, body: bytes) -> None:
        """Before the link is cut."""
        if self._intake is not None and command in READERS:
            self._intake.take_last(command, sequence, body)

    def taken_all(self) -> None:
        """Fill the window again."""
        if self.is_receiver and self._queue is not None:
            self._queue.fill(self)
        if self._intake is not None:
            self._intake.taken_all()
        after = self.faults.unbind_after
        if after and self.taken >= after:
            self.unbind()

    def flush(self) -> None:
        """What is answered stands in the journal before."""
        self._journal.flush()
        super().flush()

    def lost(self, reason: str) -> None:
        """Give back what was not acknowledged."""
        self._journal.note(
            *("link_end", self.no),
            account=self.account,
            reason=reason,
            unacknowledged=len(self.pending),
        )
        self._house.registry.ended(self)
        if self.is_receiver and self._queue is not None:
            self._queue.detach(self)
        self._queue = None

    @property
    def is_bound(self) -> bool:
        """Whether texts may pass."""
        return self._queue is not None

    @property
    def is_receiver(self) -> bool:
        """Whether it takes deliver_sm now."""
        return self.is_bound and self.kind is not Kind.TX

    @property
    def room(self) -> int:
        """How many more deliver_sm may be unanswered now."""
        if not self.is_up or self._unbind_sequence or self.is_frozen:
            return 0
        return self._house.registry.window - len(self.pending)

    def deliver(self, delivery: Delivery) -> int:
        """Put a deliver_sm (or data_sm), perhaps garbage before it; the sequence number."""
        self._delivered += 1
        every = self.faults.garbage_every
        if every and self.faults.garbage and self._delivered % every == 0:
            kinds = self.faults.garbage
            self.put_garbage(kinds[(self._delivered // every) % len(kinds)])
        sequence = self._next_sequence()
        self.put(pdu(delivery.command, sequence, delivery.body))
        return sequence

    def put_garbage(self, kind: garbage.Garbage) -> None:
        """One PDU that should not be."""
        sequence = self._next_sequence()
        self._journal.note("garbage", self.no, kind=kind, sequence=sequence)
        self.put(garbage.make(kind, sequence))

    def unbind(self) -> None:
        """Ask the ESME to go; it has a while to answer."""
        if self._unbind_sequence or not self.is_up:
            return
        self._unbind_sequence = self._next_sequence()
        self._journal.note("unbind", self.no, by="smsc", account=self.account)
        self.put(pdu(codec.UNBIND, self._unbind_sequence))
        self.flush()
        patience = self._house.setting.unbind_seconds
        asyncio.get_running_loop().call_later(patience, self.finish, "unbind was not answered")

    def enquire(self) -> None:
        """Ask whether the ESME is alive; it is cut off where it has not answered the last time."""
        if not self.is_bound or self.is_frozen:
            return
        if self._enquire_sequence:
            self._complain("enquire_link was not answered")
            self.cut("enquire_link was not answered")
            return
        self._enquire_sequence = self._next_sequence()
        self.put(pdu(codec.ENQUIRE_LINK, self._enquire_sequence))
        self.flush()

    def _bind(self, command: int, _: int, sequence: int, body: bytes) -> None:
        if self.faults.ignore_binds:
            return
        kind, response = _KINDS[command], command | codec.RESPONSE
        try:
            bind = codec.read_bind(body)
        except Malformed as fault:
            self._complain(str(fault))
            self._refuse_bind(response, sequence, fault.status)
            return
        status = codec.RALYBND if self.kind else self._house.registry.judge(bind)
        self._journal.note(
            *("bind_refused" if status else "bind", self.no),
            account=bind.system_id,
            kind=kind,
            status=status,
            peer=self.peer,
            system_type=bind.system_type,
            address_range=bind.address_range,
            interface_version=bind.interface_version,
        )
        if status != codec.ROK:
            self._refuse_bind(response, sequence, status)
            return
        self.kind, self.account = kind, bind.system_id
        answer = pdu(response, sequence, codec.text_field(SYSTEM_ID) + _VERSION)
        _after(self.faults.bind_seconds, partial(self._open, answer))

    def _refuse_bind(self, response: int, sequence: int, status: int) -> None:
        self.put(pdu(response, sequence, status=status))
        if not self.kind:
            self.finish("bind refused")

    def _open(self, answer: bytes) -> None:
        """The answer first, then what waits."""
        if not self.is_up:
            return
        self.put(answer)
        queue = self._queue = self._house.registry.queue(self.account)
        if self.kind is not Kind.RX:
            receiver = self if self.kind is Kind.TRX else None
            self._intake = Intake(self._house, self, self.no, queue, receiver)
        if self.kind is not Kind.TX:
            queue.attach(self)
        self.flush()

    def _submit(self, command: int, _: int, sequence: int, body: bytes) -> None:
        if self._intake is not None:
            self._intake.take(command, sequence, body)
            return
        self._complain("a submit on a link that is not bound for it")
        self.put(pdu(command | codec.RESPONSE, sequence, status=codec.RINVBNDSTS))

    def _acknowledged(self, status: int, sequence: int, _: bytes) -> None:
        if self._queue is None or not self._queue.answer(self, sequence, status):
            self._stray(codec.DELIVER_SM | codec.RESPONSE, status, sequence)

    def _nacked(self, status: int, sequence: int, _: bytes) -> None:
        self._journal.note("nack", self.no, sequence=sequence, status=status)
        if self._queue is not None:
            self._queue.answer(self, sequence, status)

    def _enquired(self, _: int, sequence: int, __: bytes) -> None:
        self._journal.counts["enquire_link"] += 1
        if not self.faults.ignore_enquire_links:
            answer = pdu(codec.ENQUIRE_LINK | codec.RESPONSE, sequence)
            _after(self.faults.enquire_latency_seconds, partial(self._put_now, answer))

    def _alive(self, _: int, sequence: int, __: bytes) -> None:
        if sequence == self._enquire_sequence:
            self._enquire_sequence = 0
            self._journal.counts["enquire_link_answered"] += 1
        else:
            self._complain("an enquire_link_resp to no question of ours")

    def _unbound(self, _: int, sequence: int, __: bytes) -> None:
        self._journal.note("unbind", self.no, by="esme", account=self.account)
        self.put(pdu(codec.UNBIND | codec.RESPONSE, sequence))
        self.finish("unbound by the ESME")

    def _may_go(self, _: int, sequence: int, __: bytes) -> None:
        if self._unbind_sequence and sequence == self._unbind_sequence:
            self.finish("unbound by the SMSC")
        else:
            self._complain("an unbind_resp to no unbind of ours")

    def _put_now(self, answer: bytes) -> None:
        self.put(answer)
        self.flush()

    def _next_sequence(self) -> int:
        self._sequence = self._sequence % codec.LAST_SEQUENCE + 1
        return self._sequence

    def _stray(self, command: int, status: int, sequence: int) -> None:
        """An answer to garbage, to what timed out, or to nothing."""
        about = {"command": command, "sequence": sequence, "status": status}
        self._journal.note("stray", self.no, **about)

    def _complain(self, reason: str) -> None:
        self._journal.note("violation", self.no, reason=reason)


def _after(seconds: float, action: Callable[[], None]) -> None:
    if seconds > 0:
        asyncio.get_running_loop().call_later(seconds, action)
    else:
        action()
