"""Did every number come to what its carrier behaviour demands? Pure.

Judged from our export and from the carrier's own log, field by field: an outcome that is demanded
and one that was seen are the same dataclass.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from domain.deadlines import promise_at, target_at
from domain.states import CallbackKind
from lab.behaviours import Behaviour, behaviour_of
from lab.carrier import CarrierEvent

Row = Mapping[str, Any]
"""One line of `tstn export`."""

_CLEARED, _NO_REPLY = 16, 19
_UNAVAILABLE = 480  # chan_pjsip gives 19 with it, whatever cause the carrier named


@dataclass(frozen=True)
class Records:
    """All that is known of a campaign: our three exports and the carrier's log."""

    attempts: Sequence[Row]
    registrations: Sequence[Row]
    callbacks: Sequence[Row]
    carrier: Sequence[CarrierEvent]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one number came to. As a demand, a cause of None means that any will do.

    Attributes:
        attempts: how often we say that it was dialled.
        invites: how often it was dialled, by the carrier's log.
        disposition: of the last attempt, None where it has not ended.
        hangup_cause: Q.850, of the last attempt.
        tech_cause: the SIP status, of the last attempt.
        keys: the keys we saw, in order.
        pressed: the keys that the subscriber pressed, by the carrier's log.
        picked_up: how often the subscriber answered, by the carrier's log.
        registrations: how many it has.
        confirm_callbacks: how many call-backs that confirm the address.
        advice_callbacks: how many call-backs that key 3 asked for.
        wrong_deadlines: call-backs whose 21:00 of the next day or whose 48 hours are not right.
    """

    attempts: int = 0
    invites: int = 0
    disposition: str | None = None
    hangup_cause: int | None = None
    tech_cause: int | None = None
    keys: str = ""
    pressed: str = ""
    picked_up: int = 0
    registrations: int = 0
    confirm_callbacks: int = 0
    advice_callbacks: int = 0
    wrong_deadlines: int = 0


@dataclass(frozen=True)
class Mismatch:
    """One field of one number's outcome that is not as demanded."""

    msisdn: str
    behaviour: str
    what: str
    demanded: object
    seen: object


@dataclass(frozen=True)
class Judged:
    """One number: what was demanded, what was seen, and where they differ."""

    msisdn: str
    behaviour: str
    demanded: Outcome
    seen: Outcome
    mismatches: tuple[Mismatch, ...]


def judge(numbers: Collection[str], records: Records) -> list[Judged]:
    """Judge every number (E.164) of the audience, and any other that shows up anywhere.

    A number that was not in the audience must not have been touched at all.
    """
    seen = outcomes(records)
    strangers = sorted(seen.keys() - set(numbers))
    wanted = {number: demanded_of(behaviour_of(number)) for number in numbers}
    return [
        _judged(number, wanted.get(number, Outcome()), seen.get(number, Outcome()))
        for number in [*numbers, *strangers]
    ]


def demanded_of(behaviour: Behaviour) -> Outcome:
    """What a number of that behaviour must come to when it is dialled once."""
    cause, status = _causes(behaviour)
    return Outcome(
        attempts=1,
        invites=1,
        disposition=behaviour.disposition,
        hangup_cause=cause,
        tech_cause=status,
        keys=behaviour.keys,
        pressed=behaviour.keys,
        picked_up=int(behaviour.answers),
        registrations=int(behaviour.registration),
        confirm_callbacks=int(behaviour.registration),
        advice_callbacks=int(behaviour.advice),
    )


def outcomes(records: Records) -> dict[str, Outcome]:
    """What each number that is named anywhere came to."""
    attempts, registrations = _by_number(records.attempts), _by_number(records.registrations)
    callbacks = _by_number(records.callbacks)
    heard: defaultdict[str, list[CarrierEvent]] = defaultdict(list)
    for event in records.carrier:
        heard[_e164(event.number)].append(event)
    return {
        number: _outcome(
            attempts[number], len(registrations[number]), callbacks[number], heard[number]
        )
        for number in {*attempts, *registrations, *callbacks, *heard}
    }


def _causes(behaviour: Behaviour) -> tuple[int, int | None]:
    """The hang-up cause and the SIP status that we see (measured on Asterisk 22.10.1)."""
    if behaviour.answers:
        return _CLEARED, None
    reject = behaviour.reject
    if reject is None or reject.sip == _UNAVAILABLE:
        return _NO_REPLY, _UNAVAILABLE
    return reject.cause, reject.sip


def _by_number(rows: Sequence[Row]) -> defaultdict[str, list[Row]]:
    grouped: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row["msisdn"]].append(row)
    return grouped


def _e164(dialled: str) -> str:
    return f"+84{dialled[1:]}" if dialled.startswith("0") else dialled


def _outcome(
    attempts: Sequence[Row],
    registrations: int,
    callbacks: Sequence[Row],
    heard: Sequence[CarrierEvent],
) -> Outcome:
    last: Row = attempts[-1] if attempts else {}
    kinds = [callback["kind"] for callback in callbacks]
    events = [event.event for event in heard]
    return Outcome(
        attempts=len(attempts),
        invites=events.count("invite"),
        disposition=last.get("disposition"),
        hangup_cause=last.get("hangup_cause"),
        tech_cause=last.get("tech_cause"),
        keys="".join(press["key"] for attempt in attempts for press in attempt["keys"]),
        pressed="".join(event.value for event in heard if event.event == "key"),
        picked_up=events.count("answer"),
        registrations=registrations,
        confirm_callbacks=kinds.count(CallbackKind.CONFIRM),
        advice_callbacks=kinds.count(CallbackKind.ADVICE),
        wrong_deadlines=sum(not deadlines_are_right(callback) for callback in callbacks),
    )


def deadlines_are_right(callback: Row) -> bool:
    """Whether a line of the export of call-backs has 21:00 of n+1 and the 48 hours right."""
    requested, target, promise = (
        datetime.fromisoformat(callback[name])
        for name in ("requested_at", "target_at", "promise_at")
    )
    return (target, promise) == (target_at(requested), promise_at(requested))


def _judged(msisdn: str, demanded: Outcome, seen: Outcome) -> Judged:
    behaviour = behaviour_of(msisdn).name if demanded.attempts else "not in the audience"
    mismatches = tuple(
        Mismatch(msisdn, behaviour, what, wanted, found)
        for what, wanted, found in _differences(demanded, seen)
    )
    return Judged(msisdn, behaviour, demanded, seen, mismatches)


def _differences(demanded: Outcome, seen: Outcome) -> Iterator[tuple[str, object, object]]:
    for field in fields(Outcome):
        wanted, found = getattr(demanded, field.name), getattr(seen, field.name)
        any_will_do = wanted is None and field.name.endswith("_cause")
        if wanted != found and not any_will_do:
            yield field.name, wanted, found
