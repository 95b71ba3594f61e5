"""A text campaign in a world whose clock and SMSC links the test moves. I/O."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from dialer.text_engine import TextEngine
from domain.states import CampaignKind, CampaignState
from sms.inviter import Inviter
from sms.setting import AccountSetting
from store import campaigns, outbox, outcomes
from store.engine import Store
from store.models import Campaign, MessageOut, Target
from store.outbox import Outgoing
from store.outcomes import Sent
from tests.rows import NOW, all_rows, make_campaign

WORDS = "MobiFone moi Quy khach thay SIM 4G tai nha, soan TSTN gui 9231"
BIND = "node1:acc:1"


async def make_text_campaign(
    store: Store, msisdns: Sequence[str], name: str = "texts", **knobs: Any
) -> Campaign:
    """A running text campaign with these numbers."""
    values: dict[str, Any] = {
        "kind": CampaignKind.TEXT,
        "text": WORDS,
        "account": "acc",
        "source": "9231",
        "windows": ["07:00-22:00"],
        **knobs,
    }
    return await make_campaign(store, msisdns, name, **values)


class TextWorld:
    """The engine of text campaigns, and one link that sends when it is told to."""

    def __init__(
        self, store: Store, now: datetime = NOW, accounts: Sequence[str] = ("acc",)
    ) -> None:
        self.store = store
        self.now = now
        self.stirred = 0
        self.sent: list[tuple[datetime, Outgoing]] = []
        inviter = Inviter({name: AccountSetting() for name in accounts})
        self.engine = TextEngine(
            store, inviter, lambda: self.now, self._stir, dict[date, bool](), 30
        )

    def _stir(self) -> None:
        self.stirred += 1

    async def take(self, limit: int = 100) -> list[Outgoing]:
        """The link claims texts, and writes them to the SMSC."""
        taken = await self.store.write(outbox.claim, "acc", BIND, limit, self.now)
        self.sent += [(self.now, out) for out in taken]
        return taken

    async def send(self, limit: int = 100) -> None:
        """The link sends, and the SMSC takes it at once."""
        taken = await self.take(limit)
        done = [Sent(out.id, f"id{out.id}", self.now) for out in taken]
        await self.store.write(outcomes.record, done)

    async def passes(self, seconds: float, *, tps: float = 1000.0) -> None:
        """Time goes by, tick by tick; the link sends at most at that rate."""
        for _ in range(round(seconds / 0.25)):
            self.now += timedelta(seconds=0.25)
            await self.engine.tick()
            await self.send(max(1, round(tps / 4)))

    async def move(self, state: CampaignState, name: str = "texts") -> None:
        campaign = await self.store.read(campaigns.by_name, name)
        await self.store.write(campaigns.move, campaign, state, self.now)

    async def outcomes(self) -> dict[str, str | None]:
        """The outcome of each number; None while it is not done."""
        return {row["msisdn"]: row["outcome"] for row in await all_rows(self.store, Target)}

    async def states(self) -> dict[str, str]:
        """The state of the text to each number, of its last part."""
        return {row["msisdn"]: row["state"] for row in await all_rows(self.store, MessageOut)}

    @property
    def numbers(self) -> list[str]:
        return [out.msisdn for _, out in self.sent]
