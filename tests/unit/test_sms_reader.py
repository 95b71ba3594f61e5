"""The reader outlives whatever the store does to it, at whichever step."""

import asyncio
from typing import Any

from domain.clock import utc_now
from domain.errors import StoreUnavailable
from sms.answering import answer_texts
from sms.reader import Reader
from sms.tally import TextTally


class FrailStore:
    """Reading fails, and then the store is away when the text is to be set aside."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.was_away = asyncio.Event()

    async def write(self, operation: Any, *args: Any) -> int:
        self.asked.append(operation)
        if operation is answer_texts:
            raise RuntimeError("a text that nobody can read")
        self.was_away.set()
        raise StoreUnavailable("gone just now")


async def test_the_store_goes_while_a_text_is_set_aside() -> None:
    store: Any = FrailStore()
    setting: Any = None
    reader = asyncio.create_task(Reader(store, setting, utc_now, lambda: None, TextTally()).run())
    async with asyncio.timeout(5):
        await store.was_away.wait()
    done, _ = await asyncio.wait({reader}, timeout=0.1)
    assert not done, "no text is ever read again"
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
