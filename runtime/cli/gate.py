"""Commands about who may be contacted: do-not-call lists, phases, why-not. I/O."""

from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any

from console.places import read_places
from dialer.gate_files import read_day, read_phases
from domain.clock import to_local, utc_now
from domain.gate import list_trouble
from domain.places import Places
from domain.states import ContactScope, Purpose
from runtime.audience_import import rejects_beside
from runtime.cli.acts import operator
from runtime.cli.opened_store import opened_store
from runtime.cli.output import pairs, show, table
from runtime.do_not_call_import import import_list
from runtime.settings import Settings
from store import do_not_call, phases

_RELEASE_AT_ONCE = 5000


async def import_do_not_call(arguments: Namespace, settings: Settings) -> None:
    """Replace the list of a scope."""
    file: Path = arguments.file
    rejects: Path = arguments.rejects or rejects_beside(file)
    scope = ContactScope(arguments.scope)
    async with opened_store(settings) as store:
        report = await import_list(store, scope, file, rejects, operator(), utc_now)
    rejects_file = str(rejects) if report.rejected else None
    show(
        arguments,
        asdict(report) | {"scope": scope, "rejects": rejects_file},
        pairs(
            {
                f"numbers on the list {scope}": report.listed,
                "twice in the file": report.twice,
                "without a number": report.rejected,
                "refused rows are in": rejects_file or "no file, there are none",
            }
        ),
    )


async def show_do_not_call(arguments: Namespace, settings: Settings) -> None:
    """The lists in use, and what they stop."""
    async with opened_store(settings) as store:
        lists = await store.read(do_not_call.in_use)
        ages = await store.read(do_not_call.ages)
    days = settings.law.do_not_call_days
    trouble = {
        str(way): list_trouble(Purpose.ADVERTISING, way, ages, days, utc_now())
        for way in (ContactScope.VOICE, ContactScope.SMS)
    }
    show(
        arguments,
        {"lists": lists, "advertising_stopped_by": trouble},
        table(("scope", "numbers", "loaded", "by", "file"), map(_list_line, lists)),
        *(f"!! advertising by {way}: {why}" for way, why in trouble.items() if why),
    )


async def import_phases(arguments: Namespace, settings: Settings) -> None:
    """Set the phases of the places in a file; who waited for them is judged anew."""
    opens, closes = (
        None if text is None else read_day(text) for text in (arguments.opens, arguments.closes)
    )
    read = read_phases(arguments.file, read_places(settings.console.districts), opens, closes)
    now = utc_now()
    async with opened_store(settings) as store:
        await store.write(phases.put, read, operator(), now)
        released = 0
        for campaign_id in await store.read(phases.campaigns_by_phase):
            while count := await store.write(phases.release, campaign_id, _RELEASE_AT_ONCE, now):
                released += count
            ended = await store.read(phases.ended_too_early, campaign_id, now)
            for first in range(0, len(ended), _RELEASE_AT_ONCE):
                some = ended[first : first + _RELEASE_AT_ONCE]
                released += await store.write(phases.bring_back, some, now)
    show(
        arguments,
        {"places": len(read), "judged_anew": released},
        pairs({"places": len(read), "numbers to be judged anew": released}),
    )


async def show_phases(arguments: Namespace, settings: Settings) -> None:
    """When each place is invited."""
    async with opened_store(settings) as store:
        rows = await store.read(phases.all_of)
    places = read_places(settings.console.districts)
    show(
        arguments,
        [_as_json(row) for row in rows],
        table(
            ("scheme", "province", "district", "", "from", "to"),
            (_phase_line(row, places) for row in rows),
        ),
    )


def _phase_line(row: dict[str, Any], places: Places) -> list[Any]:
    """The names where they are known, and the codes as they are kept."""
    codes = (row["province_code"], row["district_code"])
    province, district = places.named(row["scheme"], *codes) or ("?", "")
    shown = [row["scheme"], province, district, " ".join(code for code in codes if code)]
    return [*shown, row["opens_on"], row["closes_on"] or ""]


def _as_json(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "id"}


def _list_line(row: dict[str, Any]) -> tuple[Any, ...]:
    loaded = f"{to_local(row['loaded_at']):%d/%m/%Y %H:%M}"
    return row["scope"], row["numbers"], loaded, row["loaded_by"], row["name"]
