"""A 9090 agent's call to a subscriber: every state × every event, as a table. Pure.

The agent's phone rings first; who answers there hears the subscriber's phone ring, and then the
subscriber. When one hangs up, so does the other. `step(state, event)` gives the next state and the
commands to carry out.
"""

from enum import StrEnum


class State(StrEnum):
    """Where the call stands."""

    CALLING_AGENT = "calling_agent"
    AGENT_RINGING = "agent_ringing"
    DIALLING = "dialling"  # the agent is there, the subscriber's phone does not ring yet
    RINGING = "ringing"
    TALKING = "talking"
    AGENT_LEFT = "agent_left"  # the subscriber's leg is yet to end
    SUBSCRIBER_LEFT = "subscriber_left"  # the agent's leg is yet to end
    ENDED = "ended"


class Event(StrEnum):
    """What can happen to it. A leg that is gone may have never been there."""

    AGENT_RANG = "agent_rang"
    AGENT_ANSWERED = "agent_answered"
    AGENT_GONE = "agent_gone"
    SUBSCRIBER_RANG = "subscriber_rang"
    SUBSCRIBER_ANSWERED = "subscriber_answered"
    SUBSCRIBER_GONE = "subscriber_gone"
    HANG_UP_ASKED = "hang_up_asked"  # by the agent's page, or because nothing else helps


class Command(StrEnum):
    """What is to be done, in the order given. To hang up what is gone is harmless."""

    DIAL_SUBSCRIBER = "dial_subscriber"
    PLAY_RINGING = "play_ringing"
    CONNECT = "connect"
    HANG_UP_AGENT = "hang_up_agent"
    HANG_UP_SUBSCRIBER = "hang_up_subscriber"
    CLOSE = "close"


Step = tuple[State, tuple[Command, ...]]

_A, _E, _C = State, Event, Command
_AGENT_LEAVES: dict[Event, Step] = {
    _E.AGENT_GONE: (_A.AGENT_LEFT, (_C.HANG_UP_SUBSCRIBER,)),
}
_SUBSCRIBER_LEAVES: dict[Event, Step] = {
    _E.SUBSCRIBER_GONE: (_A.SUBSCRIBER_LEFT, (_C.HANG_UP_AGENT,)),
}
_NO_SUBSCRIBER_YET: dict[Event, Step] = {
    _E.AGENT_ANSWERED: (_A.DIALLING, (_C.DIAL_SUBSCRIBER,)),
    _E.AGENT_GONE: (_A.ENDED, (_C.CLOSE,)),
    _E.HANG_UP_ASKED: (_A.SUBSCRIBER_LEFT, (_C.HANG_UP_AGENT,)),
}
_BOTH: dict[Event, Step] = {
    **_AGENT_LEAVES,
    **_SUBSCRIBER_LEAVES,
    # The agent's leg ends, and with it the subscriber's.
    _E.HANG_UP_ASKED: (_A.AGENT_LEFT, (_C.HANG_UP_SUBSCRIBER, _C.HANG_UP_AGENT)),
}
_ANSWER: dict[Event, Step] = {_E.SUBSCRIBER_ANSWERED: (_A.TALKING, (_C.CONNECT,))}

TABLE: dict[State, dict[Event, Step]] = {
    _A.CALLING_AGENT: {**_NO_SUBSCRIBER_YET, _E.AGENT_RANG: (_A.AGENT_RINGING, ())},
    _A.AGENT_RINGING: _NO_SUBSCRIBER_YET,
    _A.DIALLING: {**_BOTH, **_ANSWER, _E.SUBSCRIBER_RANG: (_A.RINGING, (_C.PLAY_RINGING,))},
    _A.RINGING: {**_BOTH, **_ANSWER},
    _A.TALKING: _BOTH,
    _A.AGENT_LEFT: {
        # Answered at the very moment: nobody is there to talk to.
        _E.SUBSCRIBER_ANSWERED: (_A.AGENT_LEFT, (_C.HANG_UP_SUBSCRIBER,)),
        _E.SUBSCRIBER_GONE: (_A.ENDED, (_C.HANG_UP_AGENT, _C.CLOSE)),
        _E.HANG_UP_ASKED: (_A.AGENT_LEFT, (_C.HANG_UP_SUBSCRIBER, _C.HANG_UP_AGENT)),
    },
    _A.SUBSCRIBER_LEFT: {
        _E.AGENT_ANSWERED: (_A.SUBSCRIBER_LEFT, (_C.HANG_UP_AGENT,)),
        _E.AGENT_GONE: (_A.ENDED, (_C.CLOSE,)),
        _E.HANG_UP_ASKED: (_A.SUBSCRIBER_LEFT, (_C.HANG_UP_AGENT,)),
    },
    _A.ENDED: {},
}
"""What a row does not name changes nothing there: it is late, doubled, or has no meaning."""


def step(state: State, event: Event) -> Step:
    """Give the next state, and the commands to carry out in order."""
    return TABLE[state].get(event, (state, ()))
