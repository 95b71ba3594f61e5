"""Frames of ARI: what each one becomes, and that nothing in them can raise."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.ari.events import (
    ALLOWED_EVENTS,
    Answered,
    ApplicationReplaced,
    Malformed,
    Unknown,
    parse,
)
from ivr.call_events import (
    ChannelDestroyed,
    ChannelEntered,
    ChannelRinging,
    ChannelUp,
    KeyReceived,
    PlaybackFinished,
    PlaybackStarted,
)
from tests.fakes.ari_server import channel, event

AT = datetime(2026, 1, 5, 2, 0, 1, 500_000, tzinfo=UTC)
PLAYBACK = {
    "id": "p1",
    "media_uri": "sound:tstn/vi-1/notice",
    "target_uri": "channel:c1",
    "language": "vi",
}
CALL = channel("c1")

# Every kind we use, with the fields a real Asterisk 22 sends, and what comes of it.
FRAMES: list[tuple[dict[str, Any], object]] = [
    (
        event("StasisStart", args=["c1", "no-agent"], channel=CALL),
        ChannelEntered("c1", AT, ("c1", "no-agent"), "PJSIP/carrier-00000001"),
    ),
    (
        event("ChannelStateChange", channel=channel("c1", state="Ringing")),
        ChannelRinging("c1", AT),
    ),
    (event("ChannelStateChange", channel=CALL), ChannelUp("c1", AT)),
    (event("ChannelStateChange", channel=channel("c1", state="Down")), None),
    (
        event("ChannelDtmfReceived", channel=CALL, digit="#", duration_ms=140),
        KeyReceived("c1", "#", AT, 140),
    ),
    (
        event("PlaybackStarted", playback={**PLAYBACK, "state": "playing"}),
        PlaybackStarted("p1", "c1", AT),
    ),
    (
        event("PlaybackFinished", playback={**PLAYBACK, "state": "done"}),
        PlaybackFinished("p1", "c1", AT, "done"),
    ),
    (
        event("PlaybackFinished", playback={**PLAYBACK, "target_uri": "bridge:b", "state": "done"}),
        None,
    ),
    (
        event("PlaybackStarted", playback={**PLAYBACK, "target_uri": "bridge:b"}),
        None,
    ),
    (
        event("ChannelDestroyed", channel=CALL, cause=17, cause_txt="User busy", tech_cause=486),
        ChannelDestroyed("c1", 17, 486, "User busy", AT),
    ),
    (
        event("ChannelDestroyed", channel=CALL, cause=0, cause_txt="Unknown"),
        ChannelDestroyed("c1", 0, None, "Unknown", AT),
    ),
    (event("ApplicationReplaced"), ApplicationReplaced("tstn")),
    (
        event(
            "RESTResponse",
            transaction_id="",
            request_id="7",
            status_code=404,
            reason_phrase="Not Found",
            uri="channels/c1?reason=normal",
            content_type="application/json",
            message_body='{"message":"Channel not found"}',
        ),
        Answered("7", 404, b'{"message":"Channel not found"}'),
    ),
    (event("RESTResponse", request_id="8", status_code=204), Answered("8", 204, b"")),
    (event("ChannelVarset", variable="x", value="y"), Unknown("ChannelVarset")),
]


@pytest.mark.parametrize(("frame", "expected"), FRAMES)
def test_each_frame_becomes_its_event(frame: dict[str, Any], expected: object) -> None:
    assert parse(orjson.dumps(frame)) == expected


def test_the_filter_lets_through_what_has_a_type_here_and_nothing_else() -> None:
    known = {frame["type"] for frame, expected in FRAMES if not isinstance(expected, Unknown)}
    assert set(ALLOWED_EVENTS) == known


def test_a_playback_that_failed_says_so() -> None:
    frame = event("PlaybackFinished", playback={**PLAYBACK, "state": "failed"})
    failed = parse(orjson.dumps(frame))
    assert isinstance(failed, PlaybackFinished)
    assert failed.failed


def test_times_of_an_asterisk_in_another_zone_are_utc() -> None:
    frame = event("ChannelStateChange", channel=CALL, timestamp="2026-01-05T09:00:01.500+0700")
    up = parse(orjson.dumps(frame))
    assert isinstance(up, ChannelUp)
    assert (up.at, up.at.tzinfo) == (AT, UTC)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"StasisStart"',
        b"{}",
        b'{"type": 7}',
        b'{"type": ["StasisStart"]}',
        b'{"type": {"a": 1}}',
        b'{"type": "StasisStart"}',
        b'{"type": "ChannelDestroyed", "channel": []}',
        b"\xff\xfe",
        b"[" * 100_000,
        orjson.dumps(event("ChannelStateChange", channel=CALL, timestamp="2026-01-05T09:00:01")),
        orjson.dumps(event("ChannelStateChange", channel=CALL, timestamp="0001-01-01T00:00+0700")),
        orjson.dumps(event("ChannelDestroyed", channel=CALL, cause="17", cause_txt="busy")),
        orjson.dumps(event("ChannelDestroyed", channel=CALL, cause=True, cause_txt="busy")),
        orjson.dumps(event("StasisStart", args="c1", channel=None)),
        orjson.dumps(event("StasisStart", args=[1], channel=CALL)),
    ],
)
def test_what_is_no_event_is_malformed(frame: bytes) -> None:
    assert isinstance(parse(frame), Malformed)


@given(st.binary())
def test_no_bytes_raise(frame: bytes) -> None:
    assert isinstance(parse(frame), Malformed | Unknown)


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([frame for frame, _ in FRAMES]), st.data())
def test_no_field_of_the_wrong_kind_raises(frame: dict[str, Any], data: st.DataObject) -> None:
    spoiled = _spoil(frame, data)
    try:
        raw = orjson.dumps(spoiled)
    except TypeError:  # lone surrogates are no JSON
        return
    parse(raw)


def _spoil(frame: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    """Put anything, or nothing, in the place of one field, at the top or one level down."""
    field = data.draw(st.sampled_from(sorted(frame)))
    value = frame[field]
    if isinstance(value, dict) and data.draw(st.booleans()):
        return {**frame, field: _spoil(value, data)}
    if data.draw(st.booleans()):
        return {name: value for name, value in frame.items() if name != field}
    return {**frame, field: data.draw(anything)}
