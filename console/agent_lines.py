"""The agents as lines of a table: what each does, since when, and how the day goes. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.states import Duty
from store.agents import Present
from store.callback_statistics import Work


class Doing(StrEnum):
    """What an agent does now, the busiest first."""

    TALKING = "talking"
    CALLING = "calling"
    HOLDING = "holding"
    READY = "ready"
    PAUSED = "paused"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class AgentLine:
    """One agent and the day's work; `since` is None for who was never on duty."""

    agent_id: int
    name: str
    doing: Doing
    since: datetime | None
    pause_reason: str | None
    callback_id: int | None
    is_on_duty: bool
    work: Work


def lines(present: Iterable[Present], works: Mapping[int, Work]) -> list[AgentLine]:
    """The agents, who does something first, then by name."""
    made = [_line(agent, works.get(agent.agent_id, Work())) for agent in present]
    order = list(Doing)
    return sorted(made, key=lambda line: order.index(line.doing))


def _line(agent: Present, work: Work) -> AgentLine:
    doing, since = _doing(agent)
    return AgentLine(
        agent.agent_id,
        agent.name,
        doing,
        since,
        agent.pause_reason,
        agent.callback_id,
        agent.duty is not Duty.OFF,
        work,
    )


def _doing(agent: Present) -> tuple[Doing, datetime | None]:
    """A call says more than a claim, and a claim more than the duty."""
    if agent.answered_at is not None:
        return Doing.TALKING, agent.answered_at
    if agent.dialled_at is not None:
        return Doing.CALLING, agent.dialled_at
    if agent.callback_id is not None:
        return Doing.HOLDING, agent.claimed_at
    by_duty = {Duty.ON: Doing.READY, Duty.PAUSED: Doing.PAUSED, Duty.OFF: Doing.OFF}
    return by_duty[agent.duty], agent.duty_since
