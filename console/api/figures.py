"""What a campaign has come to, as its page shows it: funnel, causes, retries, versions. I/O."""

import asyncio
from http import HTTPStatus

from aiohttp import web

from console.api import control_answers as answers
from console.api.campaigns import found
from console.api.problems import Refused
from console.api.writes import answer
from console.campaign_tally import Tally
from console.parts import parts
from store.variants import VersionFigures

_PATIENCE_SECONDS = 10.0
_AGAIN_SECONDS = "5"


async def get_figures(request: web.Request) -> web.StreamResponse:
    """What a campaign has come to, by the last count that the pages have too."""
    campaign, it = await found(request), parts(request)
    tally, versions = await asyncio.gather(
        it.tallies.awaited(campaign.id, _PATIENCE_SECONDS),
        it.versions.awaited(campaign.id, _PATIENCE_SECONDS),
    )
    if tally is None or versions is None:
        raise Refused(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "the campaign is being counted: ask again in some seconds",
            Retry_After=_AGAIN_SECONDS,
        )
    return answer(_told(campaign.name, tally, versions))


def _told(name: str, tally: Tally, versions: list[VersionFigures]) -> answers.Figures:
    return answers.Figures(
        campaign=name,
        counted_at=tally.at,
        audience=tally.audience.total,
        called=tally.audience.called,
        done=tally.audience.done,
        answered=tally.answered,
        keys=dict(tally.keys),
        registered=tally.registered,
        confirmed=tally.confirmed,
        asr=tally.asr,
        attempts=dict(tally.attempts),
        retries=[answers.RetriesDue(at=at, count=count) for at, count in tally.retries],
        versions=[_version(one) for one in versions],
    )


def _version(one: VersionFigures) -> answers.ScriptVersionFigures:
    low, high = one.key_1_bounds
    return answers.ScriptVersionFigures(
        version=one.version,
        called=one.called,
        answered=one.answered,
        keys=one.keys,
        key_1_rate=one.key_1_rate,
        key_1_low=low if one.answered else None,
        key_1_high=high if one.answered else None,
    )
