"""What a rehearsal starts from: how many targets are ready, and when. I/O."""

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, select

from domain.states import TargetState
from store.columns import UtcDateTime, fixed
from store.models import Target, table

_MINUTE = timedelta(minutes=1)

_target = table(Target).c
_READY = (
    _target.campaign_id == bindparam("campaign"),
    _target.state == fixed(TargetState.READY),
)
_NOW = bindparam("now", type_=UtcDateTime)
_DUE = (
    select(_target.attempts_made, func.count())
    .where(*_READY, _target.not_before <= _NOW)
    .group_by(_target.attempts_made)
)
_LATER = select(_target.attempts_made, _target.not_before).where(*_READY, _target.not_before > _NOW)


def ready_targets(
    connection: Connection, campaign: int, now: datetime
) -> dict[tuple[int, int], int]:
    """Targets by (attempts made, full minutes from `now` until they are due)."""
    values = {"campaign": campaign, "now": now}
    found = Counter({(made, 0): count for made, count in connection.execute(_DUE, values)})
    for made, not_before in connection.execute(_LATER, values):
        found[made, -((now - not_before) // _MINUTE)] += 1
    return dict(found)
