"""One number: where it is listed, what it asked for, what happened. A look-up is audited. I/O."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from aiohttp import web
from sqlalchemy import Connection, RowMapping

from console import timeline
from console.api.answers import CallbackPromised, Happened, Number, RegistrationShown, TargetShown
from console.api.bearer import bearer
from console.api.problems import Refused
from console.api.route import given
from console.api.schema import NumberAsked
from console.api.writes import answer
from console.parts import parts
from console.timeline import Line
from domain.msisdn import mask, parse_msisdn
from domain.roles import OF_ONE_PROVINCE, Permission, may
from store import api_lists, audit, history, numbers
from store.audit import Act
from store.numbers import Standing
from store.tokens import Bearer

Found = tuple[Sequence[RowMapping], Standing, list[dict[str, Any]]]


async def look_up_number(request: web.Request) -> web.StreamResponse:
    """All that stands for a number, and all that happened to it, as the role may see."""
    msisdn, who = parse_msisdn(given(request, NumberAsked).msisdn), bearer(request)
    whole = may(who.role, Permission.NUMBERS_SEE_WHOLE)

    it = parts(request)
    act = Act("number_looked_up", who.user_id, subject=mask(msisdn), token_id=who.id)
    await it.store.write(audit.add, act, it.clock())
    found = await it.store.read(_all_of, msisdn)
    if not _is_for(who, found[1]):
        raise Refused(HTTPStatus.FORBIDDEN, "this number is not in your province")
    return answer(_number(msisdn if whole else mask(msisdn), found, whole=whole))


def _all_of(connection: Connection, msisdn: str) -> Found:
    return (
        api_lists.targets_of(connection, msisdn),
        numbers.standing(connection, msisdn),
        history.timeline(connection, msisdn),
    )


def _is_for(who: Bearer, standing: Standing) -> bool:
    return who.role not in OF_ONE_PROVINCE or standing.is_in(who.province)


def _number(msisdn: str, found: Found, *, whole: bool) -> Number:
    targets, standing, entries = found
    return Number(
        msisdn=msisdn,
        has_opted_out=standing.has_opted_out,
        targets=[TargetShown.model_validate(dict(row)) for row in targets],
        registrations=[
            RegistrationShown.model_validate(dict(row)) for row in standing.registrations
        ],
        callbacks=[CallbackPromised.model_validate(dict(row)) for row in standing.callbacks],
        timeline=[_happened(line) for line in timeline.lines(entries, whole=whole)],
    )


def _happened(line: Line) -> Happened:
    return Happened(at=line.at, kind=line.kind, details=dict(line.details), text=line.text)
