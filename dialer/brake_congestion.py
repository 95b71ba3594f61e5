"""The circuit breaker of a trunk: opens on refusals, probes, closes. I/O."""

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from dialer.brake_steps import OFF, BrakeSetting, let_go, standing
from dialer.brakes import Standing, breaker, is_refusal
from domain.dispositions import Disposition
from domain.states import BrakeCause
from store import brakes
from store.brakes import Change, Scope
from store.locks import may_tick

log = logging.getLogger(__name__)

_RECENT = timedelta(minutes=10)


def put(connection: Connection, setting: BrakeSetting, now: datetime) -> None:
    if not may_tick(connection, "brake-congestion"):
        return
    scope = Scope(BrakeCause.CONGESTION, trunk=setting.trunk)
    if BrakeCause.CONGESTION not in setting.causes:
        let_go(connection, scope, OFF, now)
        return
    before = standing(brakes.of(connection, scope))
    ends = _ends(connection, setting, before, now)
    refusals = [bool(is_refusal(end)) for end in ends]
    after = breaker(before, refusals, setting.breaker, now)
    if after == before:
        return
    reason = f"{sum(refusals)} of the last {len(refusals)} calls were refused{_words(ends)}"
    brakes.put(connection, scope, Change(after.factor, reason, after.until, after.trips), now)
    log.warning(
        "trunk %s is %s: %s", setting.trunk, "open" if after.factor else "closed to calls", reason
    )


def _ends(
    connection: Connection, setting: BrakeSetting, before: Standing, now: datetime
) -> Sequence[Disposition]:
    """The ends that the breaker is judged by."""
    if before.factor > 0:
        since = max(before.since, now - _RECENT)
        return brakes.last_ends(connection, setting.trunk, setting.breaker.calls, since)
    if before.until is None or now < before.until:
        return ()
    return brakes.last_ends(connection, setting.trunk, setting.breaker.probes, before.until)


def _words(ends: Sequence[Disposition]) -> str:
    """How many refusals of which kind, the most frequent first."""
    counted = Counter(end for end in ends if is_refusal(end)).most_common()
    words = [f"{count} {word.replace('_', ' ')}" for word, count in counted]
    return f": {', '.join(words)}" if words else ""
