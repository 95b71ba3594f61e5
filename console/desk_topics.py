"""What changes under the desks: the queue, what agents have in hand, and their calls. I/O."""

from sqlalchemy import Connection

from console.desk_setting import DeskSetting
from console.desk_view import NEXT_SHOWN
from console.live import Topic
from console.parts import Parts
from domain.clock import Clock
from domain.sla import SlaBounds, sla_bounds
from store import agent_desk, callback_views
from store.engine import Store


def topics(store: Store, desk: DeskSetting, clock: Clock) -> list[Topic]:
    """The topics of the agents' pages."""

    async def queue() -> object:
        return await store.read(_head, sla_bounds(clock(), desk.at_risk))

    async def in_hand() -> object:
        held = await store.read(agent_desk.in_hand)
        if desk.line is None:
            return held
        return held, [desk.line.state(call_id) for call_id, *_ in held.calls]

    return [Topic("desk_queue", queue), Topic("desk", in_hand)]


def _head(connection: Connection, bounds: SlaBounds) -> object:
    """How many stand where, and who is next."""
    rows = callback_views.queue(connection, bounds, NEXT_SHOWN).rows
    first = [(row["id"], row["state"], row["sla"]) for row in rows]
    return callback_views.sla_counts(connection, bounds), first


async def follow(it: Parts) -> None:
    """Show each change of a call at once, until cancelled."""
    if it.desk.line is not None:
        async for _ in it.desk.line.changes():
            it.live.push("desk")
