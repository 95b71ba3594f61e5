"""The result of a call-back: the outcome, with the address or the time that belongs to it. I/O."""

from contextlib import suppress
from http import HTTPStatus
from uuid import UUID

from aiohttp import web
from sqlalchemy import Connection

from console import address_form, desk_page, desk_view, formats, forms, later
from console.desk_calls import claim_of, require_own
from console.messages import marked as _
from console.parts import parts, session
from console.phone_line import LineState
from console.render import page, word
from console.writes import write
from domain.callbacks import Outcome
from domain.clock import to_local
from domain.errors import ClaimLost
from domain.msisdn import mask
from store import agent_desk, callback_results
from store.agent_desk import Desk
from store.callback_results import Result

_LATER_FAULTS = {
    "say when to call": _("Choose when to call."),
    "this moment is past": _("This moment is past."),
    "this moment is outside the agents' hours": _("This moment is outside the agents' hours."),
}
_WORDS = {"outcome", "slot", "best_slot", "scheme"}
"""The fields that hold a word of the store's."""


async def send(request: web.Request) -> web.StreamResponse:
    """Record the result and go on; what is wrong with the form is said at its fields.

    A form is drawn again only while its call-back is in hand: what was typed for one subscriber
    never stands on the page of another.
    """
    claim, given = await claim_of(request), await _given(request)
    chosen = await forms.text(request, "outcome")
    outcome = Outcome(chosen) if chosen in set(Outcome) else None
    result, wrong = _read(request, outcome, given)
    desk = await desk_view.desk_of(request)
    if desk.taken is not None and desk.taken.claim_id == claim:
        if wrong:
            return await desk_page.answer(request, "form_wrong", given, wrong, status=422)
        if not await _is_over(request, desk):
            return await desk_page.answer(request, "hang_up_first", given, status=422)
    if wrong or result is None or not await _close(request, claim, result):
        return await _lost(request, claim, outcome, given)
    raise web.HTTPSeeOther("/desk?said=recorded")


async def _is_over(request: web.Request, desk: Desk) -> bool:
    """A talk is ended by who talks; a call that nobody has answered ends with its result."""
    line = parts(request).desk.line
    if line is None or desk.call is None or (live := line.state(desk.call["id"])) is None:
        return True
    if live.state is LineState.TALKING:
        return False
    await line.hang_up(live.call_id)
    return True


async def wards(request: web.Request) -> web.StreamResponse:
    """The wards known in a district, as options: what was confirmed there before."""
    places = parts(request).desk.places
    province = places.province(request.query.get("province", ""))
    district = places.district(province, request.query.get("district", ""))
    found = await parts(request).store.read(
        agent_desk.wards, province, district, desk_view.MOST_WARDS
    )
    return desk_page.html(request, "desk/wards.html", {"wards": found})


async def _close(request: web.Request, claim: UUID, result: Result) -> bool:
    """False where the call-back is not this agent's any more."""
    it, who, now = parts(request), session(request).user_id, parts(request).clock()

    def close(connection: Connection) -> str:
        msisdn = require_own(connection, claim, who)
        callback_results.close(connection, claim, result, now, it.desk.hours)
        return msisdn

    try:
        await write(request, "callback_result", close, subject=mask, outcome=result.outcome.value)
    except ClaimLost:
        return False
    it.live.push("desk")
    return True


async def _lost(
    request: web.Request, claim: UUID, outcome: Outcome | None, given: dict[str, str]
) -> web.Response:
    """A page that is no form: what was typed can be read there, and sent for nobody else."""
    typed = {name: value for name, value in given.items() if value}
    if outcome is not None:
        typed = {"outcome": f"outcome_{outcome}"} | typed
    for name in _WORDS & typed.keys():
        typed[name] = word(request, typed[name])
    with suppress(ValueError):
        typed["day"] = formats.day(given["day"])
    if (at := later.read(given["later_at"])) is not None:
        typed["later_at"] = formats.local(at)
    who = session(request).user_id
    names = {
        "msisdn": await parts(request).store.read(agent_desk.number_of, claim, who),
        "typed": typed,
    }
    return page(request, "desk/lost.html", names, HTTPStatus.CONFLICT)


async def _given(request: web.Request) -> dict[str, str]:
    names = (*address_form.NAMES, "later_at", "result_note")
    return {name: await forms.text(request, name) for name in names}


def _read(
    request: web.Request, outcome: Outcome | None, given: dict[str, str]
) -> tuple[Result | None, dict[str, str]]:
    """The result, and what is wrong by field. Without scripts, Enter in a field chooses none."""
    if outcome is None:
        return None, {"outcome": _("Choose the result.")}
    it, now = parts(request), parts(request).clock()
    note = given["result_note"] or None
    if outcome is Outcome.CONFIRMED:
        form = address_form.read(given, to_local(now).date(), it.desk.places)
        return Result(outcome, note, None, form.address, form.appointment), form.wrong
    if outcome is Outcome.CALL_LATER:
        at = later.read(given["later_at"])
        fault = callback_results.later_fault(at, now, it.desk.hours)
        return Result(outcome, note, at), {"later_at": _LATER_FAULTS[fault]} if fault else {}
    return Result(outcome, note), {}
