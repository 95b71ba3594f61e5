"""The command that tells why nothing is dialled. I/O."""

from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from domain.clock import to_local, utc_now
from domain.gate import Shut
from domain.msisdn import mask, parse_msisdn
from domain.states import Stand
from runtime.cli.opened_store import opened_store
from runtime.cli.output import pairs, show, table
from runtime.closing import closed as closed_now
from runtime.settings import Settings
from store import attempts, campaigns, limits
from store import why_not as reasons
from store.models import Campaign
from store.why_not import Counts, Trail


async def why_not(arguments: Namespace, settings: Settings) -> None:
    """Tell why a campaign, or one number of it, is not dialled now."""
    now = utc_now()
    async with opened_store(settings) as store:
        campaign = await store.read(campaigns.by_name, arguments.campaign)
        closed = await store.read(closed_now, campaign, settings, now)
        if arguments.msisdn is not None:
            msisdn = parse_msisdn(arguments.msisdn)
            found = await store.read(reasons.trail, campaign.id, msisdn, now)
            _show_one(arguments, campaign, closed, msisdn, found, now)
            return
        counted = await store.read(reasons.counts, campaign.id, now)
        full = await store.read(_full, campaign, settings)
    _show_all(arguments, campaign, closed, full, counted)


def _full(connection: Connection, campaign: Campaign, settings: Settings) -> dict[str, list[int]]:
    """Channels in use and allowed: of the campaign, and of the server."""
    in_use = attempts.open_channels(connection)
    set_limits = limits.read(connection)
    whole = set_limits.get(limits.GLOBAL)
    most = settings.dialer.max_channels if whole is None else whole.max_channels
    own = sum(count for (of, _), count in in_use.items() if of == campaign.id)
    return {
        "campaign": [own, campaign.max_channels],
        "server": [sum(in_use.values()), most],
    }


def _show_all(
    arguments: Namespace,
    campaign: Campaign,
    closed: Shut | None,
    channels: Mapping[str, list[int]],
    counted: Counts,
) -> None:
    show(
        arguments,
        {
            "campaign": campaign.name,
            "state": campaign.state,
            "reason": closed and closed.reason,
            "words": closed and closed.words,
            "channels": {name: {"used": n, "most": most} for name, (n, most) in channels.items()},
            "targets": asdict(counted),
        },
        pairs({"why nothing is dialled": _words(closed, channels, counted)}),
        "",
        table(("targets", ""), _lines(counted)),
    )


def _words(closed: Shut | None, channels: Mapping[str, list[int]], counted: Counts) -> str:
    if closed is not None:
        return closed.words
    for whose, (used, most) in channels.items():
        if used >= most:
            return f"all channels of the {whose} are in use: {used} of {most}"
    if counted.due:
        return "nothing stands in the way: see `tstn health` for Asterisk and the trunk"
    if counted.next_due is not None:
        return f"no number is due before {_local(counted.next_due)}"
    return "no number is left to dial"


def _lines(counted: Counts) -> Iterator[tuple[str, int]]:
    yield "to be dialled now", counted.due
    yield "wait for their next dial", counted.retry
    yield from ((f"held: {_spaced(reason)}", n) for reason, n in counted.held.items())
    yield "being called", counted.in_the_air
    yield from ((f"done: {_spaced(outcome)}", n) for outcome, n in counted.done.items())


def _show_one(
    arguments: Namespace,
    campaign: Campaign,
    closed: Shut | None,
    msisdn: str,
    found: Trail,
    now: datetime,
) -> None:
    verdict = _verdict(found, closed, now)
    target = dict(found.target) if found.target else None
    shown = {
        "campaign": campaign.name,
        "msisdn": mask(msisdn),
        "verdict": verdict,
        "campaign_reason": closed and closed.reason,
        "target": target
        and {
            name: target[name]
            for name in (
                *("state", "outcome", "attempts_made", "not_before", "held_by"),
                *("province_code", "district_code", "import_id", "file_name"),
            )
        },
        "opted_out": found.opted_out,
        "do_not_call": found.do_not_call,
        "registered_at": found.registration and found.registration.registered_at,
        "phase": found.phase and {n: found.phase[n] for n in ("opens_on", "closes_on")},
        "dials": found.dials,
        "in_the_air": found.is_in_the_air,
    }
    show(arguments, shown, pairs(_readable(shown)))


def _verdict(found: Trail, closed: Shut | None, now: datetime) -> str:
    one = reasons.finding(found, closed, now)
    match one.stand:
        case Stand.NOT_HERE:
            return "the campaign does not have this number"
        case Stand.IN_THE_AIR:
            return "it is being called"
        case Stand.LATER if one.until is not None:
            return f"not before {_local(one.until)}"
        case Stand.CLOSED if closed is not None:
            return closed.words
        case Stand.FREE:
            return "it is dialled as soon as a channel is free"
        case _:
            return f"{one.stand}: {_spaced(one.reason or '')}"


def _readable(shown: Mapping[str, Any]) -> dict[str, Any]:
    lines: dict[str, Any] = {}
    for name, value in shown.items():
        if isinstance(value, dict):
            lines |= {f"{name} {_spaced(key)}": each for key, each in value.items()}
        elif name == "dials":
            lines |= {
                f"dialled {_local(dial['started_at'])}": dial["disposition"] or "open"
                for dial in value
            }
        else:
            lines[_spaced(name)] = value
    return {name: _local(v) if isinstance(v, datetime) else v for name, v in lines.items()}


def _spaced(word: str) -> str:
    return word.replace("_", " ")


def _local(at: datetime) -> str:
    return f"{to_local(at):%d/%m/%Y %H:%M}"
