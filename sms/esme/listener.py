"""Who gets what a bind receives, and the four ways a submit can end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sms.pdu import codes
from sms.pdu.types import Message, Unparsable

if TYPE_CHECKING:
    from sms.esme.bind import Bind


@dataclass(frozen=True, slots=True)
class Accepted:
    """The SMSC took the submit.

    Attributes:
        message_id: as sent, opaque; may be empty, and need not be unique.
        tlvs: of the response, raw by tag.
    """

    message_id: str
    tlvs: Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class Refused:
    """The SMSC answered with an error: a command_status other than 0."""

    status: int


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer in time. The subscriber may have got the text, or not."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The link ended before the answer. The subscriber may have got the text, or not."""


Outcome = Accepted | Refused | Unanswered | Lost


class Refuser:
    """A listener that takes nothing: what comes is to be sent again, to another session."""

    def opened(self, bind: "Bind") -> None:
        """Nothing is to be sent."""

    def closed(self, bind: "Bind") -> None:
        """Nothing was sent."""

    def received(self, bind: "Bind", message: Message) -> None:
        """Not taken."""
        bind.acknowledge(message, codes.ESME_RX_T_APPN)

    def unparsable(self, bind: "Bind", pdu: Unparsable) -> None:
        """Not taken."""
        bind.acknowledge(pdu, codes.ESME_RX_T_APPN)

    def submitted(self, bind: "Bind", ref: int, outcome: "Outcome") -> None:
        """Nothing was sent."""

    def accepted_late(self, bind: "Bind", ref: int, accepted: Accepted) -> None:
        """Nothing was sent."""


class Listener(Protocol):
    """All are called on the loop, between `opened` and `closed`, and must not raise.

    What they raise is logged and changes nothing, but that a message whose `received` raised is
    answered with ESME_RX_T_APPN, so that the SMSC sends it again.
    """

    def opened(self, bind: "Bind") -> None:
        """The bind stands: submits may be sent, messages come."""

    def closed(self, bind: "Bind") -> None:
        """The link has ended. Follows each `opened` once, after the last `submitted`."""

    def received(self, bind: "Bind", message: Message) -> None:
        """Take a deliver_sm or data_sm. Answer it with `bind.acknowledge` once it is stored."""

    def unparsable(self, bind: "Bind", pdu: Unparsable) -> None:
        """Take a deliver_sm or data_sm whose body makes no sense; answer as for a message."""

    def submitted(self, bind: "Bind", ref: int, outcome: Outcome) -> None:
        """What became of the submit that was sent as `ref`: exactly once for each `send`."""

    def accepted_late(self, bind: "Bind", ref: int, accepted: Accepted) -> None:
        """The SMSC took a submit that was `Unanswered`; `ref` may have been sent again since."""
