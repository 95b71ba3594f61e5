"""Keeps one bind to one SMSC: connects, binds, and does so again after every end. I/O.

The pause before the next try doubles from the first to the longest of `retry_seconds`, a part of
it left to chance; it begins anew after a session that stood longer than the pause before it. So an
SMSC that takes a bind and drops it at once is not stormed. A bind that was refused for a reason
that lasts (password, system_id, bound already) is tried again slowly.
"""

import asyncio
import logging
import random
import time
from contextlib import suppress
from enum import StrEnum

from domain import log_ids
from domain.errors import TstnError
from domain.pacing import Monotonic, TokenBucket, retry_delay
from sms.esme.connecting import close, connect, reason
from sms.esme.errors import BindRefused, NoRoom, SmppUnavailable
from sms.esme.listener import Listener, Refuser
from sms.esme.relay import Relay
from sms.esme.session import Session, SessionState
from sms.esme.setting import BindSetting, bind_pdu, tls_context
from sms.flow import Flow
from sms.pdu.codes import BIND_REFUSED_FOR_LONG
from sms.pdu.make import Submit
from sms.pdu.types import Message, Unparsable

logger = logging.getLogger(__name__)


class BindState(StrEnum):
    """Where a bind stands, for the operator."""

    STOPPED = "stopped"
    CONNECTING = "connecting"
    BOUND = "bound"
    PARTING = "parting"
    WAITING = "waiting"


_STATES = {
    SessionState.OPEN: BindState.CONNECTING,
    SessionState.BOUND: BindState.BOUND,
    SessionState.PARTING: BindState.PARTING,
    SessionState.ENDED: BindState.WAITING,
}


