"""The one gate for registrations, whatever the channel: idempotent, one open per number. I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, bindparam, or_, select, update

from domain.states import CallbackKind, Channel, RegistrationState
from store import callbacks, history, phases
from store.batches import NewRows
from store.callbacks import CallbackAsked
from store.columns import UtcDateTime, fixed
from store.facts import RegistrationAsked
from store.history import Happening, happening
from store.models import Registration, table
from store.statements import among

LATE = "late_since"
"""In the evidence, and in the history."""
Source = tuple[str, str]
"""Channel and id of the evidence that a registration rests on."""


class Answer(StrEnum):
    """What the subscriber is told."""

    REGISTERED = "registered"
    ALREADY_REGISTERED = "already_registered"


@dataclass(frozen=True, slots=True)
class _Standing:
    id: int
    msisdn: str
    source: Source
    state: str
    registered_at: datetime


def register(
    connection: Connection, requests: Sequence[RegistrationAsked], target_by: time
) -> list[Answer]:
    """Open a registration and its confirm call-back for each number that has none open.

    The first request fixes day n; a request of another source is kept in the history as a repeat.
    The same source asked again gets the same answer and changes nothing. Whatever the channel, who
    comes after the phase of the place has closed is flagged in the evidence: LATE, its last day.
    """
    requests = _flagged(connection, requests)
    standing: list[_Standing] = []
    while new := _first_of_each_number(requests, standing):
        opened = _open(connection, new)
        _record_opened(connection, new, opened, target_by)
        # Who stands in the way, another node's too, is only looked up where somebody does.
        all_opened = len(opened) == len(requests)
        standing = list(opened.values()) if all_opened else _standing(connection, requests)
    sources = {row.source for row in standing}
    answers = [
        Answer.REGISTERED if _source(request) in sources else Answer.ALREADY_REGISTERED
        for request in requests
    ]
    repeats = [
        request
        for request, answer in zip(requests, answers, strict=True)
        if answer is Answer.ALREADY_REGISTERED
    ]
    for request in repeats:
        _count_from_first_receipt(connection, request, standing, target_by)
    history.add(connection, [_repeated(request) for request in repeats])
    return answers


def _flagged(
    connection: Connection, requests: Sequence[RegistrationAsked]
) -> list[RegistrationAsked]:
    last_days = phases.last_days(connection, [request.msisdn for request in requests])
    return [
        replace(request, evidence={**request.evidence, LATE: last_day.isoformat()})
        if (last_day := last_days.get(request.msisdn)) and phases.is_late(request.at, last_day)
        else request
        for request in requests
    ]


def _source(request: RegistrationAsked) -> Source:
    return (request.channel, request.source_id)


_registration = table(Registration).c
_COLUMNS = (
    _registration.id,
    _registration.msisdn,
    _registration.channel,
    _registration.source_id,
    _registration.state,
    _registration.registered_at,
)
_STANDING = select(*_COLUMNS).where(
    or_(
        among(_registration.msisdn, "msisdns")
        & (_registration.state == fixed(RegistrationState.OPEN)),
        among(_registration.source_id, "source_ids"),
    )
)
_OPEN = NewRows(
    Registration,
    ("msisdn", "channel", "source_id", "campaign_id", "registered_at", "evidence", "state"),
    *_COLUMNS,
)


def _standing(connection: Connection, requests: Sequence[RegistrationAsked]) -> list[_Standing]:
    rows = connection.execute(
        _STANDING,
        {
            "msisdns": [request.msisdn for request in requests],
            "source_ids": [request.source_id for request in requests],
        },
    )
    return [_as_standing(row) for row in rows]


def _as_standing(row: Row[*tuple[Any, ...]]) -> _Standing:
    return _Standing(row.id, row.msisdn, (row.channel, row.source_id), row.state, row.registered_at)


def _first_of_each_number(
    requests: Sequence[RegistrationAsked], standing: Sequence[_Standing]
) -> dict[Source, RegistrationAsked]:
    taken = {row.msisdn for row in standing if row.state == RegistrationState.OPEN}
    known = {row.source for row in standing}
    first: dict[str, RegistrationAsked] = {}
    for request in sorted(requests, key=lambda request: request.at):
        if request.msisdn not in taken and _source(request) not in known:
            first.setdefault(request.msisdn, request)
    return {_source(request): request for request in first.values()}


def _open(
    connection: Connection, new: Mapping[Source, RegistrationAsked]
) -> dict[Source, _Standing]:
    """Insert; a number that is registered, or a source that was, is passed over."""
    rows = _OPEN.run(connection, [_row(request) for request in new.values()])
    return {(row.channel, row.source_id): _as_standing(row) for row in rows}


def _row(request: RegistrationAsked) -> tuple[Any, ...]:
    """The values of a new row, in the order of _OPEN."""
    return (
        *(request.msisdn, request.channel, request.source_id, request.campaign_id),
        *(request.at, request.evidence, RegistrationState.OPEN),
    )


def _record_opened(
    connection: Connection,
    new: Mapping[Source, RegistrationAsked],
    opened: Mapping[Source, _Standing],
    target_by: time,
) -> None:
    asked = [
        CallbackAsked(
            kind=CallbackKind.CONFIRM,
            msisdn=new[source].msisdn,
            campaign_id=new[source].campaign_id,
            source_id=":".join(source),
            requested_at=new[source].at,
            registration_id=registration.id,
        )
        for source, registration in opened.items()
    ]
    promised = callbacks.open_callbacks(connection, asked, target_by)
    history.add(connection, [*(_registered(new[source]) for source in opened), *promised])


_COUNT_FROM = (
    update(table(Registration))
    .where(
        _registration.id == bindparam("of_registration"),
        _registration.state == fixed(RegistrationState.OPEN),
        _registration.registered_at > bindparam("at", type_=UtcDateTime),
    )
    .values(registered_at=bindparam("at"))
    .returning(_registration.id)
)


def _count_from_first_receipt(
    connection: Connection,
    request: RegistrationAsked,
    standing: Sequence[_Standing],
    target_by: time,
) -> None:
    """A request that came in first but is processed later (spool, slow SMSC) fixes day n."""
    for row in standing:
        later = row.state == RegistrationState.OPEN and request.at < row.registered_at
        if row.msisdn == request.msisdn and later:
            # As an agent's result does: first the call-back, then its registration.
            callbacks.count_from(connection, row.id, request.at, target_by)
            values = {"of_registration": row.id, "at": request.at}
            if connection.execute(_COUNT_FROM, values).first() is not None:
                history.add(connection, [_moved_forward(request, row)])


def _moved_forward(request: RegistrationAsked, row: _Standing) -> Happening:
    return happening(
        "registration_moved_forward",
        request.at,
        msisdn=request.msisdn,
        campaign_id=request.campaign_id,
        once=f"moved:{row.id}:{request.at.isoformat()}",
        registered_at_before=row.registered_at.isoformat(),
        source_id=request.source_id,
    )


def _registered(request: RegistrationAsked) -> Happening:
    return happening(
        "registered",
        request.at,
        msisdn=request.msisdn,
        campaign_id=request.campaign_id,
        channel=request.channel,
        source_id=request.source_id,
        evidence=request.evidence,
        **{name: value for name, value in request.evidence.items() if name == LATE},
    )


def _repeated(request: RegistrationAsked) -> Happening:
    return happening(
        "registration_repeated",
        request.at,
        msisdn=request.msisdn,
        campaign_id=request.campaign_id,
        once=f"repeated:{request.channel}:{request.source_id}",
        channel=request.channel,
        source_id=request.source_id,
    )


def made_by(connection: Connection, channel: Channel, source_ids: Sequence[str]) -> set[str]:
    """Which of these sources opened a registration."""
    rows = connection.execute(
        select(Registration.source_id).where(
            Registration.source_id.in_(source_ids), Registration.channel == channel
        )
    )
    return set(rows.scalars())
