"""Campaigns: listed, made, started, paused, stopped, tuned, counted. I/O."""

from hashlib import sha256
from http import HTTPStatus
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from console.api import answers
from console.api.problems import Refused
from console.api.route import given
from console.api.schema import NewCampaign, OfCampaign, PageAsked, Tuning
from console.api.setting import operation_of
from console.api.writes import answer, asked_once, write
from console.parts import parts
from domain.errors import ConfigError, InputError
from domain.states import CampaignState
from store import api_lists, campaigns, following
from store.models import Campaign


async def list_campaigns(request: web.Request) -> web.StreamResponse:
    """Campaigns, the oldest first."""
    asked = given(request, PageAsked)
    rows = await parts(request).store.read(api_lists.campaigns_after, asked.after or 0, asked.limit)
    items = [
        answers.Campaign.model_validate({name: row[name] for name in answers.Campaign.model_fields})
        for row in rows
    ]
    following = items[-1].id if len(items) == asked.limit else None
    return answer(answers.CampaignPage(items=items, next=following))


async def get_campaign(request: web.Request) -> web.StreamResponse:
    """One campaign with its knobs."""
    return answer(_shown(await found(request)))


async def create_campaign(request: web.Request) -> web.StreamResponse:
    """Make a draft."""
    asked = await asked_once(request, sha256(await request.read()).hexdigest())
    values = operation_of(request).draft(fields_of(given(request, NewCampaign)))
    now = parts(request).clock()

    def create(connection: Connection) -> Campaign:
        if values["follows"] is not None:
            following.require_followed(connection, values["follows"])
        try:
            return campaigns.create(connection, values, now)
        except InputError as error:  # the name is taken
            raise Refused(HTTPStatus.CONFLICT, str(error)) from None

    return await write(
        request,
        "campaign_created",
        create,
        _shown,
        subject=values["name"],
        status=HTTPStatus.CREATED,
        asked=asked,
    )


async def tune_campaign(request: web.Request) -> web.StreamResponse:
    """Change knobs, also while it runs; they hold within two seconds."""
    campaign, it = await found(request), parts(request)
    knobs, operation = fields_of(given(request, Tuning)), operation_of(request)
    if not knobs:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "nothing is to be changed: give a knob")
    now = it.clock()

    def tune(connection: Connection) -> Campaign:
        row = campaigns.to_change(connection, str(campaign.id))
        campaigns.tune(connection, row, operation.tuned(knobs, row.retry), now)
        return campaigns.by_name(connection, str(campaign.id))

    return await write(request, "campaign_tuned", tune, _shown, subject=campaign.name, knobs=knobs)


async def start_campaign(request: web.Request) -> web.StreamResponse:
    """Start dialling, or go on after a pause."""
    campaign, it = await found(request), parts(request)
    try:
        await it.store.read(operation_of(request).require_startable, campaign, it.clock())
    except (ConfigError, InputError) as error:
        raise Refused(HTTPStatus.CONFLICT, str(error)) from None
    return await _move(request, campaign, CampaignState.RUNNING)


async def pause_campaign(request: web.Request) -> web.StreamResponse:
    """Stop new calls until the next start; live calls end by themselves."""
    return await _move(request, await found(request), CampaignState.PAUSED)


async def stop_campaign(request: web.Request) -> web.StreamResponse:
    """End it for good; live calls end by themselves."""
    return await _move(request, await found(request), CampaignState.STOPPED)


async def count_campaign(request: web.Request) -> web.StreamResponse:
    """How many of its targets and attempts stand where."""
    campaign = await found(request)
    counts = await parts(request).store.read(campaigns.counts, campaign.id)
    return answer(answers.Counts.model_validate(counts))


async def found(request: web.Request, address: type[OfCampaign] = OfCampaign) -> Campaign:
    """The campaign of the address. Raises Refused where there is none."""
    name = given(request, address).campaign
    try:
        if not name.isprintable():
            raise InputError
        return await parts(request).store.read(campaigns.by_name, name)
    except InputError:
        raise Refused(HTTPStatus.NOT_FOUND, "there is no such campaign") from None


async def _move(
    request: web.Request, campaign: Campaign, state: CampaignState
) -> web.StreamResponse:
    now = parts(request).clock()

    def move(connection: Connection) -> answers.Moved:
        row = campaigns.by_name(connection, str(campaign.id))
        try:
            changed = campaigns.move(connection, row, state, now)
        except InputError as error:
            raise Refused(HTTPStatus.CONFLICT, str(error)) from None
        return answers.Moved(name=row.name, state=state, changed=changed)

    return await write(
        request, f"campaign_{state}", move, lambda moved: moved, subject=campaign.name
    )


def fields_of(sent: Tuning) -> dict[str, Any]:
    """What the program has really sent, as TOML would give it."""
    return sent.model_dump(mode="json", exclude_unset=True)


def _shown(campaign: Campaign) -> answers.Campaign:
    return answers.Campaign.model_validate(campaign)
