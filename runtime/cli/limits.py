"""Commands about rates and channels: limits show, set, revert. I/O."""

import re
from argparse import Namespace
from collections.abc import Sequence

from sqlalchemy import Connection

from domain.clock import utc_now
from domain.errors import InputError
from runtime.caps import changed, default_caps, in_force
from runtime.cli.acts import audited
from runtime.cli.opened_store import opened_store
from runtime.cli.output import show, table, warn
from runtime.settings import Settings
from store import limits
from store.limits import GLOBAL, Caps, of_trunk

_TRUNK = re.compile(r"trunk:[A-Za-z][A-Za-z0-9_-]{0,31}")


async def show_all(arguments: Namespace, settings: Settings) -> None:
    """Show the limits in force, by scope; those not set yet come from the settings."""
    async with opened_store(settings) as store:
        stored = await store.read(limits.read)
    rows = {
        scope: {"cps": caps.cps, "channels": caps.max_channels, "is_set": scope in stored}
        for scope, caps in in_force(stored, settings).items()
    }
    cells = [
        (scope, f"{row['cps']:g}", row["channels"], "" if row["is_set"] else "from the settings")
        for scope, row in rows.items()
    ]
    show(arguments, rows, table(("scope", "calls/s", "channels", ""), cells))


async def put(arguments: Namespace, settings: Settings) -> None:
    """Set some or all limits of one scope."""
    scope = arguments.scope
    if scope != GLOBAL and not _TRUNK.fullmatch(scope):
        raise InputError(f"there is no scope {scope!r}: it is {GLOBAL} or trunk:NAME")
    async with opened_store(settings) as store:
        caps = await store.write(_change, scope, arguments.pairs, default_caps(settings))
    if scope not in (GLOBAL, of_trunk(settings.trunk.name)):
        warn(f"these settings name no such trunk: theirs is {of_trunk(settings.trunk.name)}")
    show(
        arguments,
        {"scope": scope, "cps": caps.cps, "channels": caps.max_channels},
        f"{scope}: {caps.cps:g} calls/s, {caps.max_channels} channels",
    )


async def revert(arguments: Namespace, settings: Settings) -> None:
    """Undo the last change of one scope's limits."""
    scope = arguments.scope
    async with opened_store(settings) as store:
        again = await store.write(_reverted, scope)
    caps = again or default_caps(settings)
    whose = "" if again else ", from the settings"
    show(
        arguments,
        {"scope": scope, "cps": caps.cps, "channels": caps.max_channels, "is_set": bool(again)},
        f"{scope}: {caps.cps:g} calls/s, {caps.max_channels} channels again{whose}",
    )


def _reverted(connection: Connection, scope: str) -> Caps | None:
    return audited(
        connection, "limits_reverted", scope, lambda same: limits.revert(same, scope, utc_now())
    )


def _change(connection: Connection, scope: str, pairs: Sequence[str], defaults: Caps) -> Caps:
    caps = changed(limits.to_change(connection).get(scope, defaults), pairs)
    audited(
        connection,
        "limits_set",
        scope,
        lambda same: limits.put(same, scope, caps, utc_now()),
        cps=caps.cps,
        channels=caps.max_channels,
    )
    return caps
