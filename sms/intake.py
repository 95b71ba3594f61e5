"""Texts and receipts into the store, and only then is the SMSC told that they arrived. I/O.

What comes in on all binds while one transaction is under way is the next one. If the store fails,
the SMSC is asked to try again later (ESME_RX_T_APPN); nothing is kept anywhere else, since the SMSC
keeps it. A text that was stored though its commit came late is delivered again, which does no harm:
the reader takes it for what it is.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from domain.clock import Clock
from domain.errors import StoreUnavailable
from domain.msisdn import mask_all
from sms.esme.bind import Bind
from sms.incoming import incoming, of_unparsable
from sms.pdu.codes import ESME_ROK, ESME_RX_P_APPN, ESME_RX_T_APPN
from sms.pdu.types import Message, Unparsable
from sms.tally import TextTally
from store.engine import Store
from store.messages import NewText, take_in
from store.patience import Patience
from store.receipts import NewReceipt, take_receipts

log = logging.getLogger(__name__)


class _Arrival(NamedTuple):
    bind: Bind
    pdu: Message | Unparsable
    row: NewText | NewReceipt

    def acknowledge(self, status: int) -> None:
        self.bind.acknowledge(self.pdu, status)


class Intake:
    """Commits what has arrived, again and again; `run` must be running.

    `stored` is called after each commit.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        patience_seconds: float,
        stored: Callable[[], None],
        tally: TextTally,
    ) -> None:
        self._store = store
        self._clock = clock
        self._patience = Patience(patience_seconds)
        self._stored = stored
        self._tally = tally
        self._waiting: list[_Arrival] = []
        self._arrived = asyncio.Event()
        self._away = False

    def take(self, bind: Bind, message: Message) -> None:
        """Take a text or a receipt; the bind's SMSC is answered once it is stored."""
        self._add(bind, message, incoming(bind.account, bind.name, message, self._clock()))

    def take_unparsable(self, bind: Bind, pdu: Unparsable) -> None:
        """Take what can't be read: its octets are stored, or the SMSC would send it for ever."""
        log.warning("bind %s: a text that can't be read is kept: %s", bind.name, pdu.reason)
        self._add(bind, pdu, of_unparsable(bind.account, bind.name, pdu, self._clock()))

    async def run(self) -> None:
        """Commit and acknowledge until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            batch, self._waiting = self._waiting, []
            await self._keep(batch)

    def _add(self, bind: Bind, pdu: Message | Unparsable, row: NewText | NewReceipt) -> None:
        self._waiting.append(_Arrival(bind, pdu, row))
        self._arrived.set()

    async def _keep(self, batch: Sequence[_Arrival]) -> None:
        try:
            await self._commit([arrival.row for arrival in batch])
        except StoreUnavailable as error:
            if not self._away:
                log.error("%s; SMSCs are asked to send their texts again", error)
            self._away = True
            self._tally.put_off += len(batch)
            _acknowledge(batch, ESME_RX_T_APPN)
        except Exception:
            await self._keep_singly(batch)
        else:
            if self._away:
                log.warning("the store is back, texts are taken again")
            self._away = False
            self._tally.take_in([arrival.row for arrival in batch], self._clock())
            _acknowledge(batch, ESME_ROK)
            self._stored()

    async def _keep_singly(self, batch: Sequence[_Arrival]) -> None:
        """One that the store refuses must not take the others down with it."""
        if len(batch) > 1:
            for arrival in batch:
                await self._keep([arrival])
            return
        [arrival] = batch
        octets = mask_all(arrival.row.raw.decode("latin-1")).encode("latin-1")
        log.critical("the store refuses a text: %s", octets.hex(), exc_info=True)
        arrival.acknowledge(ESME_RX_P_APPN)

    async def _commit(self, rows: Sequence[NewText | NewReceipt]) -> None:
        """Write the rows, or StoreUnavailable once patience is over."""
        if self._patience.is_stuck:
            raise StoreUnavailable("the store has not answered yet")
        texts = [row for row in rows if isinstance(row, NewText)]
        if len(texts) == len(rows):
            await self._patience.wait(self._store.write(take_in, texts))
        else:
            others = [row for row in rows if isinstance(row, NewReceipt)]
            await self._patience.wait(self._store.write(_keep_all, texts, others))


def _keep_all(
    connection: Connection, texts: Sequence[NewText], receipts: Sequence[NewReceipt]
) -> None:
    take_in(connection, texts)
    take_receipts(connection, receipts)


def _acknowledge(batch: Sequence[_Arrival], status: int) -> None:
    for arrival in batch:
        arrival.acknowledge(status)
