"""The service of texts with one bind, to be tried with a simulated SMSC. I/O."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import time
from typing import Any

from domain.clock import Clock, utc_now
from lab.smsc.server import Smsc
from lab.smsc.setting import TSTN
from sms.esme.setting import BindSetting
from sms.replies import DEFAULTS
from sms.service import Texts
from sms.setting import TextSetting
from store.engine import Store
from store.models import MessageOut
from tests.rows import all_rows

REPLIES = {str(kind): text for kind, text in DEFAULTS.items()}
PATIENCE_SECONDS = 0.3


@asynccontextmanager
async def serving(
    store: Store, smsc: Smsc, clock: Clock = utc_now, **bind: Any
) -> AsyncIterator[Texts]:
    """The service with one bind, while the block runs."""
    setting = BindSetting(
        **{
            "name": "node1:acc:1",
            "account": "acc",
            "host": "127.0.0.1",
            "port": smsc.port,
            "system_id": TSTN.system_id,
            "password": TSTN.password,
            "retry_seconds": (0.05, 0.2),
            **bind,
        }
    )
    setting_of_texts = TextSetting(REPLIES, {}, time(21), patience_seconds=PATIENCE_SECONDS)
    texts = Texts([setting], {}, setting_of_texts, store, clock)
    running = asyncio.create_task(texts.run())
    try:
        yield texts
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until_rows(
    store: Store, row: type[Any], holds: Callable[[list[dict[str, Any]]], bool]
) -> list[dict[str, Any]]:
    async with asyncio.timeout(10):
        while not holds(rows := await all_rows(store, row)):
            await asyncio.sleep(0.02)
    return rows


async def until_done(store: Store) -> list[dict[str, Any]]:
    """Until nothing waits in the outbox, nor is on its way."""
    return await until_rows(
        store, MessageOut, lambda rows: not {"queued", "sending"} & {row["state"] for row in rows}
    )
