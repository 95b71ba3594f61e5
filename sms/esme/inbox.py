"""Messages that were handed over and have no answer yet; too many stop the reading."""

from collections.abc import Callable

from sms.esme.link import Link
from sms.esme.relay import Relay
from sms.pdu import codes, make
from sms.pdu.types import Message, Unparsable


class Inbox:
    """The messages of one session.

    Args:
        emptied: called once the last message is answered.
        most: unanswered messages above which nothing more is read, until half are answered.
    """

    def __init__(self, relay: Relay, link: Link, emptied: Callable[[], None], most: int) -> None:
        self._relay = relay
        self._link = link
        self._emptied = emptied
        self._most = most
        # By identity: the sequence numbers are the peer's, and need not differ.
        self._open: dict[int, Message | Unparsable] = {}

    def __len__(self) -> int:
        return len(self._open)

    def take(self, message: Message | Unparsable) -> None:
        """Hand a message over; the SMSC is to send it again where that fails."""
        self._open[id(message)] = message
        if not self._relay.received(message):
            self.acknowledge(message, codes.ESME_RX_T_APPN)
        elif len(self._open) >= self._most and not self._link.held:
            self._link.hold()

    def acknowledge(self, message: Message | Unparsable, status: int) -> None:
        """Answer a message; nothing happens where it is answered, or came by another session."""
        if self._open.pop(id(message), None) is None:
            return
        is_deliver = message.command == codes.DELIVER_SM
        respond = make.deliver_sm_resp if is_deliver else make.data_sm_resp
        # Together: what the SMSC sends upon them comes together too, and is one commit.
        self._link.put(respond(message.sequence, status), may_gather=True)
        if self._link.held and len(self._open) <= self._most // 2:
            self._link.release()
        if not self._open:
            self._emptied()

    def clear(self) -> None:
        """The link has ended: nothing can be answered any more."""
        self._open.clear()
