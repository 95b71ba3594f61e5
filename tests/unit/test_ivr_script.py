"""The call script, state by state and event by event, as domain.md §3 wants it. Pure."""

import pytest

from ivr.script import MAX_REPLAYS, PROMPTS, Call, Command, Event, State, sentences, step, stoppers

# Every state × every event of a call that has not replayed, been reminded or registered (except
# where the state itself says so). `-` stands for "nothing": no command, or the state stays.
TABLE = """
state         event      next state    commands
dialling      answered   inviting      play_invitation
dialling      key_1      registering   register
dialling      key_2      -             -
dialling      key_3      -             -
dialling      key_9      -             -
dialling      other_key  -             -
dialling      played     -             -
dialling      silence    -             -
dialling      kept       -             -
dialling      not_kept   -             -
dialling      no_agent   -             -
dialling      connected  -             -
dialling      hung_up    ended         -

inviting      answered   -             -
inviting      key_1      registering   stop_playing register
inviting      key_2      inviting      stop_playing play_invitation
inviting      key_3      handing_over  stop_playing hand_over
inviting      key_9      reminding     stop_playing play_menu
inviting      other_key  reminding     stop_playing play_menu
inviting      played     listening     listen
inviting      silence    -             -
inviting      kept       -             -
inviting      not_kept   -             -
inviting      no_agent   -             -
inviting      connected  -             -
inviting      hung_up    ended         -

reminding     answered   -             -
reminding     key_1      registering   stop_playing register
reminding     key_2      inviting      stop_playing play_invitation
reminding     key_3      handing_over  stop_playing hand_over
reminding     key_9      closing       stop_playing play_close
reminding     other_key  closing       stop_playing play_close
reminding     played     listening     listen
reminding     silence    -             -
reminding     kept       -             -
reminding     not_kept   -             -
reminding     no_agent   -             -
reminding     connected  -             -
reminding     hung_up    ended         -

listening     answered   -             -
listening     key_1      registering   register
listening     key_2      inviting      play_invitation
listening     key_3      handing_over  hand_over
listening     key_9      reminding     play_menu
listening     other_key  reminding     play_menu
listening     played     -             -
listening     silence    reminding     play_menu
listening     kept       -             -
listening     not_kept   -             -
listening     no_agent   -             -
listening     connected  -             -
listening     hung_up    ended         -

registering   answered   -             -
registering   key_1      -             -
registering   key_2      -             -
registering   key_3      -             -
registering   key_9      -             -
registering   other_key  -             -
registering   played     -             -
registering   silence    -             -
registering   kept       thanking      play_thanks
registering   not_kept   closing       play_close
registering   no_agent   -             -
registering   connected  -             -
registering   hung_up    ended         -

thanking      answered   -             -
thanking      key_1      -             -
thanking      key_2      -             -
thanking      key_3      -             -
thanking      key_9      -             -
thanking      other_key  -             -
thanking      played     ended         hang_up
thanking      silence    -             -
thanking      kept       -             -
thanking      not_kept   -             -
thanking      no_agent   -             -
thanking      connected  -             -
thanking      hung_up    ended         -

refusing      answered   -             -
refusing      key_1      -             -
refusing      key_2      -             -
refusing      key_3      -             -
refusing      key_9      -             -
refusing      other_key  -             -
refusing      played     -             -
refusing      silence    -             -
refusing      kept       confirming    play_refused
refusing      not_kept   closing       play_close
refusing      no_agent   -             -
refusing      connected  -             -
refusing      hung_up    ended         -

confirming    answered   -             -
confirming    key_1      registering   stop_playing register
confirming    key_2      -             -
confirming    key_3      -             -
confirming    key_9      -             -
confirming    other_key  -             -
confirming    played     ended         hang_up
confirming    silence    -             -
confirming    kept       -             -
confirming    not_kept   -             -
confirming    no_agent   -             -
confirming    connected  -             -
confirming    hung_up    ended         -

handing_over  answered   -             -
handing_over  key_1      handing_over  register
handing_over  key_2      -             -
handing_over  key_3      -             -
handing_over  key_9      -             -
handing_over  other_key  -             -
handing_over  played     -             -
handing_over  silence    -             -
handing_over  kept       -             -
handing_over  not_kept   -             -
handing_over  no_agent   advising      promise_advice
handing_over  connected  with_agent    -
handing_over  hung_up    ended         promise_advice

with_agent    answered   -             -
with_agent    key_1      with_agent    register
with_agent    key_2      -             -
with_agent    key_3      -             -
with_agent    key_9      -             -
with_agent    other_key  -             -
with_agent    played     -             -
with_agent    silence    -             -
with_agent    kept       -             -
with_agent    not_kept   -             -
with_agent    no_agent   advising      promise_advice
with_agent    connected  -             -
with_agent    hung_up    ended         -

advising      answered   -             -
advising      key_1      advising      register
advising      key_2      -             -
advising      key_3      -             -
advising      key_9      -             -
advising      other_key  -             -
advising      played     -             -
advising      silence    -             -
advising      kept       apologising   play_apology
advising      not_kept   closing       play_close
advising      no_agent   -             -
advising      connected  -             -
advising      hung_up    ended         -

apologising   answered   -             -
apologising   key_1      registering   stop_playing register
apologising   key_2      -             -
apologising   key_3      -             -
apologising   key_9      -             -
apologising   other_key  -             -
apologising   played     ended         hang_up
apologising   silence    -             -
apologising   kept       -             -
apologising   not_kept   -             -
apologising   no_agent   -             -
apologising   connected  -             -
apologising   hung_up    ended         -

closing       answered   -             -
closing       key_1      registering   stop_playing register
closing       key_2      inviting      stop_playing play_invitation
closing       key_3      handing_over  stop_playing hand_over
closing       key_9      -             -
closing       other_key  -             -
closing       played     ended         hang_up
closing       silence    -             -
closing       kept       -             -
closing       not_kept   -             -
closing       no_agent   -             -
closing       connected  -             -
closing       hung_up    ended         -

ended         answered   -             -
ended         key_1      ended         register
ended         key_2      -             -
ended         key_3      -             -
ended         key_9      -             -
ended         other_key  -             -
ended         played     -             -
ended         silence    -             -
ended         kept       -             -
ended         not_kept   -             -
ended         no_agent   -             -
ended         connected  -             -
ended         hung_up    -             -
"""

