"""Passes the events of a session on to the listener of its bind, whose faults end here."""

import logging
from typing import TYPE_CHECKING

from sms.esme.listener import Accepted, Listener, Outcome
from sms.pdu.types import Message, Unparsable

if TYPE_CHECKING:
    from sms.esme.bind import Bind

logger = logging.getLogger(__name__)


class Relay:
    """One bind's way to its listener; no call raises."""

    def __init__(self, bind: "Bind", listener: Listener) -> None:
        self._bind = bind
        self._listener = listener

    def opened(self) -> None:
        """The bind stands."""
        try:
            self._listener.opened(self._bind)
        except Exception:
            logger.exception("bind %s: fault in opened", self._bind.name)

    def closed(self) -> None:
        """The link has ended."""
        try:
            self._listener.closed(self._bind)
        except Exception:
            logger.exception("bind %s: fault in closed", self._bind.name)

    def received(self, pdu: Message | Unparsable) -> bool:
        """Hand over a message, legible or not; False where it has not been taken."""
        try:
            if isinstance(pdu, Message):
                self._listener.received(self._bind, pdu)
            else:
                self._listener.unparsable(self._bind, pdu)
        except Exception:
            logger.exception("bind %s: fault at message %d", self._bind.name, pdu.sequence)
            return False
        return True

    def submitted(self, ref: int, outcome: Outcome) -> None:
        """Say what became of a submit."""
        try:
            self._listener.submitted(self._bind, ref, outcome)
        except Exception:
            logger.exception("bind %s: fault at the outcome of submit %d", self._bind.name, ref)

    def accepted_late(self, ref: int, accepted: Accepted) -> None:
        """Say that a submit was taken, though its time was up."""
        try:
            self._listener.accepted_late(self._bind, ref, accepted)
        except Exception:
            logger.exception("bind %s: fault at the late answer to %d", self._bind.name, ref)
