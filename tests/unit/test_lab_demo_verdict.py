"""The demo's verdict: a perfect campaign passes, and every single fault in it is named. Pure."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.deadlines import promise_at, target_at
from lab.behaviours import BEHAVIOURS, behaviour_of, numbers_for
from lab.carrier import CarrierEvent
from lab.demo_verdict import Judged, Records, judge

AT = datetime(2026, 3, 26, 9, 30, tzinfo=UTC)
CAUSES = {
    "busy": (17, 486),
    "no-answer": (19, 480),
    "switched-off": (19, 480),
    "invalid": (1, 404),
    "congestion": (34, 503),
    "rejected": (21, 603),
}
NUMBERS = [number for behaviour in BEHAVIOURS for number in numbers_for(behaviour.name, 2)]


def attempt_of(number: str) -> dict[str, Any]:
    behaviour = behaviour_of(number)
    cause, status = CAUSES.get(behaviour.name, (16, None))
    return {
        "msisdn": number,
        "state": "ended",
        "disposition": str(behaviour.disposition),
        "hangup_cause": cause,
        "tech_cause": status,
        "answered_at": AT.isoformat() if behaviour.answers else None,
        "keys": [{"key": key, "at": AT.isoformat()} for key in behaviour.keys],
    }


def callback_of(number: str, kind: str) -> dict[str, Any]:
    return {
        "msisdn": number,
        "kind": kind,
        "requested_at": AT.isoformat(),
        "target_at": target_at(AT).isoformat(),
        "promise_at": promise_at(AT).isoformat(),
    }


def carrier_events(number: str) -> list[CarrierEvent]:
    behaviour, dialled = behaviour_of(number), "0" + number.removeprefix("+84")
    kinds = ["invite", *(["answer"] if behaviour.answers else []), "end"]
    return [
        *(CarrierEvent(kind, AT.timestamp(), dialled, dialled) for kind in kinds),
        *(CarrierEvent("key", AT.timestamp(), dialled, dialled, key) for key in behaviour.keys),
    ]


def perfect() -> Records:
    registered = [number for number in NUMBERS if behaviour_of(number).registration]
    advised = [number for number in NUMBERS if behaviour_of(number).advice]
    return Records(
        attempts=[attempt_of(number) for number in NUMBERS],
        registrations=[{"msisdn": number} for number in registered],
        callbacks=[
            *(callback_of(number, "confirm") for number in registered),
            *(callback_of(number, "advice") for number in advised),
        ],
        carrier=[event for number in NUMBERS for event in carrier_events(number)],
    )


def faults(judged: list[Judged]) -> list[tuple[str, str]]:
    return [(each.msisdn, each.what) for one in judged for each in one.mismatches]


def first(behaviour: str) -> str:
    return next(number for number in NUMBERS if behaviour_of(number).name == behaviour)


def with_attempt(number: str, **changes: Any) -> Records:
    records = perfect()
    attempts = [{**row, **changes} if row["msisdn"] == number else row for row in records.attempts]
    return replace(records, attempts=attempts)


def test_a_perfect_campaign_passes() -> None:
    judged = judge(NUMBERS, perfect())
    assert [one.msisdn for one in judged] == NUMBERS
    assert faults(judged) == []


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.name)
def test_a_number_that_was_never_dialled_is_named(behaviour: Any) -> None:
    number = first(behaviour.name)
    whole = perfect()
    records = Records(
        *([row for row in part if row["msisdn"] != number] for part in rows(whole)),
        carrier=[event for event in whole.carrier if event.number[1:] != number[3:]],
    )
    found = faults(judge(NUMBERS, records))
    assert {who for who, _ in found} == {number}
    assert {"attempts", "invites", "disposition", "hangup_cause"} <= {what for _, what in found}


def rows(records: Records) -> list[Any]:
    return [records.attempts, records.registrations, records.callbacks]


@pytest.mark.parametrize(
    ("behaviour", "changes", "what"),
    [
        ("busy", {"disposition": "no_answer"}, "disposition"),
        ("busy", {"hangup_cause": 16}, "hangup_cause"),
        ("rejected", {"tech_cause": 486}, "tech_cause"),
        ("no-answer", {"tech_cause": None}, "tech_cause"),
        ("press-2-then-1", {"keys": [{"key": "1"}, {"key": "2"}]}, "keys"),
        ("press-1", {"keys": []}, "keys"),
        ("silent", {"keys": [{"key": "1"}]}, "keys"),
        ("silent", {"disposition": None, "hangup_cause": 16}, "disposition"),
    ],
)
def test_one_wrong_field_of_an_attempt_is_named(
    behaviour: str, changes: dict[str, Any], what: str
) -> None:
    number = first(behaviour)
    assert faults(judge(NUMBERS, with_attempt(number, **changes))) == [(number, what)]


def test_the_status_of_an_answered_call_may_be_any() -> None:
    assert faults(judge(NUMBERS, with_attempt(first("press-1"), tech_cause=200))) == []


def in_twice(records: Records, number: str) -> Records:
    invite = next(event for event in carrier_events(number) if event.event == "invite")
    return replace(records, carrier=[*records.carrier, invite])


def dialled_again(records: Records, number: str) -> Records:
    return replace(records, attempts=[*records.attempts, {**attempt_of(number), "keys": []}])


def registered_twice(records: Records, number: str) -> Records:
    return replace(records, registrations=[*records.registrations, {"msisdn": number}])


def advised(records: Records, number: str) -> Records:
    return replace(records, callbacks=[*records.callbacks, callback_of(number, "advice")])


def lost_call_back(records: Records, number: str) -> Records:
    return replace(records, callbacks=[row for row in records.callbacks if row["msisdn"] != number])


def late_target(records: Records, number: str) -> Records:
    return with_callback(records, number, target_at=promise_at(AT).isoformat())


def late_promise(records: Records, number: str) -> Records:
    return with_callback(records, number, promise_at=target_at(AT).isoformat())


def with_callback(records: Records, number: str, **changes: str) -> Records:
    callbacks = [
        {**row, **changes} if row["msisdn"] == number else row for row in records.callbacks
    ]
    return replace(records, callbacks=callbacks)


def never_pressed(records: Records, number: str) -> Records:
    events = [e for e in records.carrier if (e.number[1:], e.event) != (number[3:], "key")]
    return replace(records, carrier=events)


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (in_twice, "invites"),
        (dialled_again, "attempts"),
        (registered_twice, "registrations"),
        (advised, "advice_callbacks"),
        (lost_call_back, "confirm_callbacks"),
        (late_target, "wrong_deadlines"),
        (late_promise, "wrong_deadlines"),
        (never_pressed, "pressed"),
    ],
)
def test_one_fault_anywhere_is_named(spoil: Callable[[Records, str], Records], what: str) -> None:
    number = first("press-1")
    assert faults(judge(NUMBERS, spoil(perfect(), number))) == [(number, what)]


def test_a_number_outside_the_audience_must_not_be_touched() -> None:
    stranger = numbers_for("busy", 1, start=99)[0]
    called = Records([], [], [], carrier_events(stranger))
    assert faults(judge([], called)) == [(stranger, "invites")]
    [judged] = judge([], called)
    assert judged.behaviour == "not in the audience"
