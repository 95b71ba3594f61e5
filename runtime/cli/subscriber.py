"""Commands about one subscriber's data: show, export, erase. I/O."""

from argparse import Namespace

import orjson

from domain.clock import utc_now
from domain.msisdn import mask, parse_msisdn
from runtime.cli.acts import operator
from runtime.cli.opened_store import opened_store
from runtime.cli.output import pairs, show
from runtime.settings import Settings
from store import subscribers


async def show_one(arguments: Namespace, settings: Settings) -> None:
    """How many rows are held on a number, by kind."""
    msisdn = parse_msisdn(arguments.msisdn)
    async with opened_store(settings) as store:
        held = await store.read(subscribers.held, msisdn)
    counts = {name: len(rows) for name, rows in held.items() if rows}
    shown = pairs(counts) if counts else f"nothing is held on {mask(msisdn)}"
    show(arguments, {"msisdn": mask(msisdn), "rows": counts}, shown)


async def export(arguments: Namespace, settings: Settings) -> None:
    """All that is held on a number, as one JSON object; the look-up leaves a row in the audit."""
    msisdn = parse_msisdn(arguments.msisdn)
    async with opened_store(settings) as store:
        held = await subscribers.export(store, msisdn, operator(), utc_now())
    print(orjson.dumps(held, option=orjson.OPT_INDENT_2, default=str).decode())


async def erase(arguments: Namespace, settings: Settings) -> None:
    """Take a number out of what may be taken out."""
    msisdn = parse_msisdn(arguments.msisdn)
    async with opened_store(settings) as store:
        key = settings.law.erasure_key
        changed = await subscribers.erase(store, msisdn, key, operator(), utc_now())
    rows = {name: count for name, count in changed.items() if count}
    data = {"msisdn": mask(msisdn), "erased": rows}
    show(arguments, data, pairs(rows) if rows else f"nothing to erase on {mask(msisdn)}")
