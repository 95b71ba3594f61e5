"""How many calls may start now: rates, channels in use, and brakes of all scopes. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.pacing import Monotonic, TokenBucket, budget
from store.limits import GLOBAL, Caps, of_trunk
from store.models import Campaign

InUse = dict[tuple[int, str], int]
"""Open attempts by campaign and trunk, counted from rows."""


@dataclass
class Capacity:
    """The token buckets of the server, the trunks and the campaigns; their rates may change.

    A brake's factor multiplies the rate that a scope really has: of a campaign the least of its
    own, the trunk's and the server's, since half of a rate that is never reached slows nothing. The
    server's own rate goes down with the campaign that is slowed least.
    """

    defaults: Caps
    now: Monotonic
    _caps: Mapping[str, Caps] = field(default_factory=dict)
    _buckets: dict[str, TokenBucket] = field(default_factory=dict)
    _campaigns: Mapping[int, float] = field(default_factory=dict)
    _trunks: Mapping[str, float] = field(default_factory=dict)

    def set_limits(self, caps: Mapping[str, Caps]) -> None:
        """Take over the limits as the store has them; a scope without any has the defaults."""
        self._caps = caps

    def set_brakes(self, campaigns: Mapping[int, float], trunks: Mapping[str, float]) -> None:
        """Take over the factors: of every campaign that runs, and of the trunks that are slowed."""
        self._campaigns, self._trunks = campaigns, trunks

    def tokens(self, campaign: Campaign, trunk: str) -> int:
        """How many calls the rates allow now, whatever the channels in use."""
        buckets = (*self._shared_buckets(trunk), self._own_bucket(campaign, trunk))
        return min(bucket.available() for bucket in buckets)

    def shared(self, trunk: str, in_use: InUse) -> int:
        """How many calls of all campaigns together may start now on the trunk."""
        return budget(self._shared_buckets(trunk), [self.free(trunk, in_use)])

    def free(self, trunk: str, in_use: InUse) -> int:
        """How many channels of the server and of the trunk are free."""
        of_this = sum(count for (_, name), count in in_use.items() if name == trunk)
        return min(
            self._cap(GLOBAL).max_channels - sum(in_use.values()),
            self._cap(of_trunk(trunk)).max_channels - of_this,
        )

    def own(self, campaign: Campaign, trunk: str, in_use: InUse) -> int:
        """How many calls of the campaign may start now, were it alone."""
        used = sum(count for (id_, _), count in in_use.items() if id_ == campaign.id)
        return budget([self._own_bucket(campaign, trunk)], [campaign.max_channels - used])

    def take(self, campaign: Campaign, trunk: str, count: int, in_use: InUse) -> None:
        """Count calls that start now."""
        self.take_shared(trunk, count)
        self._own_bucket(campaign, trunk).take(count)
        in_use[campaign.id, trunk] = in_use.get((campaign.id, trunk), 0) + count

    def take_shared(self, trunk: str, count: int = 1) -> None:
        """Count calls that start now against the server's rate and the trunk's."""
        for bucket in self._shared_buckets(trunk):
            bucket.take(count)

    def _shared_buckets(self, trunk: str) -> tuple[TokenBucket, ...]:
        slowed = max(self._campaigns.values(), default=1.0)
        trunk_rate = self._cap(of_trunk(trunk)).cps * self._trunks.get(trunk, 1.0)
        return (
            self._bucket(GLOBAL, self._cap(GLOBAL).cps * slowed),
            self._bucket(of_trunk(trunk), trunk_rate),
        )

    def _own_bucket(self, campaign: Campaign, trunk: str) -> TokenBucket:
        rates = (campaign.cps, self._cap(of_trunk(trunk)).cps, self._cap(GLOBAL).cps)
        factor = self._campaigns.get(campaign.id, 1.0)
        return self._bucket(f"campaign:{campaign.id}", min(rates) * factor)

    def _cap(self, scope: str) -> Caps:
        return self._caps.get(scope, self.defaults)

    def _bucket(self, scope: str, rate: float) -> TokenBucket:
        bucket = self._buckets.setdefault(scope, TokenBucket(rate, self.now))
        bucket.rate = rate
        return bucket
