"""The brake that keeps key 3 short: no more calls than the agents' queue can take. I/O.

Each server judges its own queue, by the calls of its own Asterisk.
"""

from datetime import datetime

from sqlalchemy import Connection

from dialer.brake_steps import OFF, BrakeSetting, let_go, standing, step
from dialer.brakes import QueueLoad, queue_wanted
from domain.agents_queue import QueueView
from domain.states import AttemptState, BrakeCause
from store import brakes, pace_figures, staffing
from store.brakes import Scope
from store.pace_figures import PaceFigures


def look(
    connection: Connection, setting: BrakeSetting, view: QueueView | None, now: datetime
) -> QueueLoad | None:
    """Read what the queue is judged by; None where key 3 leads to nobody who is waited for."""
    on_duty = staffing.ready(connection)
    if view is None or not on_duty or not setting.callbacks.hours.is_open(now):
        return None
    calls = staffing.in_the_air(connection, setting.node)
    figures = {
        campaign: pace_figures.measured(connection, campaign, now)
        for campaign in {campaign for campaign, _, _ in calls}
    }
    expected = sum(
        count * figures[campaign].key_3_rate * _answers(state, figures[campaign])
        for campaign, state, count in calls
        if figures[campaign].is_measured
    )
    talks = [figure.agent_seconds for figure in figures.values()]
    return QueueLoad(
        waiting=view.waiting,
        free_agents=view.free_agents,
        busy_agents=max(0, on_duty - view.free_agents),
        expected=expected,
        talk_seconds=max(talks, default=pace_figures.GUESSED.agent_seconds),
        tolerable_seconds=setting.tolerable_seconds,
    )


def put(
    connection: Connection, setting: BrakeSetting, load: QueueLoad | None, now: datetime
) -> None:
    """Write the brake, where it changes."""
    scope = Scope(BrakeCause.QUEUE, trunk=setting.trunk, node=setting.node)
    if BrakeCause.QUEUE not in setting.causes:
        let_go(connection, scope, OFF, now)
        return
    if load is None:
        reason = "key 3 leads to nobody who could be waited for"
        step(connection, scope, 1.0, reason, now, setting.hold)
        return
    before = standing(brakes.of(connection, scope))
    reason = (
        f"{load.waiting} wait for an agent and {load.expected:.1f} more will; those who can be "
        f"answered within {load.tolerable_seconds:g} s are {load.room + load.waiting:.1f}"
    )
    wanted = queue_wanted(before, load, now, setting.hold)
    step(connection, scope, wanted, reason, now, setting.hold)


def _answers(state: AttemptState, figures: PaceFigures) -> float:
    """How likely an open dial is to be answered."""
    return 1.0 if state is AttemptState.ANSWERED else figures.answer_rate
