"""AGI's words, AMI's events and the ledger of keys: the pure parts of the AGI driver."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.clock import utc_now
from ivr.agi.commands import Commands
from ivr.agi.errors import AgiError
from ivr.agi.events import translate
from ivr.agi.key_ledger import KeyLedger
from ivr.ami.message import read_block
from ivr.call_events import CallEvent, ChannelDestroyed, ChannelRinging, ChannelUp, KeyReceived

AT = datetime(2026, 1, 5, 2, 0, 1, 500_000, tzinfo=UTC)
TIMESTAMP = f"\r\nTimestamp: {AT.timestamp():.6f}\r\nUniqueid: c1".encode()


# -- the words


def test_the_greeting_names_the_channel(capsys: pytest.CaptureFixture[str]) -> None:
    env = Commands().greet([b"agi_uniqueid: c1\n", b"agi_callerid: 0901234567\n", b"agi_arg_1:\n"])
    assert env == {"agi_uniqueid": "c1", "agi_callerid": "0901234567", "agi_arg_1": ""}
    assert capsys.readouterr() == ("", ""), "numbers would stand in a log"


def test_a_sound_is_commanded() -> None:
    command = Commands().stream_file_command("tstn/vi-1/notice", "12")
    assert command == b'STREAM FILE "tstn/vi-1/notice" "12"\n'
    assert Commands().stream_file_command('a"b\\', "") == b'STREAM FILE "a\\"b\\\\" ""\n'
    with pytest.raises(ValueError, match="breaks the line"):
        Commands().stream_file_command("a\nEXEC System", "")


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        (b"200 result=0 endpos=8000\n", ""),
        (b"200 result=49 endpos=400\n", "1"),
        (b"200 result=35 endpos=400\n", "#"),
        (b"200 result=0\n", ""),
    ],
)
def test_an_answer_tells_the_key(answer: bytes, key: str) -> None:
    assert Commands().key_of([answer]) == key


@pytest.mark.parametrize(
    "lines",
    [
        [b"200 result=-1 endpos=400\n"],
        [b"511 Command Not Permitted on a dead channel or intercept routine\n"],
        [b"510 Invalid or unknown command\n"],
        [b"520-Invalid command syntax.  Proper usage follows:\n", b"520 End of proper usage.\n"],
        [b"200 result=1 (hangup)\n"],
        [b"nonsense\n"],
        [b"200 result=x\n"],
        [b"\n"],
    ],
)
def test_any_other_answer_is_an_agi_error(lines: list[bytes]) -> None:
    with pytest.raises(AgiError):
        Commands().key_of(lines)


# -- the events


@pytest.mark.parametrize(
    ("block", "event"),
    [
        (b"Event: Newstate\r\nChannelState: 5", ChannelRinging("c1", AT)),
        (b"Event: Newstate\r\nChannelState: 6", ChannelUp("c1", AT)),
        (b"Event: Newstate\r\nChannelState: 3", None),
        (
            b"Event: DTMFEnd\r\nDigit: 1\r\nDurationMs: 120\r\nDirection: Received",
            KeyReceived("c1", "1", AT, 120),
        ),
        (b"Event: DTMFEnd\r\nDigit: 1\r\nDurationMs: 120\r\nDirection: Sent", None),
        (b"Event: DTMFEnd\r\nDigit: 1\r\nDirection: Received", None),
        (
            b"Event: Hangup\r\nCause: 17\r\nTechCause: 486\r\nCause-txt: User busy",
            ChannelDestroyed("c1", 17, 486, "User busy", AT),
        ),
        (
            b"Event: Hangup\r\nCause: 16\r\nCause-txt: Normal Clearing",
            ChannelDestroyed("c1", 16, None, "Normal Clearing", AT),
        ),
        (b"Event: Hangup\r\nCause: none", None),
        (b"Event: VarSet\r\nVariable: X", None),
    ],
)
def test_amis_events_are_the_calls_events(block: bytes, event: CallEvent | None) -> None:
    assert translate(read_block(block + TIMESTAMP), utc_now) == event


def test_without_a_time_of_asterisk_ours_counts() -> None:
    message = read_block(b"Event: Newstate\r\nChannelState: 6\r\nUniqueid: c1")
    assert translate(message, lambda: AT) == ChannelUp("c1", AT)


# -- the ledger


def test_a_key_told_twice_is_one_whoever_is_first() -> None:
    ledger = KeyLedger()
    ledger.begin_sound()
    assert ledger.told_by_ami("1")
    assert not ledger.told_by_agi("1")
    ledger.begin_sound()
    assert ledger.told_by_agi("1")
    assert not ledger.told_by_ami("1")


def test_a_key_of_another_sound_is_another_key() -> None:
    ledger = KeyLedger()
    assert ledger.told_by_ami("2")
    ledger.begin_sound()
    assert ledger.told_by_agi("2")


def test_a_key_that_ami_lost_hides_no_later_one() -> None:
    ledger = KeyLedger()
    assert ledger.told_by_agi("1")
    ledger.lost_ami()
    assert ledger.told_by_ami("1")


@given(st.lists(st.tuples(st.sampled_from("123"), st.booleans()), max_size=8))
def test_each_key_counts_once(keys: list[tuple[str, bool]]) -> None:
    """Each ends a sound of its own; which of the two tells first is left to chance."""
    ledger, counted = KeyLedger(), 0
    for key, ami_first in keys:
        ledger.begin_sound()
        tellers = [ledger.told_by_ami, ledger.told_by_agi]
        counted += sum(tell(key) for tell in (tellers if ami_first else reversed(tellers)))
    assert counted == len(keys)