# What the call's memory changes in the table above: all of it, nothing else changes.
REMINDED = """
inviting      key_9      closing       stop_playing play_close
listening     key_9      closing       play_close
inviting      other_key  closing       stop_playing play_close
listening     other_key  closing       play_close
listening     silence    closing       play_close
"""
REPLAYED_THREE_TIMES = """
inviting      key_2      closing       stop_playing play_close
reminding     key_2      closing       stop_playing play_close
listening     key_2      closing       play_close
closing       key_2      -             -
"""
REGISTERED = """
dialling      key_1      -             -
inviting      key_1      -             -
reminding     key_1      -             -
listening     key_1      -             -
handing_over  key_1      -             -
with_agent    key_1      -             -
advising      key_1      -             -
apologising   key_1      -             -
closing       key_1      -             -
confirming    key_1      -             -
ended         key_1      -             -
"""

REGISTER_OR_AGENT = (Event.KEY_1, Event.KEY_3)
REFUSABLE = """
dialling      key_9      refusing      refuse
inviting      key_9      refusing      stop_playing refuse
reminding     key_9      refusing      stop_playing refuse
listening     key_9      refusing      refuse
thanking      key_9      refusing      stop_playing refuse
handing_over  key_9      handing_over  refuse
with_agent    key_9      with_agent    refuse
advising      key_9      advising      refuse
apologising   key_9      refusing      stop_playing refuse
closing       key_9      refusing      stop_playing refuse
ended         key_9      ended         refuse
"""

