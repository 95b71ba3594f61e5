"""What the three brakes have in common: their setting, and how a step of one is written. I/O."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection

from dialer.brakes import BreakerRule, Standing, moved
from dialer.callbacks import CallbackSetting
from dialer.promise_outlook import PromiseRule
from domain.states import BrakeCause
from store import brakes
from store.brakes import Change, Scope
from store.limits import Caps
from store.models import Brake

log = logging.getLogger(__name__)

OFF = "this brake is switched off in the settings"
_EVER = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class BrakeSetting:
    """What an operator sets for the brakes; `causes` are those that are switched on."""

    node: str
    trunk: str
    causes: frozenset[BrakeCause]
    hold: timedelta
    late_share: float
    tolerable_seconds: float
    breaker: BreakerRule
    defaults: Caps
    callbacks: CallbackSetting
    target_by: time
    holidays: Mapping[date, bool]

    @property
    def promise_rule(self) -> PromiseRule:
        """What the brake of the promise judges by."""
        return PromiseRule(self.callbacks.hours, self.target_by, self.late_share)


def standing(brake: Brake | None) -> Standing:
    """How a brake stands; one that was never drawn is let go, and may be drawn at once."""
    if brake is None:
        return Standing(1.0, _EVER)
    return Standing(brake.factor, brake.since, brake.until, brake.trips)


def step(
    connection: Connection,
    scope: Scope,
    wanted: float,
    reason: str,
    now: datetime,
    hold: timedelta,
) -> None:
    """Move a brake towards what is wanted; nothing is written where it stays."""
    before = standing(brakes.of(connection, scope))
    _write(connection, scope, before, moved(before, wanted, now, hold), reason, now)


def let_go(connection: Connection, scope: Scope, reason: str, now: datetime) -> None:
    """Let a brake go at once: what it was drawn for is not there any more."""
    _write(connection, scope, standing(brakes.of(connection, scope)), 1.0, reason, now)


def _write(
    connection: Connection,
    scope: Scope,
    before: Standing,
    factor: float,
    reason: str,
    now: datetime,
) -> None:
    if factor == before.factor:
        return
    brakes.put(connection, scope, Change(factor, reason), now)
    where = f"campaign {scope.campaign_id}" if scope.trunk is None else f"trunk {scope.trunk}"
    log.warning("%s: the brake %s is %g: %s", where, scope.cause, factor, reason)
