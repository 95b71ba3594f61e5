"""What the tests of the SMPP client share: a bind that runs, and a listener that notes all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sms.esme.bind import Bind
from sms.esme.listener import Accepted, Outcome
from sms.esme.setting import BindSetting
from sms.pdu.make import Submit
from sms.pdu.types import Address, Message, Unparsable
from tests.fakes.smsc_peer import SmscPeer

SUBMIT = Submit(Address(0, 1, "9231"), Address(1, 1, "84901234567"), b"hello", 0, 0, 1, "", ())


class Hand:
    """A clock that only a hand moves."""

    def __init__(self, at: float = 1000.0) -> None:
        self.at = at
        self._looks = 0

    def __call__(self) -> float:
        self._looks += 1
        return self.at

    async def until_seen(self, times: int = 6) -> None:
        """Returns once so many more looks have been taken at it: ticks have passed."""
        enough = self._looks + times
        async with asyncio.timeout(10):
            while self._looks < enough:
                await asyncio.sleep(0.005)


class Notes:
    """A listener: what it is told, in order, as (bind name, event, ...)."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
        self.faults: set[str] = set()
        self.acknowledging = False

    def opened(self, bind: Bind) -> None:
        self._note(bind, "opened")

    def closed(self, bind: Bind) -> None:
        self._note(bind, "closed")

    def received(self, bind: Bind, message: Message) -> None:
        self._note(bind, "received", message)
        if self.acknowledging:
            bind.acknowledge(message, 0)

    def unparsable(self, bind: Bind, pdu: Unparsable) -> None:
        self._note(bind, "unparsable", pdu)

    def submitted(self, bind: Bind, ref: int, outcome: Outcome) -> None:
        self._note(bind, "submitted", ref, outcome)

    def accepted_late(self, bind: Bind, ref: int, accepted: Accepted) -> None:
        self._note(bind, "accepted_late", ref, accepted)

    def _note(self, bind: Bind, event: str, *more: object) -> None:
        self.told.put_nowait((bind.name, event, *more))
        if event in self.faults:
            raise RuntimeError(f"a fault in {event}")

    async def next(self, event: str) -> Any:
        """What came with the next event, which must be that one."""
        async with asyncio.timeout(10):
            _, got, *more = await self.told.get()
        assert got == event, (got, more)
        return more[0] if len(more) == 1 else tuple(more)

    @property
    def silent(self) -> bool:
        return self.told.empty()


def setting(smsc: SmscPeer, **changes: Any) -> BindSetting:
    """A bind to that peer, quick to try again."""
    plain = {
        "name": "mt1",
        "account": "mobifone",
        "host": smsc.host,
        "port": smsc.port,
        "system_id": "tstn",
        "password": "sesame",
        "retry_seconds": (0.01, 0.02),
    }
    return BindSetting(**{**plain, **changes})


@asynccontextmanager
async def running(bind: Bind, listener: Notes) -> AsyncIterator["asyncio.Task[None]"]:
    """The bind runs meanwhile; it is cancelled at the end."""
    task = asyncio.create_task(bind.run(listener))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
