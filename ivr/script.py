"""The call script: every state × every event, as a table. Pure.

`step(call, event)` gives the call's next standing and the commands to carry out. The words are data
(`prompts/`); the order of keys, replays and silence is domain.md §3. Both drivers feed this table.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

MAX_REPLAYS = 3
"""How often key 2 plays the whole call again."""


class State(StrEnum):
    """Where a call stands. Playing states end with `played`."""

    DIALLING = "dialling"
    INVITING = "inviting"
    REMINDING = "reminding"
    LISTENING = "listening"
    REGISTERING = "registering"
    THANKING = "thanking"
    REFUSING = "refusing"
    CONFIRMING = "confirming"
    HANDING_OVER = "handing_over"
    WITH_AGENT = "with_agent"
    ADVISING = "advising"
    APOLOGISING = "apologising"
    CLOSING = "closing"
    ENDED = "ended"


class Event(StrEnum):
    """What can happen to a call."""

    ANSWERED = "answered"
    KEY_1 = "key_1"
    KEY_2 = "key_2"
    KEY_3 = "key_3"
    KEY_9 = "key_9"
    OTHER_KEY = "other_key"
    PLAYED = "played"
    SILENCE = "silence"
    KEPT = "kept"
    NOT_KEPT = "not_kept"
    NO_AGENT = "no_agent"
    CONNECTED = "connected"
    HUNG_UP = "hung_up"


class Command(StrEnum):
    """What the driver is to do, in the order given."""

    STOP_PLAYING = "stop_playing"
    PLAY_INVITATION = "play_invitation"
    PLAY_MENU = "play_menu"
    PLAY_THANKS = "play_thanks"
    PLAY_REFUSED = "play_refused"
    PLAY_APOLOGY = "play_apology"
    PLAY_CLOSE = "play_close"
    LISTEN = "listen"
    REGISTER = "register"
    REFUSE = "refuse"
    PROMISE_ADVICE = "promise_advice"
    HAND_OVER = "hand_over"
    HANG_UP = "hang_up"


@dataclass(frozen=True, slots=True)
class Call:
    """The standing of one call. `registered`: key 1 was acted on, a second one changes nothing.

    `refused` says the same of key 9, which refuses invitations where the call `may_refuse`, that is
    in advertising; elsewhere 9 is a wrong key.
    """

    state: State = State.DIALLING
    replays: int = 0
    reminded: bool = False
    registered: bool = False
    refused: bool = False
    may_refuse: bool = False


NEW_CALL = Call()

Commands = tuple[Command, ...]
Step = tuple[Call, Commands]
Rule = Callable[[Call], Step]

PROMPTS: dict[Command, tuple[str, ...]] = {
    Command.PLAY_INVITATION: ("notice", "offer", "menu_replay", "menu_agent"),
    Command.PLAY_MENU: ("offer", "menu_replay", "menu_agent"),
    Command.PLAY_THANKS: ("after_1",),
    Command.PLAY_REFUSED: ("refused",),
    Command.PLAY_APOLOGY: ("no_agent",),
    Command.PLAY_CLOSE: ("close",),
}
"""The sentences of each playing command, by name."""
HOW_TO_REFUSE = "menu_refuse"
"""What follows the menu where key 9 refuses."""
_WITH_MENU = (Command.PLAY_INVITATION, Command.PLAY_MENU)


def sentences(call: Call, command: Command) -> tuple[str, ...]:
    """What a playing command says in this call."""
    says_how = call.may_refuse and command in _WITH_MENU
    return (*PROMPTS[command], HOW_TO_REFUSE) if says_how else PROMPTS[command]


def to(state: State, *commands: Command) -> Rule:
    """Move to `state` and do `commands`."""
    return lambda call: (replace(call, state=state), commands)


def ignore(call: Call) -> Step:
    """Nothing changes: the event is late, doubled, or has no meaning here."""
    return call, ()


def register(*before: Command) -> Rule:
    """Key 1: the registration is committed first, the thank-you comes when it is kept."""

    def rule(call: Call) -> Step:
        if call.registered:
            return call, ()
        standing = replace(call, state=State.REGISTERING, registered=True)
        return standing, (*before, Command.REGISTER)

    return rule


def register_quietly(call: Call) -> Step:
    """Key 1 where nothing can be played (any more): it counts all the same."""
    if call.registered:
        return call, ()
    return replace(call, registered=True), (Command.REGISTER,)


def refuse(*before: Command, otherwise: Rule) -> Rule:
    """Key 9 in advertising: the refusal is committed first, what confirms it comes then."""

    def rule(call: Call) -> Step:
        if not call.may_refuse:
            return otherwise(call)
        if call.refused:
            return call, ()
        return replace(call, state=State.REFUSING, refused=True), (*before, Command.REFUSE)

    return rule


def refuse_quietly(call: Call) -> Step:
    """Key 9 where nothing can be played (any more): it counts all the same."""
    if call.refused or not call.may_refuse:
        return call, ()
    return replace(call, refused=True), (Command.REFUSE,)


def forget_unkept(call: Call) -> Step:
    """Neither store nor spool took it: the key may be pressed again."""
    return replace(call, registered=False, refused=False), ()


def close_unkept(call: Call) -> Step:
    """Neither store nor spool took it: promise nothing, and let the key be pressed again."""
    standing = replace(call, state=State.CLOSING, registered=False, refused=False)
    return standing, (Command.PLAY_CLOSE,)


def replay(*before: Command) -> Rule:
    """Key 2: from the notice again, a few times; then the call closes."""

    def rule(call: Call) -> Step:
        if call.replays < MAX_REPLAYS:
            again = replace(call, state=State.INVITING, replays=call.replays + 1, reminded=False)
            return again, (*before, Command.PLAY_INVITATION)
        if call.state is State.CLOSING:
            return call, ()
        return replace(call, state=State.CLOSING), (*before, Command.PLAY_CLOSE)

    return rule


def remind(*before: Command) -> Rule:
    """A wrong key or silence: the menu once more, then the close."""

    def rule(call: Call) -> Step:
        if call.reminded:
            return replace(call, state=State.CLOSING), (*before, Command.PLAY_CLOSE)
        return replace(call, state=State.REMINDING, reminded=True), (*before, Command.PLAY_MENU)

    return rule


def keys(*before: Command) -> dict[Event, Rule]:
    """The menu's keys; `before` silences what is playing."""
    return {
        Event.KEY_1: register(*before),
        Event.KEY_2: replay(*before),
        Event.KEY_3: to(State.HANDING_OVER, *before, Command.HAND_OVER),
        Event.KEY_9: refuse(*before, otherwise=remind(*before)),
        Event.OTHER_KEY: remind(*before),
    }