REFUSED = """
inviting      key_9      -             -
reminding     key_9      -             -
listening     key_9      -             -
"""

Expected = tuple[State, tuple[Command, ...]]
Rows = dict[tuple[State, Event], Expected]


def read(table: str) -> Rows:
    rows: Rows = {}
    for line in table.splitlines():
        if not line or line.startswith("state "):
            continue
        state, event, after, *commands = line.split()
        key = State(state), Event(event)
        assert key not in rows, f"twice in the table: {line}"
        done = () if commands == ["-"] else tuple(Command(word) for word in commands)
        rows[key] = key[0] if after == "-" else State(after), done
    return rows


def usual(state: State) -> Call:
    """A call as it usually gets there: who reminded or registers has that in memory."""
    return Call(
        state=state,
        reminded=state is State.REMINDING,
        registered=state in (State.REGISTERING, State.THANKING),
    )


def answers(state: State, **memory: bool | int) -> Rows:
    """What the script says to every event in this state."""
    names = ("replays", "reminded", "registered", "refused")
    fields = {name: getattr(usual(state), name) for name in names}
    call = Call(state=state, **(fields | memory))
    rows: Rows = {}
    for event in Event:
        after, commands = step(call, event)
        rows[state, event] = after.state, commands
    return rows


TABLE_ROWS = read(TABLE)


@pytest.mark.parametrize("state", State)
def test_every_state_and_every_event(state: State) -> None:
    assert answers(state) == {key: to for key, to in TABLE_ROWS.items() if key[0] is state}


def test_the_table_has_every_state_and_every_event() -> None:
    assert set(TABLE_ROWS) == {(state, event) for state in State for event in Event}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize(
    ("table", "memory"),
    [
        pytest.param(REMINDED, {"reminded": True}, id="reminded"),
        pytest.param(REPLAYED_THREE_TIMES, {"replays": 3}, id="replayed"),
        pytest.param(REGISTERED, {"registered": True}, id="registered"),
        pytest.param(REFUSABLE, {"may_refuse": True}, id="advertising"),
        pytest.param(REFUSED, {"may_refuse": True, "refused": True}, id="refused"),
    ],
)
def test_what_the_call_remembers_changes_only_these(
    table: str, memory: dict[str, bool | int], state: State
) -> None:
    rows = TABLE_ROWS | read(table)
    assert answers(state, **memory) == {key: to for key, to in rows.items() if key[0] is state}


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (
            Call(State.INVITING),
            {Event.KEY_1, Event.KEY_2, Event.KEY_3, Event.KEY_9, Event.OTHER_KEY},
        ),
        (Call(State.CLOSING), {Event.KEY_1, Event.KEY_2, Event.KEY_3}),
        (Call(State.CLOSING, replays=MAX_REPLAYS), {Event.KEY_1, Event.KEY_3}),
        (Call(State.APOLOGISING), {Event.KEY_1}),
        (Call(State.APOLOGISING, registered=True), set()),
        (Call(State.THANKING, registered=True), set()),
        (Call(State.THANKING, registered=True, may_refuse=True), {Event.KEY_9}),
        (
            Call(State.CLOSING, may_refuse=True),
            {Event.KEY_1, Event.KEY_2, Event.KEY_3, Event.KEY_9},
        ),
        (Call(State.CONFIRMING), {Event.KEY_1}),
    ],
)
def test_the_keys_that_silence_a_prompt(call: Call, expected: set[Event]) -> None:
    assert stoppers(call) == expected


def test_only_advertising_says_how_to_refuse() -> None:
    for command in PROMPTS:
        assert sentences(Call(), command) == PROMPTS[command]
    told = [c for c in PROMPTS if sentences(Call(may_refuse=True), c) != PROMPTS[c]]
    assert told == [Command.PLAY_INVITATION, Command.PLAY_MENU]
    assert sentences(Call(may_refuse=True), Command.PLAY_MENU)[-1] == "menu_refuse"
