"""What steers a campaign beside its knobs: a look ahead, one step back, numbers once more. I/O."""

from hashlib import sha256
from http import HTTPStatus
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from console.api import control_answers as answers
from console.api.campaigns import fields_of, found
from console.api.problems import Refused
from console.api.route import given
from console.api.schema import Recycling, Tuning
from console.api.setting import operation_of
from console.api.writes import answer, asked_once, write
from console.parts import parts
from domain.clock import read_moment
from domain.errors import InputError
from domain.states import CampaignKind, CampaignState
from store import campaign_changes, campaigns, recycling
from store.models import Campaign
from store.recycling import Batch, Choice


async def preview_tuning(request: web.Request) -> web.StreamResponse:
    """What knobs would come to, beside what they come to as they are; nothing is changed."""
    campaign, it = await found(request), parts(request)
    if campaign.kind == CampaignKind.TEXT:
        raise Refused(HTTPStatus.CONFLICT, "the campaign sends texts: a preview is of calls")
    changed = operation_of(request).tuned(fields_of(given(request, Tuning)), campaign.retry)
    before, after = await it.control.preview(it.store, str(campaign.id), changed, it.clock())
    return answer(
        answers.Effects(
            before=answers.Effect.model_validate(before),
            after=answers.Effect.model_validate(after),
        )
    )


async def revert_tuning(request: web.Request) -> web.StreamResponse:
    """Undo the last tuning; once more undoes the one before."""
    campaign, it = await found(request), parts(request)
    asked = await asked_once(request, sha256(await request.read()).hexdigest())
    now = it.clock()

    def revert(connection: Connection) -> answers.Reverted:
        row = campaigns.to_change(connection, str(campaign.id))
        try:
            after = campaign_changes.revert(connection, row, now)
        except InputError as error:
            raise Refused(HTTPStatus.CONFLICT, str(error)) from None
        before = {name: getattr(row, name) for name in after}
        return answers.Reverted(name=row.name, before=before, after=after)

    return await write(
        request,
        "campaign_reverted",
        revert,
        lambda made: made,
        subject=campaign.name,
        asked=asked,
    )


async def preview_recycling(request: web.Request) -> web.StreamResponse:
    """How many numbers that are done with would be dialled once more; nothing is changed."""
    campaign = await found(request)
    chosen = _choice(campaign, given(request, Recycling))
    it = parts(request)
    look = await it.store.read(recycling.preview, chosen, it.clock())
    seen = {"recycled": look.back, "left_out": look.stopped, "spent": look.spent, "over": look.over}
    return answer(answers.RecyclingLook.model_validate(seen))


async def recycle_numbers(request: web.Request) -> web.StreamResponse:
    """Dial numbers once more that are done with; answers when all are put back."""
    campaign, it = await found(request), parts(request)
    asked, now = given(request, Recycling), it.clock()
    begun: list[tuple[Choice, Batch]] = []

    def first(connection: Connection) -> answers.Recycled:
        chosen = _choice(campaigns.by_name(connection, str(campaign.id)), asked)
        batch = recycling.recycle(connection, chosen, now)
        begun.append((chosen, batch))
        return answers.Recycled(recycled=batch.recycled)

    data = asked.model_dump(mode="json")
    await write(
        request, "campaign_recycled", first, lambda made: made, subject=campaign.name, **data
    )
    return answer(answers.Recycled(recycled=await it.recyclings.finish(*begun[-1], now)))


def _choice(campaign: Campaign, asked: Recycling) -> Choice:
    """Raises Refused, and InputError for what is no moment."""
    if campaign.state == CampaignState.STOPPED:
        raise Refused(
            HTTPStatus.CONFLICT, "the campaign is stopped: nothing of it is dialled again"
        )
    if campaign.kind == CampaignKind.TEXT:
        raise Refused(HTTPStatus.CONFLICT, "the campaign sends texts: nobody is sent one twice")
    before: Any = None if asked.ended_before is None else read_moment(asked.ended_before)
    return recycling.choice(campaign, asked.outcomes, asked.province, before)
