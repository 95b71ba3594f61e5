"""The table of an agent's call, state by state and event by event. Pure."""

from itertools import product

import pytest

from ivr.agent_call_script import Command, Event, State, step

# What is not listed changes nothing and commands nothing.
TABLE = """
calling_agent    agent_rang           agent_ringing    -
calling_agent    agent_answered       dialling         dial_subscriber
calling_agent    agent_gone           ended            close
calling_agent    hang_up_asked        subscriber_left  hang_up_agent

agent_ringing    agent_answered       dialling         dial_subscriber
agent_ringing    agent_gone           ended            close
agent_ringing    hang_up_asked        subscriber_left  hang_up_agent

dialling         subscriber_rang      ringing          play_ringing
dialling         subscriber_answered  talking          connect
dialling         subscriber_gone      subscriber_left  hang_up_agent
dialling         agent_gone           agent_left       hang_up_subscriber
dialling         hang_up_asked        agent_left       hang_up_subscriber hang_up_agent

ringing          subscriber_answered  talking          connect
ringing          subscriber_gone      subscriber_left  hang_up_agent
ringing          agent_gone           agent_left       hang_up_subscriber
ringing          hang_up_asked        agent_left       hang_up_subscriber hang_up_agent

talking          subscriber_gone      subscriber_left  hang_up_agent
talking          agent_gone           agent_left       hang_up_subscriber
talking          hang_up_asked        agent_left       hang_up_subscriber hang_up_agent

agent_left       subscriber_answered  agent_left       hang_up_subscriber
agent_left       subscriber_gone      ended            hang_up_agent close
agent_left       hang_up_asked        agent_left       hang_up_subscriber hang_up_agent

subscriber_left  agent_answered       subscriber_left  hang_up_agent
subscriber_left  agent_gone           ended            close
subscriber_left  hang_up_asked        subscriber_left  hang_up_agent
"""

EXPECTED = {
    (State(state), Event(event)): (
        State(after),
        () if commands == ["-"] else tuple(Command(word) for word in commands),
    )
    for state, event, after, *commands in map(str.split, filter(None, TABLE.splitlines()))
}


@pytest.mark.parametrize("state", State)
def test_every_state_and_every_event(state: State) -> None:
    for event in Event:
        assert step(state, event) == EXPECTED.get((state, event), (state, ())), event


def test_the_subscriber_is_dialled_once_on_every_path() -> None:
    """All standings are visited, with whether the subscriber has been dialled."""
    waiting = [(State.CALLING_AGENT, False)]
    seen = set(waiting)
    while waiting:
        state, dialled = waiting.pop()
        for event in Event:
            after, commands = step(state, event)
            dials = Command.DIAL_SUBSCRIBER in commands
            assert not (dialled and dials)
            if (reached := (after, dialled or dials)) not in seen:
                seen.add(reached)
                waiting.append(reached)
    assert {state for state, _ in seen} == set(State)


def test_once_both_legs_are_gone_it_has_ended() -> None:
    """Whatever came before, and in either order: a call never stays open without channels."""
    legs = (Event.AGENT_GONE, Event.SUBSCRIBER_GONE)
    for state, order in product(State, (legs, legs[::-1], (*legs, legs[0]))):
        reached = state
        for event in order:
            reached, _ = step(reached, event)
        again, _ = step(reached, Event.AGENT_GONE)
        assert State.ENDED in (reached, again), (state, order)
