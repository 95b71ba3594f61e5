"""The texts of this server: binds, intake, reader, senders, and what keeps them in order. I/O."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from domain.clock import Clock
from domain.errors import StoreUnavailable
from sms import replies
from sms.esme import listener
from sms.esme.bind import Bind
from sms.esme.group import Binds
from sms.esme.setting import BindSetting
from sms.intake import Intake
from sms.pdu.types import Message, Unparsable
from sms.reader import Reader
from sms.recorder import Recorder
from sms.sender import Sender
from sms.setting import TextSetting
from sms.tally import TextTally
from store import outcomes, receipts
from store.engine import Store
from store.outcomes import Sent

log = logging.getLogger(__name__)

_KEEP_HOUSE_SECONDS = 1.0
_ABANDONED_AFTER = timedelta(minutes=10)
"""A bind that has not told the outcome of a PDU after this long will not come back for it."""


class Texts:
    """Fulfils the binds' Listener. Raises ConfigError where replies or binds make no sense."""

    def __init__(
        self,
        binds: Iterable[BindSetting],
        account_tps: Mapping[str, float],
        setting: TextSetting,
        store: Store,
        clock: Clock,
    ) -> None:
        replies.check(setting.replies)
        self.tally = TextTally()
        self.binds = Binds(binds, account_tps)
        self._store = store
        self._clock = clock
        self._recorder = Recorder(store)
        self._reader = Reader(store, setting, clock, self.stir, self.tally)
        self._intake = Intake(store, clock, setting.patience_seconds, self._reader.stir, self.tally)
        self._senders = {
            bind.name: Sender(
                bind, store, self._recorder, setting.account(bind.account), clock, self.tally
            )
            for bind in self.binds.all
        }

    async def run(self) -> None:
        """Take, read, answer and send until cancelled; then part from the SMSCs in good order.

        Returns at once where there is no SMSC.
        """
        if not self._senders:
            return
        tasks = [
            asyncio.create_task(work, name=name)
            for name, work in (
                ("binds", self.binds.run(self)),
                ("intake", self._intake.run()),
                ("recorder", self._recorder.run()),
            )
        ]
        try:
            async with asyncio.TaskGroup() as group:
                for task in tasks:
                    group.create_task(_fault_of(task))
                group.create_task(self._reader.run(), name="reader")
                group.create_task(self._keep_house(), name="texts-house")
                for sender in self._senders.values():
                    if sender.sends:
                        group.create_task(sender.run(), name="sender")
        finally:
            # No new text is sent any more; what is on its way may still be answered.
            await self.binds.unbind()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._recorder.flush()

    def stir(self) -> None:
        """Texts may wait to be sent."""
        for sender in self._senders.values():
            sender.stir()

    def report(self) -> dict[str, Any]:
        """How the binds stand, for `health`."""
        return {
            bind.name: {
                "state": bind.state,
                "trouble": bind.trouble,
                "room": bind.room,
                "window": bind.setting.window,
                "unanswered": bind.unanswered,
                "sent": self._senders[bind.name].sent,
            }
            for bind in self.binds.all
        }

    # -- for the binds

    def opened(self, bind: Bind) -> None:
        """Send what waits."""
        self._senders[bind.name].stir()

    def closed(self, bind: Bind) -> None:
        """Give back what was not written."""
        self._senders[bind.name].closed()

    def received(self, bind: Bind, message: Message) -> None:
        """Store a text or a receipt, then acknowledge it."""
        self._intake.take(bind, message)

    def unparsable(self, bind: Bind, pdu: Unparsable) -> None:
        """Store it as it came."""
        self._intake.take_unparsable(bind, pdu)

    def submitted(self, bind: Bind, ref: int, outcome: listener.Outcome) -> None:
        """Write down what became of a text of ours."""
        self._senders[bind.name].submitted(ref, outcome)

    def accepted_late(self, bind: Bind, ref: int, accepted: listener.Accepted) -> None:
        """Write down that a text of ours was taken after all."""
        self._recorder.note_late(Sent(ref, accepted.message_id, self._clock()))

    # -- inside

    async def _keep_house(self) -> None:
        """First close what a process before us left open; then match receipts that came early."""
        names = [bind.name for bind in self.binds.all]
        started = self._clock()
        has_closed = False
        while True:
            try:
                if not has_closed:
                    left = await self._store.write(outcomes.abandon, names, started)
                    has_closed = True
                    if left:
                        log.warning("%d texts were on their way when the last process ended", left)
                now = self._clock()
                await self._store.write(_catch_up, now)
            except StoreUnavailable as error:
                log.warning("receipts wait: %s", error)
            except Exception:
                log.exception("fault at keeping texts in order")
            await asyncio.sleep(_KEEP_HOUSE_SECONDS)


def _catch_up(connection: Connection, now: datetime) -> None:
    receipts.rematch(connection, now)
    outcomes.abandon_older(connection, now - _ABANDONED_AFTER, now)


async def _fault_of(task: asyncio.Task[None]) -> None:
    """End as the task does, but leave it running where we are cancelled."""
    await asyncio.shield(task)
