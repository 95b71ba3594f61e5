"""Commands about the brakes: brakes show, brakes override. I/O."""

from argparse import Namespace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from domain.brake_alarms import alarms
from domain.clock import to_local, utc_now
from domain.errors import InputError
from domain.states import BrakeCause
from runtime.cli.opened_store import opened_store
from runtime.cli.output import show, table
from runtime.settings import Settings
from store import brakes, campaigns
from store.brakes import Scope

_TRUNK = "trunk:"
_LOCAL_TIME = "%d/%m %H:%M:%S"
_BY = "command line"


async def show_all(arguments: Namespace, settings: Settings) -> None:
    """Show the brakes that are drawn."""
    async with opened_store(settings) as store:
        rows = await store.read(brakes.all_of)
    now = utc_now()
    drawn = alarms(rows, now)
    if not drawn:
        show(arguments, drawn, "no brake is drawn")
        return
    headings = ("scope", "cause", "factor", "since", "until", "overridden until", "reason")
    show(arguments, drawn, table(headings, map(_cells, drawn)))


async def override(arguments: Namespace, settings: Settings) -> None:
    """Take no notice of one brake for some time."""
    if not 1 <= arguments.minutes <= 24 * 60:
        raise InputError(f"--minutes {arguments.minutes}: write 1 to {24 * 60}")
    now = utc_now()
    until = now + timedelta(minutes=arguments.minutes)
    async with opened_store(settings) as store:
        rows = await store.write(_override, arguments.scope, arguments.cause, until, now)
    data = {"scope": arguments.scope, "cause": arguments.cause, "until": until, "brakes": len(rows)}
    show(
        arguments,
        data,
        f"the brake {arguments.cause} of {arguments.scope} is not heeded until "
        f"{to_local(until):{_LOCAL_TIME}}",
    )


def _override(
    connection: Connection, scope: str, cause: str, until: Any, now: Any
) -> list[dict[str, Any]]:
    return brakes.override(connection, _scope(connection, scope, cause), _BY, until, now)


def _scope(connection: Connection, written: str, cause: str) -> Scope:
    """What `written` names: `trunk:NAME`, or a campaign by name or number."""
    word = BrakeCause(cause)
    if written.startswith(_TRUNK):
        return Scope(word, trunk=written.removeprefix(_TRUNK))
    return Scope(word, campaign_id=campaigns.by_name(connection, written).id)


def _cells(brake: dict[str, Any]) -> tuple[Any, ...]:
    node = f" on {brake['node']}" if brake["node"] else ""
    return (
        f"{brake['scope']}{node}",
        brake["cause"],
        f"{brake['factor']:g}",
        _local(brake["since"]),
        "probing" if brake["is_probing"] else _local(brake["until"]),
        _local(brake["override_until"]),
        brake["reason"],
    )


def _local(at: Any) -> str:
    return "" if at is None else f"{to_local(at):{_LOCAL_TIME}}"
