"""Test calls: a campaign's script, heard on one's own phone. I/O."""

from http import HTTPStatus

from aiohttp import web
from sqlalchemy import Connection

from console.api.answers import TrialCallShown
from console.api.bearer import bearer
from console.api.campaigns import found
from console.api.problems import Refused
from console.api.route import given
from console.api.schema import OfTrialCall, TrialCallAsked
from console.api.setting import operation_of
from console.api.writes import answer, asked_once, write
from console.parts import parts
from domain.dispositions import Disposition
from domain.errors import InputError
from domain.msisdn import mask, parse_msisdn
from domain.states import CampaignKind
from store import trial_calls
from store.models import TrialCall
from store.trial_calls import Asked


async def make_test_call(request: web.Request) -> web.StreamResponse:
    """Call one's own phone with a script; nothing comes of its keys, and it counts nowhere."""
    campaign, sent = await found(request), given(request, TrialCallAsked)
    once = await asked_once(request, sent.model_dump_json())
    if campaign.kind != CampaignKind.CALL:
        raise Refused(HTTPStatus.CONFLICT, "the campaign sends texts, it makes no calls")
    script = sent.script_version or campaign.script_version
    operation_of(request).require_script(script)
    by = f"token {bearer(request).name}"
    asked = Asked(campaign, parse_msisdn(sent.msisdn), script, by)
    now = parts(request).clock()

    def ask(connection: Connection) -> TrialCall:
        try:
            return trial_calls.ask(connection, asked, now)
        except InputError as error:
            raise Refused(HTTPStatus.CONFLICT, str(error)) from None

    return await write(
        request,
        "trial_call_asked",
        ask,
        _shown,
        subject=campaign.name,
        status=HTTPStatus.CREATED,
        asked=once,
        script=script,
        number=mask(asked.msisdn),
    )


async def get_test_call(request: web.Request) -> web.StreamResponse:
    """How a test call stands."""
    campaign = await found(request, OfTrialCall)
    row = await parts(request).store.read(trial_calls.by_id, given(request, OfTrialCall).test_call)
    if row is None or row.campaign_id != campaign.id:
        raise Refused(HTTPStatus.NOT_FOUND, "there is no such test call")
    return answer(_shown(row))


def _shown(row: TrialCall) -> TrialCallShown:
    return TrialCallShown(
        id=row.id,
        msisdn=mask(row.msisdn),
        script_version=row.script_version,
        state=trial_calls.state_of(row),
        keys=row.keys,
        disposition=Disposition(row.disposition) if row.disposition else None,
        asked_at=row.asked_at,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
    )
