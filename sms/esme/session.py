"""One bound session with an SMSC, from its bind to its end: SMPP 3.4 as a client. I/O.

Speaks for one connection only; `sms.esme.bind` makes the next one. No task and no future is made
per PDU: submits wait in a table under their sequence number, and one timer looks at all time-outs.
"""

import asyncio
import logging
from contextlib import suppress
from enum import StrEnum

from domain.pacing import Monotonic
from sms.esme.errors import BindRefused, SmppUnavailable
from sms.esme.inbox import Inbox
from sms.esme.link import Link
from sms.esme.pulse import Pulse
from sms.esme.relay import Relay
from sms.esme.setting import BindSetting, bind_pdu
from sms.esme.submits import Submits
from sms.esme.watch import Watch
from sms.flow import Flow
from sms.pdu import codes, make
from sms.pdu.make import BindKind
from sms.pdu.types import Message, Pdu, Request, Response, UnknownCommand, Unparsable

logger = logging.getLogger(__name__)

_BIND_RESP = {
    BindKind.TRX: codes.BIND_TRANSCEIVER_RESP,
    BindKind.TX: codes.BIND_TRANSMITTER_RESP,
    BindKind.RX: codes.BIND_RECEIVER_RESP,
}
_UNBIND_ANSWERS = (codes.UNBIND_RESP, codes.GENERIC_NACK)
_UNANSWERABLE = (codes.OUTBIND, codes.ALERT_NOTIFICATION)
"""Requests that SMPP 3.4 knows no response to."""


class SessionState(StrEnum):
    """SMPP 3.4 §2.2, as far as a client needs the states apart."""

    OPEN = "open"
    BOUND = "bound"
    PARTING = "parting"
    ENDED = "ended"


