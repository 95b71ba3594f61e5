"""All binds of a server: each kept for itself, so that one that is down stops no other."""

import asyncio
import time
from collections.abc import Iterable, Mapping

from domain.pacing import Monotonic, TokenBucket
from sms.esme.bind import Bind
from sms.esme.listener import Listener
from sms.esme.setting import BindSetting


class Binds:
    """The binds of all accounts, of one SMSC or of several.

    Args:
        account_tps: PDUs a second that all binds of an account may send together; an account that
            is not named has no such limit.

    Raises:
        ConfigError: see `Bind`.
    """

    def __init__(
        self,
        settings: Iterable[BindSetting],
        account_tps: Mapping[str, float],
        now: Monotonic = time.monotonic,
    ) -> None:
        rates = {account: TokenBucket(tps, now) for account, tps in account_tps.items()}
        self.all = tuple(Bind(setting, rates.get(setting.account), now) for setting in settings)

    def of(self, account: str) -> tuple[Bind, ...]:
        """The binds of one account: any of them may bring its receipts."""
        return tuple(bind for bind in self.all if bind.account == account)

    async def run(self, listener: Listener) -> None:
        """Keep all binds. Ends when cancelled, or returns after `unbind`."""
        async with asyncio.TaskGroup() as group:
            for bind in self.all:
                group.create_task(bind.run(listener), name=f"bind-{bind.name}")

    async def unbind(self) -> None:
        """Take leave on all binds at once; `run` then returns."""
        await asyncio.gather(*(bind.unbind() for bind in self.all))
