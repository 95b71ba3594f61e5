"""What must hold on every path through the call script, however odd the events. Pure."""

from collections.abc import Iterator, Sequence
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.script import NEW_CALL, PROMPTS, Call, Command, Commands, Event, State, step
from ivr.session import MOST_PLAYBACKS

PLAYS = frozenset(PROMPTS)
PLAYING = {
    State.INVITING,
    State.REMINDING,
    State.THANKING,
    State.CONFIRMING,
    State.APOLOGISING,
    State.CLOSING,
}
KEYS = (Event.KEY_1, Event.KEY_2, Event.KEY_3, Event.KEY_9, Event.OTHER_KEY)
BETWEEN = (State.REGISTERING, State.REFUSING, State.CONFIRMING)
"""Where a first key 9 does not refuse: a key is being kept, or that one has done so."""
ADVERTISING = Call(may_refuse=True)

Step = tuple[Call, Event, Call, Commands]


def walk(events: Sequence[Event], call: Call = NEW_CALL) -> Iterator[Step]:
    for event in events:
        after, commands = step(call, event)
        yield call, event, after, commands
        call = after


def stands_after(events: Sequence[Event], call: Call = NEW_CALL) -> Call:
    return [call, *(after for *_, after, _ in walk(events, call))][-1]


def possible(call: Call) -> list[Event]:
    """What can really happen to a call that stands so, in a world without faults."""
    match call.state:
        case State.DIALLING:
            own = [Event.ANSWERED]
        case State.LISTENING:
            own = [Event.SILENCE]
        case State.REGISTERING | State.REFUSING | State.ADVISING:
            own = [Event.KEPT]
        case State.HANDING_OVER:
            own = [Event.NO_AGENT, Event.CONNECTED]
        case State.WITH_AGENT:
            own = []
        case State.ENDED:
            return []
        case _:
            own = [Event.PLAYED]
    return [*own, Event.HUNG_UP, *(KEYS if call.state is not State.DIALLING else ())]


def lived(choices: list[int]) -> list[Event]:
    """A call as it may really go: at each step one of the things that are possible then."""
    events: list[Event] = []
    call = NEW_CALL
    for choice in choices:
        if not (open_to := possible(call)):
            break
        events.append(open_to[choice % len(open_to)])
        call, _ = step(call, events[-1])
    return events


anything = st.lists(st.sampled_from(Event), max_size=40) | st.lists(
    st.sampled_from((0, 0, 0, 2, 3, 4, 5)), max_size=25
).map(lived)
"""Events in any order, late and doubled ones too; or a life that is possible, no hang-up in it."""


@given(anything)
def test_nothing_is_commanded_after_the_end_but_to_keep_a_late_key_1(events: list[Event]) -> None:
    for before, event, after, commands in walk(events):
        if before.state is State.ENDED:
            assert after.state is State.ENDED
            assert commands in ((), (Command.REGISTER,))
            assert not commands or event is Event.KEY_1


def test_a_second_key_1_changes_nothing_unless_the_first_was_not_kept() -> None:
    """On every path there is: all standings are visited, with whether a key 1 is still open."""
    waiting = [(NEW_CALL, True), (ADVERTISING, True)]
    seen = set(waiting)
    while waiting:
        call, may_register = waiting.pop()
        for event in Event:
            after, commands = step(call, event)
            may = may_register or event is Event.NOT_KEPT
            registers = Command.REGISTER in commands
            assert may or not registers, (call, event)
            reached = (after, may and not registers)
            if reached not in seen:
                seen.add(reached)
                waiting.append(reached)
    assert {call.state for call, _ in seen} == set(State)


@given(anything)
def test_key_2_replays_at_most_three_times(events: list[Event]) -> None:
    replays = [
        event
        for _, event, _, commands in walk(events)
        if Command.PLAY_INVITATION in commands and event is not Event.ANSWERED
    ]
    assert replays == [Event.KEY_2] * len(replays)
    assert len(replays) <= 3


@given(anything)
def test_a_hang_up_ends_the_call_wherever_it_stands(events: list[Event]) -> None:
    after, commands = step(stands_after(events), Event.HUNG_UP)
    assert after.state is State.ENDED
    assert not PLAYS & set(commands)


