"""An agent put off duty by the supervisor: who has gone home, or whose desk stands empty. I/O."""

from aiohttp import web
from sqlalchemy import Connection

from console.parts import parts
from console.render import page
from console.writes import write
from domain.states import Duty
from store import agents, duty
from store.agents import Present


async def show(request: web.Request) -> web.StreamResponse:
    """Who it is and what it means, before it is done."""
    return page(request, "supervise/agent.html", {"agent": await _agent(request)})


async def send_off(request: web.Request) -> web.StreamResponse:
    """As the agent's own button would: what is in hand goes back, unless its call goes on."""
    it, agent = parts(request), await _agent(request)
    now = it.clock()

    def change(connection: Connection) -> None:
        duty.set_duty(connection, agent.agent_id, Duty.OFF, now)

    await write(request, "agent_sent_off", change, subject=agent.name, before=agent.duty)
    for topic in ("queue", "agents"):
        it.live.push(topic)
    raise web.HTTPSeeOther("/supervise?done=agent_sent_off")


async def _agent(request: web.Request) -> Present:
    wanted = int(request.match_info["agent"])
    for one in await parts(request).store.read(agents.present):
        if one.agent_id == wanted:
            return one
    raise web.HTTPNotFound
