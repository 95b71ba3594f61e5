"""What the brakes' rows mean for one server at one moment. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.brake_alarms import Row, alarms, is_overridden
from domain.states import BrakeCause


@dataclass(frozen=True, slots=True)
class InForce:
    """The factors that hold, and why.

    Attributes:
        campaigns: factors below 1, by campaign.
        trunk: the factor of this server's trunk, its breaker not counted.
        breaker: the open one of this server's trunk; it lets probes through from its `until` on.
        alarms: every brake that is drawn, JSON values; also those of others and overridden ones.
    """

    campaigns: Mapping[int, float] = field(default_factory=dict)
    trunk: float = 1.0
    breaker: Row | None = None
    reasons: Mapping[int, str] = field(default_factory=dict)
    trunk_reason: str = ""
    alarms: Sequence[dict[str, Any]] = ()

    def slowed(self, campaign_id: int) -> str | None:
        """What is to be said of a campaign that dials more slowly; None where it does not."""
        factor = min(self.campaigns.get(campaign_id, 1.0), self.trunk)
        if factor == 1.0:
            return None
        reasons = [self.reasons.get(campaign_id, ""), self.trunk_reason]
        return f"slowed to {factor:.0%} of its rate: {'; '.join(filter(None, reasons))}"


def in_force(rows: Iterable[Row], trunk: str, node: str, now: datetime) -> InForce:
    """What holds on a server that dials through `trunk`."""
    drawn = [row for row in rows if row["factor"] < 1]
    holding = [row for row in drawn if not is_overridden(row, now)]
    of_campaigns = [row for row in holding if row["campaign_id"] is not None]
    own = [row for row in holding if row["trunk"] == trunk and row["node"] in ("", node)]
    slow = [row for row in own if row["cause"] != BrakeCause.CONGESTION]
    return InForce(
        campaigns={row["campaign_id"]: row["factor"] for row in of_campaigns},
        trunk=min((row["factor"] for row in slow), default=1.0),
        breaker=next((row for row in own if row["cause"] == BrakeCause.CONGESTION), None),
        reasons={row["campaign_id"]: row["reason"] for row in of_campaigns},
        trunk_reason="; ".join(row["reason"] for row in slow),
        alarms=alarms(drawn, now),
    )
