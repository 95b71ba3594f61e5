"""The texts' baseline: acknowledges at once and stores nothing, over binds like ours. I/O."""

from sms.esme.bind import Bind
from sms.esme.listener import Accepted, Outcome
from sms.pdu.make import Submit
from sms.pdu.types import Address, Message, Unparsable

_SOURCE = Address(3, 0, "9231")
_PAYLOAD = b"x" * 150
"""As long as a reply."""


class BareEsme:
    """A listener of no use; of our path it lacks all but the session.

    Args:
        answers: whether each text is answered.
        count: texts that are sent once the first one has come.
    """

    def __init__(self, *, answers: bool, count: int) -> None:
        self._answers = answers
        self._left = count
        self._waiting: list[Address] = []

    def received(self, bind: Bind, message: Message) -> None:
        """Acknowledge, and answer maybe."""
        bind.acknowledge(message, 0)
        if message.is_receipt_class:
            return
        if self._answers:
            self._waiting.append(message.source)
        elif self._left:
            self._waiting = [message.source] * self._left
            self._left = 0
        self._send(bind)

    def submitted(self, bind: Bind, ref: int, outcome: Outcome) -> None:
        """There is room for one more."""
        self._send(bind)

    def accepted_late(self, bind: Bind, ref: int, accepted: Accepted) -> None:
        """Was counted when its time was up."""

    def opened(self, bind: Bind) -> None:
        """Nothing waits."""

    def closed(self, bind: Bind) -> None:
        """Nothing is kept."""

    def unparsable(self, bind: Bind, pdu: Unparsable) -> None:
        """Does not come."""

    def _send(self, bind: Bind) -> None:
        for _ in range(min(bind.room, len(self._waiting)) if self._waiting else 0):
            to = self._waiting.pop()
            bind.send(0, Submit(_SOURCE, to, _PAYLOAD, 0, 0, 1, "", ()))
