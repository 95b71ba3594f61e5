"""AMI's blocks: what Asterisk sends is read whatever it is, what we send cannot be injected."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.ami.message import END, read_block, write_block


def test_an_event_is_read() -> None:
    message = read_block(b"Event: Hangup\r\nUniqueid: c1\r\nCause: 16\r\nCause-txt: Normal: x")
    assert message.event == "Hangup"
    assert (message.get("Uniqueid"), message.get("Cause-txt")) == ("c1", "Normal: x")
    assert message.get("Nothing") == message.action_id == ""


def test_channel_variables_and_repeated_headers_are_survived() -> None:
    message = read_block(
        b"Event: Newstate\r\nChanVariable: A=1\r\nChanVariable: B\r\nno colon\r\nUniqueid: c1"
    )
    assert message.get("ChanVariable") == "A=1"
    assert message.get("Uniqueid") == "c1"


def test_a_callers_name_is_no_protocol_word() -> None:
    message = read_block(
        b"Event: Newstate\r\nCallerIDName: status will follow\r\nConnectedLineName: Response: x"
    )
    assert message.event == "Newstate"
    assert not message.headers.get("Response")


@given(st.binary())
def test_nothing_that_comes_raises(data: bytes) -> None:
    read_block(data)


def test_an_action_is_written() -> None:
    block = write_block("Originate", "a1", {"Timeout": 3000, "Variable": ["A=1", "B"]})
    assert block == (
        b"Action: Originate\r\nActionID: a1\r\nTimeout: 3000\r\nVariable: A=1\r\nVariable: B" + END
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"Channel": "c1\r\nAction: Command"},
        {"Channel": "c1\nAction: Command"},
        {"Channel": "c1\0"},
        {"Variable": ["A=1", "B=2\r\n\r\nAction: Logoff"]},
        {"Channel\r\nAction": "x"},
        {"Channel:": "x"},
    ],
)
def test_nothing_can_be_injected(headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"breaks its line|is no header") as raised:
        write_block("Hangup", "a1", headers)
    assert "Logoff" not in str(raised.value)