class Bind:
    """One bind, kept open while `run` runs.

    Args:
        account_rate: the bucket that all binds of the account share; None: no such limit.

    Raises:
        ConfigError: the setting has no form as a bind, or its certificates cannot be read.
    """

    def __init__(
        self,
        setting: BindSetting,
        account_rate: TokenBucket | None = None,
        now: Monotonic = time.monotonic,
    ) -> None:
        bind_pdu(setting, 1)
        self.setting = setting
        self.name = setting.name
        self.account = setting.account
        self._tls = tls_context(setting)
        self._flow = Flow(setting.window, setting.tps, now, account_rate)
        self._now = now
        self._session: Session | None = None
        self._trouble: str | None = "not started"
        self._stirred = asyncio.Event()
        self._parting = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._patience: asyncio.Timeout | None = None
        self._failures = 0
        self._pause_seconds = 0.0
        self._stood_seconds = 0.0
        self._said: set[str] = set()

    # What may be asked of it.

    @property
    def state(self) -> BindState:
        """Where it stands."""
        if self._session is None:
            return BindState.STOPPED if self._idle.is_set() else BindState.WAITING
        return _STATES[self._session.state]

    @property
    def trouble(self) -> str | None:
        """Why texts do not flow, or flow slowly, in words for the operator; None where they do."""
        return self._flow.trouble if self.state is BindState.BOUND else self._trouble

    @property
    def room(self) -> int:
        """How many submits may be sent now; 0 while not bound, or at the SMSC's wish.

        So many sends with no await in between never raise NoRoom.
        """
        return 0 if self._session is None else self._session.submits.room

    @property
    def unanswered(self) -> int:
        """How many submits wait for the SMSC's answer: the window in use."""
        return 0 if self._session is None else len(self._session.submits)

    def send(self, ref: int, submit: Submit) -> None:
        """Send a submit; the listener's `submitted` will tell, once, what became of `ref`.

        Raises:
            NoRoom: `room` is 0.
            ValueError: the submit has no form as a PDU. Nothing was sent, nothing will be told.
        """
        if self._session is None:
            raise NoRoom(f"bind {self.name} is not bound")
        self._session.submits.send(ref, submit)

    def acknowledge(self, message: Message | Unparsable, status: int) -> None:
        """Answer a message; nothing happens where it is answered, or its session has ended."""
        if self._session is not None:
            self._session.inbox.acknowledge(message, status)

    async def wait_room(self) -> None:
        """Return once there is room."""
        while self.room <= 0:
            self._stirred.clear()
            with suppress(TimeoutError):
                seconds = None if self._session is None else self._session.submits.wait_seconds
                async with asyncio.timeout(seconds):
                    await self._stirred.wait()

    async def run(self, listener: Listener) -> None:
        """Keep the bind. Ends when cancelled, or returns after `unbind`."""
        log_ids.bind(bind=self.name)
        relay = Relay(self, listener)
        self._idle.clear()
        try:
            while not self._parting.is_set():
                try:
                    await self._one_session(relay)
                except Exception as error:
                    await self._after(error)
        finally:
            self._trouble = "stopped"
            self._idle.set()

    async def attempt(self) -> None:
        """Bind and take leave at once, to see whether it can be done. Not while `run` runs.

        Raises:
            SmppUnavailable, BindRefused: why it can't.
        """
        session = self._session = self._new_session(Relay(self, Refuser()))
        try:
            await self._open(session)
            session.leave("unbound")
            await session.part()
        finally:
            await self._end(session)

    async def unbind(self) -> None:
        """Send no more, wait (not for long) for what is open, take leave: the end of `run`."""
        self._parting.set()
        if self._session is not None:
            self._session.leave("unbound")
        if self._patience is not None:
            with suppress(RuntimeError):  # has just run out of itself
                self._patience.reschedule(0)
        await self._idle.wait()

    # One session after another.

    async def _one_session(self, relay: Relay) -> None:
        """One connection from its opening to its end, which is an exception unless we unbind."""
        self._flow.reset()
        self._stood_seconds = 0.0
        session = self._session = self._new_session(relay)
        try:
            await self._open(session)
            await self._stand(session)
        finally:
            await self._end(session)
        if not self._parting.is_set():
            raise SmppUnavailable(f"bind {self.name}: {session.why}")

    def _new_session(self, relay: Relay) -> Session:
        return Session(self.setting, relay, self._flow, self._stirred, self._now)

    async def _end(self, session: Session) -> None:
        self._session = None
        session.shut("stopped")
        await close(session.link)

    async def _open(self, session: Session) -> None:
        """Connect and bind.

        Raises:
            SmppUnavailable, BindRefused: with what the operator should know.
        """
        setting = self.setting
        where = f"bind {self.name} to {setting.host}:{setting.port}"
        try:
            async with asyncio.timeout(setting.bind_timeout_seconds) as self._patience:
                await connect(setting, self._tls, session.link)
                await session.bound()
        except BindRefused as error:
            raise BindRefused(f"{where}: {error}", error.status) from error
        except TimeoutError as error:
            seconds = f"in {setting.bind_timeout_seconds:g} s"
            raise SmppUnavailable(f"{where}: {session.why} {seconds}") from error
        except (SmppUnavailable, OSError) as error:
            raise SmppUnavailable(f"{where}: {reason(error)}") from error
        finally:
            self._patience = None

    async def _stand(self, session: Session) -> None:
        """From the bind to the end."""
        began = self._now()
        logger.info("bind %s stands, to %s:%d", self.name, self.setting.host, self.setting.port)
        try:
            await session.leaving.wait()
            await session.part()
        finally:
            self._stood_seconds = self._now() - began

    async def _after(self, error: Exception) -> None:
        """Pause before the next try."""
        if self._parting.is_set():
            return
        if self._stood_seconds > self._pause_seconds:
            self._failures = 0
            self._said.clear()
        self._failures += 1
        self._note(error)
        self._pause_seconds = self._next_pause(error)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pause_seconds):
                await self._parting.wait()

    def _next_pause(self, error: Exception) -> float:
        chance = random.random()
        pause = retry_delay(self._failures, *self.setting.retry_seconds, chance)
        if isinstance(error, BindRefused) and error.status in BIND_REFUSED_FOR_LONG:
            return max(pause, self.setting.refused_retry_seconds * (1.0 + chance / 4))
        return pause

    def _note(self, error: Exception) -> None:
        """Keep the reason for the operator; log each once an outage, not once a try."""
        self._trouble = str(error)
        if self._trouble in self._said:
            return
        self._said.add(self._trouble)
        ours = not isinstance(error, TstnError)
        logger.warning("%s; no texts until it stands again", error, exc_info=ours)
