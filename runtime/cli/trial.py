"""The command that calls one's own phone with a campaign's script: campaign test-call. I/O."""

import asyncio
from argparse import Namespace
from uuid import UUID

from sqlalchemy import Connection

from domain.clock import utc_now
from domain.dispositions import Disposition
from domain.errors import InputError, TstnError
from domain.msisdn import display, mask, parse_msisdn
from domain.states import CampaignKind
from runtime.asked_server import ask_health
from runtime.cli.acts import operator
from runtime.cli.opened_store import opened_store
from runtime.cli.output import show
from runtime.settings import Settings
from runtime.start_check import require_script
from store import audit, campaigns, trial_calls
from store.audit import Act
from store.engine import Store
from store.models import Campaign, TrialCall
from store.trial_calls import Asked

_LOOK_SECONDS = 0.3


class NotCalled(TstnError):
    """The phone was not rung, or nobody knows."""


async def call(arguments: Namespace, settings: Settings) -> None:
    """Ask the running server for the call, and wait for its end."""
    msisdn = _number(" ".join(arguments.msisdn))
    await ask_health(settings)
    async with opened_store(settings) as store:
        campaign = await store.read(campaigns.by_name, arguments.campaign)
        if campaign.kind != CampaignKind.CALL:
            raise InputError(f"campaign {campaign.name!r} sends texts, it makes no calls")
        script = arguments.script or campaign.script_version
        require_script(script, settings)
        asked = await store.write(_asked, campaign, msisdn, script)
        ended = await _ended(store, asked.id)
    if ended.disposition in (Disposition.NOT_DIALLED, Disposition.UNKNOWN):
        raise NotCalled(f"the call to {display(msisdn)} is {ended.disposition}: see `tstn health`")
    keys = f"keys {' '.join(ended.keys)}" if ended.keys else "no key"
    data = {name: getattr(ended, name) for name in ("id", "script_version", "disposition", "keys")}
    show(
        arguments,
        data | {"campaign": campaign.name, "msisdn": msisdn},
        f"{display(msisdn)}: {ended.disposition}, {keys}; nothing was registered",
    )


def _asked(connection: Connection, campaign: Campaign, msisdn: str, script: str) -> TrialCall:
    by, now = operator(), utc_now()
    told = {"script": script, "number": mask(msisdn), "by": by}
    act = Act("trial_call_asked", None, campaign.name, data=told)
    asked = Asked(campaign, msisdn, script, by)
    return audit.perform(
        connection, act, now, lambda connection: trial_calls.ask(connection, asked, now)
    )


async def _ended(store: Store, call_id: UUID) -> TrialCall:
    """The call, once it is over; one that no server takes is given up here too."""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        row = await store.read(trial_calls.by_id, call_id)
        if row is None:
            raise NotCalled("the call is not in the store any more")
        if row.ended_at is not None:
            return row
        if row.node is None and utc_now() > row.asked_at + trial_calls.PATIENCE:
            await store.write(trial_calls.expire, utc_now())


def _number(written: str) -> str:
    try:
        return parse_msisdn(written)
    except InputError as error:
        raise InputError(f"MSISDN: {error}") from None