def rules(*named: dict[Event, Rule]) -> dict[Event, Rule]:
    """A row of the table: what is not named is ignored, a hang-up ends the call."""
    row: dict[Event, Rule] = dict.fromkeys(Event, ignore) | {Event.HUNG_UP: to(State.ENDED)}
    for some in named:
        row |= some
    return row


_STOP = Command.STOP_PLAYING
_THEN_HANG_UP = {Event.PLAYED: to(State.ENDED, Command.HANG_UP)}
_THEN_LISTEN = {Event.PLAYED: to(State.LISTENING, Command.LISTEN)}

TABLE: dict[State, dict[Event, Rule]] = {
    State.DIALLING: rules(
        {
            Event.ANSWERED: to(State.INVITING, Command.PLAY_INVITATION),
            Event.KEY_1: register(),  # overtook the answer
            Event.KEY_9: refuse(otherwise=ignore),
        }
    ),
    State.INVITING: rules(keys(_STOP), _THEN_LISTEN),
    State.REMINDING: rules(keys(_STOP), _THEN_LISTEN),
    State.LISTENING: rules(keys(), {Event.SILENCE: remind()}),
    State.REGISTERING: rules(
        {
            Event.KEPT: to(State.THANKING, Command.PLAY_THANKS),
            Event.NOT_KEPT: close_unkept,
        }
    ),
    State.THANKING: rules({Event.KEY_9: refuse(_STOP, otherwise=ignore)}, _THEN_HANG_UP),
    State.REFUSING: rules(
        {
            Event.KEPT: to(State.CONFIRMING, Command.PLAY_REFUSED),
            Event.NOT_KEPT: close_unkept,
        }
    ),
    State.CONFIRMING: rules({Event.KEY_1: register(_STOP)}, _THEN_HANG_UP),
    State.HANDING_OVER: rules(
        {
            Event.KEY_1: register_quietly,
            Event.KEY_9: refuse_quietly,
            Event.NOT_KEPT: forget_unkept,
            Event.NO_AGENT: to(State.ADVISING, Command.PROMISE_ADVICE),
            Event.CONNECTED: to(State.WITH_AGENT),
            # Gone before an agent was there: the wish for advice stands.
            Event.HUNG_UP: to(State.ENDED, Command.PROMISE_ADVICE),
        }
    ),
    State.WITH_AGENT: rules(
        {
            Event.KEY_1: register_quietly,
            Event.KEY_9: refuse_quietly,
            Event.NOT_KEPT: forget_unkept,
            Event.NO_AGENT: to(State.ADVISING, Command.PROMISE_ADVICE),
        }
    ),
    State.ADVISING: rules(
        {
            Event.KEY_1: register_quietly,
            Event.KEY_9: refuse_quietly,
            Event.KEPT: to(State.APOLOGISING, Command.PLAY_APOLOGY),
            Event.NOT_KEPT: close_unkept,
        }
    ),
    State.APOLOGISING: rules(
        {Event.KEY_1: register(_STOP), Event.KEY_9: refuse(_STOP, otherwise=ignore)},
        _THEN_HANG_UP,
    ),
    State.CLOSING: rules(
        keys(_STOP),
        {Event.KEY_9: refuse(_STOP, otherwise=ignore), Event.OTHER_KEY: ignore},
        _THEN_HANG_UP,
    ),
    State.ENDED: rules({Event.KEY_1: register_quietly, Event.KEY_9: refuse_quietly}),
}
"""Every state × every event; what a row does not name is ignored there on purpose."""


def step(call: Call, event: Event) -> Step:
    """Give the call's next standing, and the commands to carry out in order."""
    return TABLE[call.state][event](call)


def stoppers(call: Call) -> frozenset[Event]:
    """The keys that would silence what is playing now."""
    keys = (Event.KEY_1, Event.KEY_2, Event.KEY_3, Event.KEY_9, Event.OTHER_KEY)
    return frozenset(key for key in keys if Command.STOP_PLAYING in step(call, key)[1])
