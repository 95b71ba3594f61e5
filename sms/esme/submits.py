"""The submits of one session: sent, and what became of each, told once.

Where the SMSC takes one after its time was up, that is told too: its number is not used again for
long, so that there is no doubt whose answer it is.
"""

import logging

from domain.pacing import Monotonic
from sms.esme.errors import NoRoom
from sms.esme.link import Link
from sms.esme.listener import Accepted, Lost, Refused, Unanswered
from sms.esme.pending import Pending
from sms.esme.relay import Relay
from sms.esme.setting import BindSetting
from sms.flow import Flow
from sms.pdu import codes, make
from sms.pdu.make import BindKind, Submit
from sms.pdu.types import Response

logger = logging.getLogger(__name__)


class Submits:
    """Pairs submits with their answers by sequence number.

    Attributes:
        open: whether the session is bound, and not about to part.
    """

    def __init__(
        self, setting: BindSetting, relay: Relay, flow: Flow, link: Link, now: Monotonic
    ) -> None:
        self.open = False
        self._setting = setting
        self._relay = relay
        self._flow = flow
        self._link = link
        self._now = now
        self._pending = Pending()
        self._strays = 0
        self._late = 0

    def __len__(self) -> int:
        """Those without an answer."""
        return len(self._pending)

    @property
    def room(self) -> int:
        """How many may be sent now: so many sends with no await in between never raise."""
        if not self._may_send or self._link.choked_at is not None:
            return 0
        return self._flow.room(len(self._pending))

    @property
    def wait_seconds(self) -> float | None:
        """When to ask for room again where there is none; None: `stirred` will tell."""
        if not self._may_send or self._link.choked_at is not None:
            return None
        return self._flow.wait_seconds(len(self._pending))

    def number(self) -> int:
        """A sequence number for a request of another kind."""
        return self._pending.number()

    def send(self, ref: int, submit: Submit) -> None:
        """Send one; `submitted` will tell what became of `ref`.

        Raises:
            NoRoom: `room` is 0.
            ValueError: the submit has no form as a PDU. Nothing was sent.
        """
        # That the peer stops reading in the midst of several sends is no reason to break off.
        if not self._may_send or self._flow.room(len(self._pending)) <= 0:
            raise NoRoom(f"bind {self._setting.name} has no room for a submit")
        sequence = self._pending.number()
        pdu = make.submit_sm(sequence, submit)
        self._pending.add(sequence, ref, self._now() + self._setting.response_timeout_seconds)
        self._flow.take()
        self._link.put(pdu)

    def answered(self, answer: Response) -> None:
        """A submit_sm_resp, or a generic_nack, which may be meant for something else."""
        ref = self._pending.take(answer.sequence)
        if ref is None:
            self._unexpected(answer)
            return
        status = answer.status
        if self._flow.answered(status, len(self._pending)):
            logger.warning("bind %s: %s", self._setting.name, self._flow.trouble)
        if status == codes.ESME_ROK:
            self._relay.submitted(ref, Accepted(answer.message_id, answer.tlvs))
        else:
            self._relay.submitted(ref, Refused(status))

    def expire(self, now: float) -> bool:
        """Give up those whose answer is late; whether there were any."""
        late = self._pending.expired(now)
        outstanding = len(self._pending) + len(late)
        for ref in late:
            outstanding -= 1
            self._flow.unanswered(outstanding)
            self._relay.submitted(ref, Unanswered())
        return bool(late)

    def postpone(self, seconds: float) -> None:
        """Leave out a time in which no answer could be read."""
        self._pending.postpone(seconds)

    def lose(self) -> None:
        """The link has ended."""
        for ref in self._pending.all():
            self._relay.submitted(ref, Lost())

    @property
    def _may_send(self) -> bool:
        return self.open and self._setting.kind is not BindKind.RX

    def _unexpected(self, answer: Response) -> None:
        ref = self._pending.take_late(answer.sequence)
        if ref is None or answer.status != codes.ESME_ROK:
            self._stray(answer)
            return
        self._late += 1
        if self._late == 1:
            name, waited = self._setting.name, self._setting.response_timeout_seconds
            logger.warning("bind %s: the SMSC answers, but later than in %.1f s", name, waited)
        self._relay.accepted_late(ref, Accepted(answer.message_id, answer.tlvs))

    def _stray(self, answer: Response) -> None:
        """A late refusal, or an answer that comes twice, or to nothing: no other submit's."""
        self._strays += 1
        if self._strays == 1:  # the rest of a flood would say no more
            name, status = self._setting.name, codes.status_name(answer.status)
            logger.warning("bind %s: stray answer %s to %d", name, status, answer.sequence)