@given(anything)
def test_thanks_are_played_for_a_kept_registration_and_for_nothing_else(
    events: list[Event],
) -> None:
    registered = False
    for before, event, _, commands in walk(events):
        if Command.PLAY_THANKS in commands:
            assert event is Event.KEPT
            assert before.state is State.REGISTERING
            assert registered
        registered |= Command.REGISTER in commands


@given(anything)
def test_a_refusal_is_confirmed_once_it_is_kept_and_for_no_other_reason(
    events: list[Event],
) -> None:
    for before, event, _, commands in walk(events, ADVERTISING):
        if Command.PLAY_REFUSED in commands:
            assert (before.state, event) == (State.REFUSING, Event.KEPT)
        asks = event is Event.KEY_9 and not before.refused
        assert (Command.REFUSE in commands) == (asks and before.state not in BETWEEN)


@given(anything)
def test_key_9_is_a_wrong_key_where_nothing_is_advertised(events: list[Event]) -> None:
    call = stands_after(events)
    assert step(call, Event.KEY_9) == step(call, Event.OTHER_KEY)


@given(anything, st.booleans(), st.sampled_from((NEW_CALL, ADVERTISING)))
def test_whoever_says_nothing_more_is_hung_up_on(
    events: list[Event], kept: bool, new: Call
) -> None:
    call = stands_after(events, new)
    for _ in range(12):
        if call.state is State.WITH_AGENT:
            return  # people hang up by themselves
        if call.state is State.ENDED:
            break
        event = possible(call)[0]
        if event is Event.KEPT and not kept:
            event = Event.NOT_KEPT
        call, commands = step(call, event)
        assert call.state is not State.ENDED or commands == (Command.HANG_UP,)
    assert call.state is State.ENDED


@given(anything)
def test_a_prompt_is_stopped_before_another_sound_or_silence_is_heard(events: list[Event]) -> None:
    playing = False
    for before, event, after, commands in walk(events):
        if event is Event.PLAYED:
            playing = False  # what a late end of an old playback would say, the session drops
        for command in commands:
            if command is Command.STOP_PLAYING:
                playing = False
            elif command in PLAYS:
                assert not playing or before.state not in PLAYING
                playing = True
            elif command in (Command.LISTEN, Command.HAND_OVER):
                assert not playing
        assert after.state is not State.LISTENING or not playing


@pytest.mark.parametrize(
    "state", [State.REGISTERING, State.HANDING_OVER, State.WITH_AGENT, State.ADVISING]
)
def test_a_key_1_that_was_kept_nowhere_may_be_pressed_again(state: State) -> None:
    """Nobody was thanked, so the wish is still open: the key must count once more."""
    call, _ = step(Call(state=state, registered=True), Event.NOT_KEPT)
    _, commands = step(call, Event.KEY_1)
    assert Command.REGISTER in commands


def test_the_story_of_silence() -> None:
    played = [
        command
        for *_, commands in walk(
            [
                *(Event.ANSWERED, Event.PLAYED, Event.SILENCE),
                *(Event.PLAYED, Event.SILENCE, Event.PLAYED),
            ]
        )
        for command in commands
    ]
    assert played == [
        *(Command.PLAY_INVITATION, Command.LISTEN, Command.PLAY_MENU),
        *(Command.LISTEN, Command.PLAY_CLOSE, Command.HANG_UP),
    ]


def test_the_menu_is_the_offer_and_the_other_keys_without_the_notice() -> None:
    assert PROMPTS[Command.PLAY_INVITATION] == ("notice", "offer", "menu_replay", "menu_agent")
    assert PROMPTS[Command.PLAY_MENU] == ("offer", "menu_replay", "menu_agent")
    assert PROMPTS[Command.PLAY_THANKS] == ("after_1",)
    assert PROMPTS[Command.PLAY_REFUSED] == ("refused",)
    assert PROMPTS[Command.PLAY_CLOSE] == ("close",)
    assert PROMPTS[Command.PLAY_APOLOGY] == ("no_agent",)


def test_recovery_knows_as_many_playbacks_as_a_call_can_have() -> None:
    """A process that takes a call over stops its playbacks by number: none may be beyond."""

    @cache
    def most_plays(call: Call) -> int:
        longest = 0
        for event in possible(call):
            after, commands = step(call, event)
            if after != call or commands:
                longest = max(longest, len(PLAYS & set(commands)) + most_plays(after))
        return longest

    assert max(most_plays(NEW_CALL), most_plays(ADVERTISING)) <= MOST_PLAYBACKS
