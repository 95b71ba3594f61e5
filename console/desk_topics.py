"""What changes under the desks: the queue, what agents have in hand, and their calls. I/O."""

from console import desk_view
from console.desk_setting import DeskSetting
from console.live import Topic
from console.parts import Parts
from domain.clock import Clock
from domain.sla import sla_bounds
from store import agent_desk
from store.engine import Store

QUEUE = "desk_queue"


def topics(store: Store, desk: DeskSetting, clock: Clock) -> list[Topic]:
    """The topics of the agents' pages."""

    async def queue() -> object:
        return await store.read(desk_view.queue, sla_bounds(clock(), desk.at_risk))

    async def in_hand() -> object:
        held = await store.read(agent_desk.in_hand)
        if desk.line is None:
            return held
        return held, [desk.line.state(call_id) for call_id, *_ in held.calls]

    return [Topic(QUEUE, queue), Topic("desk", in_hand)]


async def follow(it: Parts) -> None:
    """Show each change of a call at once, until cancelled."""
    if it.desk.line is not None:
        async for _ in it.desk.line.changes():
            it.live.push("desk")
