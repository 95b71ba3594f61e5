"""Commands about the brakes: brakes show, override, release. Each write is in the audit. I/O."""

from argparse import Namespace
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from domain.brake_alarms import alarms
from domain.clock import to_local, utc_now
from domain.errors import InputError
from domain.states import BrakeCause, CampaignKind
from runtime.cli.acts import audited, operator
from runtime.cli.opened_store import opened_store
from runtime.cli.output import show, table
from runtime.settings import Settings
from store import brakes, campaigns
from store.brakes import Scope

_TRUNK = "trunk:"
_LOCAL_TIME = "%d/%m %H:%M:%S"


async def show_all(arguments: Namespace, settings: Settings) -> None:
    """Show the brakes that are drawn, or those that slow one campaign."""
    async with opened_store(settings) as store:
        drawn = alarms(await store.read(brakes.all_of), utc_now())
        if arguments.campaign is not None:
            one = await store.read(campaigns.by_name, arguments.campaign)
            by_trunk = one.kind == CampaignKind.CALL
            drawn = [each for each in drawn if _slows(each, one.id, by_trunk=by_trunk)]
    if not drawn:
        show(arguments, drawn, "no brake is drawn")
        return
    headings = ("scope", "cause", "factor", "since", "until", "overridden until", "by", "reason")
    show(arguments, drawn, table(headings, map(_cells, drawn)))


async def override(arguments: Namespace, settings: Settings) -> None:
    """Take no notice of one brake for some time."""
    if not 1 <= arguments.minutes <= 24 * 60:
        raise InputError(f"--minutes {arguments.minutes}: write 1 to {24 * 60}")
    now = utc_now()
    until = now + timedelta(minutes=arguments.minutes)

    def work(connection: Connection, scope: Scope) -> int:
        return len(brakes.override(connection, scope, operator(), until, now))

    changed = await _write(arguments, settings, "brake_overridden", work, minutes=arguments.minutes)
    data = {"scope": arguments.scope, "cause": arguments.cause, "until": until, "brakes": changed}
    show(
        arguments,
        data,
        f"the brake {arguments.cause} of {arguments.scope} is not heeded until "
        f"{to_local(until):{_LOCAL_TIME}}",
    )


async def release(arguments: Namespace, settings: Settings) -> None:
    """Heed one brake again before its override has run out."""
    now = utc_now()

    def work(connection: Connection, scope: Scope) -> int:
        return len(brakes.release(connection, scope, operator(), now))

    changed = await _write(arguments, settings, "brake_released", work)
    data = {"scope": arguments.scope, "cause": arguments.cause, "brakes": changed}
    show(arguments, data, f"the brake {arguments.cause} of {arguments.scope} is heeded again")


async def _write(
    arguments: Namespace,
    settings: Settings,
    action: str,
    work: Callable[[Connection, Scope], int],
    **told: Any,
) -> int:
    """The change and its row of the audit, in one transaction; gives how many brakes it is of."""

    def operation(connection: Connection) -> int:
        scope, subject = _scope(connection, arguments.scope, arguments.cause)
        about = {"cause": str(scope.cause), "trunk": scope.trunk, **told}
        return audited(connection, action, subject, lambda same: work(same, scope), **about)

    async with opened_store(settings) as store:
        return await store.write(operation)


def _scope(connection: Connection, written: str, cause: str) -> tuple[Scope, str]:
    """What `written` names, `trunk:NAME` or a campaign by name or number, and its plain name."""
    word = BrakeCause(cause)
    if written.startswith(_TRUNK):
        return Scope(word, trunk=written.removeprefix(_TRUNK)), written
    campaign = campaigns.by_name(connection, written)
    return Scope(word, campaign_id=campaign.id), campaign.name


def _slows(brake: dict[str, Any], campaign_id: int, *, by_trunk: bool) -> bool:
    """Whether a brake is a campaign's own, or of a trunk that it may call by."""
    return by_trunk if brake["trunk"] is not None else brake["campaign_id"] == campaign_id


def _cells(brake: dict[str, Any]) -> tuple[Any, ...]:
    node = f" on {brake['node']}" if brake["node"] else ""
    return (
        f"{brake['scope']}{node}",
        brake["cause"],
        f"{brake['factor']:g}",
        _local(brake["since"]),
        "probing" if brake["is_probing"] else _local(brake["until"]),
        _local(brake["override_until"]),
        brake["overridden_by"] or "",
        brake["reason"],
    )


def _local(at: Any) -> str:
    return "" if at is None else f"{to_local(at):{_LOCAL_TIME}}"
