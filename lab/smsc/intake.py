"""The submits of one bind: read, judged at the desk, answered in time or late, with receipts."""

import asyncio
from collections.abc import Callable
from functools import partial

from lab.smsc import codec
from lab.smsc.codec import Malformed, Message, pdu
from lab.smsc.house import House
from lab.smsc.link import Link
from lab.smsc.records import Delivery, Mt
from lab.smsc.subscribers import Link as Receiver
from lab.smsc.subscribers import Queue

READERS: dict[int, Callable[[bytes], Message]] = {
    codec.SUBMIT_SM: codec.read_submit,
    codec.DATA_SM: codec.read_data_sm,
}


class Intake:
    """For a link that is bound for sending."""

    def __init__(
        self, house: House, link: Link, no: int, queue: Queue, receiver: Receiver | None
    ) -> None:
        """`receiver`: the link once more, if it is bound for receiving too."""
        self._house = house
        self._link = link
        self._no = no
        self._queue = queue
        self._receiver = receiver
        self._late: list[bytes] = []
        self._submits = self._in_flight = self._answered = 0

    def take(self, command: int, sequence: int, body: bytes) -> None:
        """A submit_sm or data_sm came."""
        try:
            message = READERS[command](body)
        except Malformed as fault:
            self._house.journal.note("violation", self._no, reason=str(fault))
            self._link.put(pdu(command | codec.RESPONSE, sequence, status=fault.status))
            return
        mt = self._judge(sequence, message)
        receipts = self._house.desk.receipts(mt)
        answer = self._answer(command, mt) if mt.answered else b""
        if receipts and self._house.faults.receipt_before_response and self._queue.links:
            receipts[0][0].on_sent = partial(self._answer_after_receipt, answer)
        elif answer:
            self._put(answer)
        for delivery, seconds in receipts:
            self._send_receipt(delivery, seconds)

    def take_last(self, command: int, sequence: int, body: bytes) -> None:
        """What an SMSC does just before it dies: the text is taken, and nobody is told."""
        try:
            message = READERS[command](body)
        except Malformed:
            return
        mt = self._house.desk.take(self._queue.account, self._no, sequence, message, answered=False)
        for delivery, seconds in self._house.desk.receipts(mt):
            self._send_receipt(delivery, seconds)

    def taken_all(self) -> None:
        """For now: late answers go off as one."""
        self._in_flight -= self._answered
        self._answered = 0
        if self._late:
            late, self._late = self._late, []
            loop = asyncio.get_running_loop()
            loop.call_later(self._house.faults.latency_seconds, self._write_late, late)

    def _judge(self, sequence: int, message: Message) -> Mt:
        self._submits += 1
        every = self._house.faults.unanswered_every
        answered = not (every and self._submits % every == 0)
        if answered:
            self._in_flight += 1
            counts = self._house.journal.counts
            if self._in_flight > counts["most_in_flight"]:
                counts["most_in_flight"] = self._in_flight
        account = self._queue.account
        return self._house.desk.take(account, self._no, sequence, message, answered=answered)

    def _answer(self, command: int, mt: Mt) -> bytes:
        has_body = mt.status == codec.ROK or self._house.faults.errors_with_body
        body = codec.text_field(mt.message_id) if has_body else b""
        return pdu(command | codec.RESPONSE, mt.sequence, body, mt.status)

    def _put(self, answer: bytes) -> None:
        if self._house.faults.latency_seconds > 0:
            self._late.append(answer)
        else:
            self._link.put(answer)
            self._answered += 1

    def _write_late(self, answers: list[bytes]) -> None:
        self._in_flight -= len(answers)
        for answer in answers:
            self._link.put(answer)
        self._link.flush()

    def _answer_after_receipt(self, answer: bytes) -> None:
        if not answer:
            return
        self._in_flight -= 1
        self._link.put(answer)
        # Later than the receipt, which may be on its way to another link.
        asyncio.get_running_loop().call_soon(self._link.flush)

    def _send_receipt(self, delivery: Delivery, seconds: float) -> None:
        self._house.journal.queued(delivery)
        self._queue.add(delivery, seconds, None if seconds else self._way_for_receipt())
        self._queue.fill_soon()

    def _way_for_receipt(self) -> Receiver | None:
        """The bind that a receipt must come on, where that matters."""
        faults, here = self._house.faults, self._receiver
        others = [link for link in self._queue.links if link is not here]
        if faults.receipt_on_other_bind and others:
            return others[0]
        if faults.receipt_before_response:
            return here or next(iter(others), None)
        return None
