"""The demo's SMSC, and the subscribers who text through it. I/O."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

from lab.demo_texters import Diary, Step, Texter, Way
from lab.demo_texts_verdict import TextRecords
from lab.demo_verdict import Row
from lab.smsc.control_client import SmscControl
from lab.smsc.subscribers import MO, parts_of
from lab.smsc.texts import LongStyle
from store import exports, texts
from store.consent import opted_out
from store.engine import Store, open_store
from store.standing import standing

SETTLE_SECONDS = 20.0
_LOOK_SECONDS = 0.2
_PART_SECONDS = 0.3
_REDELIVERED_SECONDS = 60.0
"""It may be killed meanwhile, or we."""
_LONG = {Way.UDH8: LongStyle.UDH8, Way.UDH16: LongStyle.UDH16, Way.SAR: LongStyle.SAR}
_FIELDS: dict[Way, dict[str, Any]] = {
    Way.LATIN1: {"data_coding": 3},
    Way.UCS2: {"data_coding": 8},
    Way.DATA_SM: {"by_data_sm": True},
    Way.PAYLOAD: {"in_tlv": True},
}
_NETWORK_SPECIFIC, _ALPHANUMERIC = 3, 5
"""Types of number: a short code's, and a word's."""


class Smsc(Protocol):
    """The SMSC: its control, and its own record of all that came and went."""

    journal: Path

    @property
    def control(self) -> SmscControl:
        """The connection to its control port."""


class Texting:
    """`texters` send through the SMSC as they are told."""

    def __init__(self, smsc: Smsc, texters: Sequence[Texter]) -> None:
        self._smsc = smsc
        self._diary = Diary(texters)
        self._texters = texters
        self._references = count(1)

    @property
    def done(self) -> bool:
        """Whether all texts are sent."""
        return self._diary.done

    async def send_due(self, seconds: float, has_ended: Collection[str]) -> None:
        """Send what is due. Raises LabError where the SMSC has died."""
        for texter, step in self._diary.due(seconds, has_ended):
            await self._send(texter, step)

    async def settled(self, store_url: str) -> bool:
        """Whether all is received, read, answered and delivered, within SETTLE_SECONDS."""
        store = open_store(store_url)
        deadline = monotonic() + SETTLE_SECONDS
        try:
            while not await self._is_settled(store):
                if monotonic() > deadline:
                    return False
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            await store.close()
        return True

    async def records(
        self,
        store_url: str,
        since: datetime,
        registrations: Sequence[Row],
        callbacks: Sequence[Row],
        replies: Mapping[str, str],
    ) -> TextRecords:
        """What our store and the SMSC know of the texts since then."""
        numbers = [texter.sender for texter in self._texters if texter.is_subscriber]
        store = open_store(store_url)
        try:
            return TextRecords(
                messages=[row async for row in exports.messages(store, since)],
                registrations=registrations,
                callbacks=callbacks,
                standing=frozenset(await store.read(standing, numbers)),
                opted_out=frozenset(await store.read(opted_out, numbers)),
                sent=self._smsc.control.mos(),
                read=self._smsc.control.texts(),
                replies=replies,
            )
        finally:
            await store.close()

    async def _is_settled(self, store: Store) -> bool:
        if self._smsc.control.counts()["open"]:
            return False
        backlog = await store.read(texts.backlog)
        waits = (backlog.unread, backlog.parts_waiting, backlog.queued, backlog.sending)
        return not any((*waits, backlog.orphans))

    async def _send(self, texter: Texter, step: Step) -> None:
        mo = _mo(texter, step)
        if step.way in _LONG:
            parts = parts_of(mo, _LONG[step.way], next(self._references))
            for part in reversed(parts):
                self._smsc.control.send(part)
                await asyncio.sleep(_PART_SECONDS)
        elif step.way is Way.TWICE:
            await asyncio.to_thread(self._send_twice, mo)
        else:
            self._smsc.control.send(mo)

    def _send_twice(self, mo: MO) -> None:
        """The SMSC delivers each text again while it is told so: it must have no other."""
        control = self._smsc.control
        control.until_idle(_REDELIVERED_SECONDS)
        control.set_faults(redeliver_every=1)
        control.send(mo)
        control.until_idle(_REDELIVERED_SECONDS)
        control.set_faults(redeliver_every=0)


def _mo(texter: Texter, step: Step) -> MO:
    mo = MO(texter.sender.removeprefix("+"), text=step.words)
    if not texter.is_subscriber:
        is_code = texter.sender.isdigit()
        ton = _NETWORK_SPECIFIC if is_code else _ALPHANUMERIC
        mo = replace(mo, source_ton=ton, source_npi=0)
    return replace(mo, **_FIELDS.get(step.way, {}))