class Session:
    """The protocol of one session, over the connection that is made with `link`.

    Args:
        stirred: set whenever there may be room that was not there before.

    Attributes:
        submits: our texts on their way.
        inbox: the subscribers' texts, until they are answered.
        why: how it came to its end, in words.
        leaving: set once it is to end, or has ended: time for `part`.
    """

    def __init__(
        self, setting: BindSetting, relay: Relay, flow: Flow, stirred: asyncio.Event, now: Monotonic
    ) -> None:
        self.state = SessionState.OPEN
        self.why = "no connection"
        self.leaving = asyncio.Event()
        self._setting = setting
        self._relay = relay
        self._stirred = stirred
        pulse = Pulse(setting.enquire_after_seconds, setting.enquire_timeout_seconds, now())
        self.link = Link(self, pulse, setting.longest_pdu, now)
        self.submits = Submits(setting, relay, flow, self.link, now)
        self.inbox = Inbox(relay, self.link, self._check_quiet, setting.most_unacknowledged)
        self._watch = Watch(
            self,
            self.link,
            pulse,
            self.submits,
            tick_seconds=setting.tick_seconds,
            choke_seconds=setting.response_timeout_seconds,
            now=now,
        )
        self._bind_sequence: int | None = None
        self._unbind_sequence: int | None = None
        self._bind_answers = (_BIND_RESP[setting.kind], codes.GENERIC_NACK)
        self._refused_with = codes.ESME_ROK
        self._farewell: bytes | None = None
        self._settled = asyncio.Event()
        self._quiet = asyncio.Event()
        self._ended = asyncio.Event()

    async def bound(self) -> None:
        """Return once the SMSC has bound us.

        Raises:
            BindRefused: it answered with an error.
            SmppUnavailable: the session has ended already.
        """
        await self._settled.wait()
        if self._refused_with != codes.ESME_ROK:
            raise BindRefused(self.why, self._refused_with)
        if self.state is SessionState.ENDED:
            raise SmppUnavailable(self.why)

    def leave(self, why: str, farewell: bytes | None = None) -> None:
        """Send no submit any more, and let the keeper know that it is time for `part`.

        Args:
            farewell: what is written last; None: our own unbind, whose answer is waited for.
        """
        if self.state is SessionState.BOUND:
            self.state = SessionState.PARTING
            self.submits.open = False
            self.why = why
            self._farewell = farewell
            self.leaving.set()
            self._check_quiet()
            return
        if farewell is not None:
            self.link.put(farewell)
        if self.state is SessionState.OPEN:
            self.shut(why)

    async def part(self) -> None:
        """Give what is open some time to be answered, take leave, and end."""
        await self._wait(self._quiet)
        if self.state is not SessionState.ENDED:
            if self._farewell is None:
                self._unbind_sequence = self.submits.number()
                self.link.put(make.unbind(self._unbind_sequence))
                await self._wait(self._ended)
            else:
                self.link.put(self._farewell)
        self.shut(self.why)

    def shut(self, why: str) -> None:
        """End now: what waits for an answer is lost. Does nothing the second time."""
        if self.state is SessionState.ENDED:
            return
        was_bound = self.state is not SessionState.OPEN
        self.state = SessionState.ENDED
        self.submits.open = False
        self.why = why
        self._watch.stop()
        self.inbox.clear()
        self.submits.lose()
        if was_bound:
            self._relay.closed()
        for event in (self._settled, self._quiet, self.leaving, self._ended, self._stirred):
            event.set()
        self.link.close()

    # What link and watch tell.

    def connected(self) -> None:
        """Bind at once."""
        if self.state is SessionState.ENDED:  # given up meanwhile
            self.link.abort()
            return
        self.why = "no answer to our bind"
        self._bind_sequence = self.submits.number()
        self.link.put(bind_pdu(self._setting, self._bind_sequence))

    def take(self, pdu: Pdu) -> None:
        """One PDU, whatever it is; none ends the session by being odd."""
        if self.state is SessionState.ENDED:
            return  # the same read brought our end, and this after it
        if isinstance(pdu, Response):
            self._on_response(pdu)
        elif isinstance(pdu, Message | Unparsable):
            self._on_message(pdu)
        else:
            self._on_request(pdu)

    def stirred(self) -> None:
        """Answers may have come, or time has passed for them: there may be room."""
        self._check_quiet()
        self._stirred.set()

    def misframed(self, why: str) -> None:
        """What came before it is kept; a new connection is needed for what follows."""
        self.leave(f"out of step: {why}", make.generic_nack(0, codes.ESME_RINVCMDLEN))
        self.submits.lose()  # no answer can be read any more

    def disconnected(self, why: str) -> None:
        """The connection has ended."""
        self.shut(why)

    def _on_message(self, message: Message | Unparsable) -> None:
        if self.state is SessionState.OPEN:
            status = codes.ESME_RINVBNDSTS
            self.link.put(make.response(message.command, message.sequence, status))
        else:
            self.inbox.take(message)

    def _on_response(self, answer: Response) -> None:
        command = answer.command
        if command == codes.GENERIC_NACK and answer.status == codes.ESME_ROK:
            answer = answer._replace(status=codes.ESME_RUNKNOWNERR)
        if command == codes.SUBMIT_SM_RESP:
            self.submits.answered(answer)
        elif answer.sequence == self._bind_sequence and command in self._bind_answers:
            self._on_bind_answer(answer)
        elif answer.sequence == self._unbind_sequence and command in _UNBIND_ANSWERS:
            self.shut(self.why)
        elif command == codes.GENERIC_NACK:
            self.submits.answered(answer)
        # An enquire_link_resp says no more than that it came; the rest we have not asked for.

    def _on_bind_answer(self, answer: Response) -> None:
        self._bind_sequence = None
        if answer.status != codes.ESME_ROK:
            self._refused_with = answer.status
            self.shut(f"the SMSC refuses our bind: {codes.status_name(answer.status)}")
            return
        self.state = SessionState.BOUND
        self.submits.open = True
        self._watch.start()
        self._settled.set()
        self._relay.opened()

    def _on_request(self, request: Request | UnknownCommand) -> None:
        command, sequence = request.command, request.sequence
        if command == codes.ENQUIRE_LINK:
            self.link.put(make.enquire_link_resp(sequence))
        elif command == codes.UNBIND:
            self.leave("the SMSC has unbound us", make.unbind_resp(sequence))
        elif command not in _UNANSWERABLE:
            logger.info("bind %s: command 0x%08x is not for us", self._setting.name, command)
            self.link.put(make.generic_nack(sequence, codes.ESME_RINVCMDID))

    def ask(self) -> None:
        """Whatever comes after this proves life."""
        self.link.put(make.enquire_link(self.submits.number()))

    def cut(self, why: str) -> None:
        """Nobody is there to take leave of."""
        self.shut(why)
        self.link.abort()

    def _check_quiet(self) -> None:
        if self.state is SessionState.PARTING and not self.inbox and not self.submits:
            self._quiet.set()

    async def _wait(self, event: asyncio.Event) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._setting.drain_seconds):
                await event.wait()
