"""An agent's desk with a queue and a scripted line, for its tests. I/O."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from store.apply import apply
from store.callback_schedule import make_ready, unscheduled
from store.engine import Store
from store.models import (
    Callback,
)
from tests.consoles import Hands, Rig, Visitor, a_desk, console
from tests.phone_lines import ScriptedLine
from tests.rows import BY_NINE, NOW, all_rows, asked, make_campaign, numbers

ADDRESS = {
    "outcome": "confirmed",
    "province": "vinh long",
    "district": "Vũng Liêm",
    "ward": "Trung Hiếu",
    "hamlet": "ấp 3",
    "landmark": "gần chợ",
    "contact_name": "Nguyễn Thị Sáu",
    "day": "2021-04-03",
    "slot": "morning",
}


def release(connection: Connection, at: datetime) -> None:
    """All call-backs are ready now."""
    make_ready(connection, [(each.id, at) for each in unscheduled(connection)])


@dataclass
class Desk:
    """A console with three subscribers that wait, and its line."""

    rig: Rig
    line: ScriptedLine
    hands: Hands

    async def rows(self) -> list[dict[str, Any]]:
        return await all_rows(self.rig.store, Callback)

    async def claim(self, visitor: Visitor) -> str:
        return (await visitor.text("/desk")).split('name="claim" value="')[1].split('"')[0]

    async def taken(self, visitor: Visitor) -> str:
        """Go on duty and take the next one; its claim."""
        await visitor.send("/desk", "/desk/duty", duty="on")
        answer = await visitor.send("/desk", "/desk/next")
        assert answer.headers["Location"] == "/desk"
        return await self.claim(visitor)


@asynccontextmanager
async def opened_desk(store: Store, **setting: Any) -> AsyncIterator[Desk]:
    """A console with three subscribers that wait for a call, five minutes after they asked."""
    hands = Hands()
    line = ScriptedLine(store, hands)
    async with console(store, hands=hands, desk=a_desk(line, **setting)) as rig:
        msisdns = numbers(3)
        await make_campaign(store, msisdns)
        facts = [asked(each, NOW + timedelta(seconds=at)) for at, each in enumerate(msisdns)]
        await store.write(apply, facts, BY_NINE)
        hands.move(minutes=5)
        await store.write(release, hands.at)
        yield Desk(rig, line, hands)
