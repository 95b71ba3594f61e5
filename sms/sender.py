"""Sends what waits in the outbox through one bind: claimed and committed before it is written. I/O.

The next texts are claimed while the last ones are on their way, so that the window stays full, but
only a moment ahead: after kill -9 they count as unknown (`sms.claim_size`). What was claimed and is
not written soon, or when the link ends, goes back to the queue, for another bind maybe.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from domain import log_ids
from domain.clock import Clock
from domain.errors import StoreUnavailable
from domain.msisdn import national
from sms.claim_size import ClaimSize
from sms.esme import listener
from sms.esme.bind import Bind, BindState
from sms.esme.errors import NoRoom
from sms.pdu.make import BindKind, Submit
from sms.pdu.types import Address
from sms.recorder import Recorder
from sms.resending import outcome_of
from sms.setting import AccountSetting
from sms.tally import TextTally
from store import outbox, outcomes
from store.engine import Store
from store.outbox import Outgoing
from store.outcomes import Refused, Unsent

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
"""How often to look without being told: what is due again, what another process has posted."""
_STORE_AWAY_SECONDS = 1.0
_FRESH_FOR = timedelta(seconds=2)
"""What is not written by then goes back: its number may have opted out, its campaign be halted,
replies wait behind it, or another bind have room."""
_BEGUN_FOR = timedelta(minutes=5)
"""So long the rest of a text may wait whose first part went out: half of one can't be read. Soon
after, others would take it for abandoned."""
_DOUBTFUL_FOR = timedelta(minutes=1)
"""How long a COMMIT without an answer may still be carried out by the database."""
_FEWEST_CLAIMED, _MOST_CLAIMED = 50, 500
"""In one claim, at full speed."""
_VALID_FOR = "000001000000000R"
"""A day (SMPP 3.4, 7.1.1): later nobody waits for the answer any more."""
_WANT_RECEIPT = 1
_INTERNATIONAL, _ISDN = 1, 1
_MALFORMED = 0xFF
"""Our own status (unknown error) for a row that has no form as a PDU."""


class _AtHand(NamedTuple):
    """A PDU that is claimed and not written; its claim is named by the time it was made."""

    outgoing: Outgoing
    claimed_at: datetime
    since: datetime


class Sender:
    """Feeds one bind while `run` runs. The bind's listener passes `opened`, `closed`, `submitted`.

    Attributes:
        sent: PDUs written since the start.
    """

    def __init__(
        self,
        bind: Bind,
        store: Store,
        recorder: Recorder,
        setting: AccountSetting,
        clock: Clock,
        tally: TextTally,
    ) -> None:
        self.sent = 0
        self._bind = bind
        self._store = store
        self._recorder = recorder
        self._setting = setting
        self._clock = clock
        self._tally = tally
        most = max(_FEWEST_CLAIMED, min(_MOST_CLAIMED, 2 * bind.setting.window))
        self._size = ClaimSize(most, time.monotonic)
        self._ready: deque[_AtHand] = deque()
        self._begun: int | None = None  # the text whose part was written last
        self._under_way: dict[int, Outgoing] = {}
        self._doubtful: dict[datetime, datetime] = {}  # times of claims, and how long to doubt them
        self._posted = asyncio.Event()
        self._filled = asyncio.Event()
        self._hungry = asyncio.Event()
        self._sources: dict[str, Address] = {}

    @property
    def sends(self) -> bool:
        """Whether the bind may send at all."""
        return self._bind.setting.kind is not BindKind.RX

    def stir(self) -> None:
        """There may be something to send."""
        self._posted.set()

    def submitted(self, ref: int, told: listener.Outcome) -> None:
        """The bind tells what became of a PDU."""
        outgoing = self._under_way.pop(ref)
        self._tally.submitted(self._bind.name, told)
        self._recorder.note(outcome_of(outgoing, told, self._clock()))

    def closed(self) -> None:
        """The link has ended: what is not written yet may go by another bind."""
        while self._ready:
            self._give_back(self._ready.popleft())

    async def run(self) -> None:
        """Claim and send until cancelled; then what is not written goes back to the queue."""
        log_ids.bind(bind=self._bind.name)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._claim_ahead())
                group.create_task(self._send_ready())
        finally:
            self.closed()

    async def _claim_ahead(self) -> None:
        while True:
            await self._hungry.wait()
            if not self._under_way:  # what is on its way will make room
                await self._bind.wait_room()
            self._posted.clear()
            now = self._clock()
            self._doubtful = {at: until for at, until in self._doubtful.items() if until > now}
            claimed = await self._claim(now)
            self._take(now, claimed)
            if claimed and self._bind.state is not BindState.BOUND:
                self.closed()  # the link has ended meanwhile
            elif claimed:
                self._filled.set()
                self._hungry.clear()
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_SECONDS):
                        await self._posted.wait()

    async def _claim(self, now: datetime) -> Sequence[Outgoing]:
        """The next texts. A claim is never left to itself: it may be committed already."""
        limit = self._size.size(self._bind.room, len(self._ready))
        claiming = asyncio.ensure_future(self._store.write(self._claim_rows, limit, now))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            with suppress(StoreUnavailable):
                self._take(now, await claiming)
            raise
        except Exception as error:
            # It may be committed all the same, even later: then nothing of it is ever written.
            self._doubtful[now] = self._clock() + _DOUBTFUL_FOR
            fault = not isinstance(error, StoreUnavailable)
            log.warning("bind %s sends nothing: %s", self._bind.name, error, exc_info=fault)
            await asyncio.sleep(_STORE_AWAY_SECONDS)
            return ()

    def _claim_rows(self, connection: Connection, limit: int, now: datetime) -> list[Outgoing]:
        bind = self._bind.name
        for claimed_at in self._doubtful:
            outcomes.give_back_claim(connection, bind, claimed_at)
        return outbox.claim(connection, self._bind.account, bind, limit, now)

    async def _send_ready(self) -> None:
        while True:
            while not self._ready:
                self._filled.clear()
                self._hungry.set()
                await self._filled.wait()
            await self._wait_room()
            while self._ready and self._bind.room > 0:
                at_hand = self._ready.popleft()
                if self._is_old(at_hand):
                    self._give_back(at_hand)
                else:
                    self._send(at_hand)
            if self._size.is_due(len(self._ready)):
                self._hungry.set()

    async def _wait_room(self) -> None:
        """Until there is room. While that takes long, nothing is claimed, and nothing kept."""
        while self._bind.room <= 0:
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._bind.wait_room()
            except TimeoutError:
                self._hungry.clear()
                self._give_back_old()

    def _give_back_old(self) -> None:
        for _ in range(len(self._ready)):
            at_hand = self._ready.popleft()
            if self._is_old(at_hand):
                self._give_back(at_hand)
            else:
                self._ready.append(at_hand)

    def _is_old(self, at_hand: _AtHand) -> bool:
        is_begun = at_hand.outgoing.part > 1 and at_hand.outgoing.message == self._begun
        return self._clock() - at_hand.since > (_BEGUN_FOR if is_begun else _FRESH_FOR)

    def _take(self, claimed_at: datetime, claimed: Sequence[Outgoing]) -> None:
        # Their age counts from here: else a slow store would make them old before they are sent.
        now = self._clock()
        self._ready.extend(_AtHand(outgoing, claimed_at, now) for outgoing in claimed)

    def _give_back(self, at_hand: _AtHand) -> None:
        self._recorder.note(Unsent(at_hand.outgoing.id, self._bind.name, at_hand.claimed_at))

    def _send(self, at_hand: _AtHand) -> None:
        outgoing = at_hand.outgoing
        if outgoing.tries > 1 and self._recorder.came_late(outgoing.id):
            return  # taken at an earlier try, as its row will say
        self._under_way[outgoing.id] = outgoing
        try:
            self._bind.send(outgoing.id, self._submit(outgoing))
        except NoRoom:
            del self._under_way[outgoing.id]
            self._ready.appendleft(at_hand)
        except ValueError:
            del self._under_way[outgoing.id]
            log.exception("text %d has no form as a PDU", outgoing.message)
            now = self._clock()
            self._recorder.note(Refused(outgoing.id, outgoing.tries, _MALFORMED, None, now))
        else:
            self._begun = outgoing.message
            self.sent += 1
            self._size.written()

    def _submit(self, outgoing: Outgoing) -> Submit:
        return Submit(
            source=self._source(outgoing.source),
            destination=Address(_INTERNATIONAL, _ISDN, f"84{national(outgoing.msisdn)[1:]}"),
            payload=outgoing.payload,
            data_coding=outgoing.data_coding,
            esm_class=outgoing.esm_class,
            registered_delivery=_WANT_RECEIPT,
            validity_period=_VALID_FOR,
            tlvs=outgoing.tlvs,
        )

    def _source(self, digits: str) -> Address:
        known = self._sources.get(digits)
        if known is None:
            known = self._sources[digits] = self._setting.source(digits)
        return known
