"""How many calls may start now: rates of all scopes against channels in use. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.pacing import Monotonic, TokenBucket, budget
from store.limits import GLOBAL, Caps, of_trunk
from store.models import Campaign

InUse = dict[tuple[int, str], int]
"""Open attempts by campaign and trunk, counted from rows."""


@dataclass
class Capacity:
    """The token buckets of the server, the trunks and the campaigns; their rates may change."""

    defaults: Caps
    now: Monotonic
    _caps: Mapping[str, Caps] = field(default_factory=dict)
    _buckets: dict[str, TokenBucket] = field(default_factory=dict)

    def set_limits(self, caps: Mapping[str, Caps]) -> None:
        """Take over the limits as the store has them; a scope without any has the defaults."""
        self._caps = caps

    def tokens(self, campaign: Campaign, trunk: str) -> int:
        """How many calls the rates allow now, whatever the channels in use."""
        return min(bucket.available() for bucket in self._of(campaign, trunk))

    def budget(self, campaign: Campaign, trunk: str, in_use: InUse) -> int:
        """How many calls of the campaign may start now on the trunk."""
        free = (
            self._cap(GLOBAL).max_channels - sum(in_use.values()),
            self._cap(of_trunk(trunk)).max_channels
            - sum(count for (_, name), count in in_use.items() if name == trunk),
            campaign.max_channels
            - sum(count for (id_, _), count in in_use.items() if id_ == campaign.id),
        )
        return budget(self._of(campaign, trunk), free)

    def take(self, campaign: Campaign, trunk: str, count: int, in_use: InUse) -> None:
        """Count calls that start now."""
        for bucket in self._of(campaign, trunk):
            bucket.take(count)
        in_use[campaign.id, trunk] = in_use.get((campaign.id, trunk), 0) + count

    def _of(self, campaign: Campaign, trunk: str) -> tuple[TokenBucket, ...]:
        return (
            self._bucket(GLOBAL, self._cap(GLOBAL).cps),
            self._bucket(of_trunk(trunk), self._cap(of_trunk(trunk)).cps),
            self._bucket(f"campaign:{campaign.id}", campaign.cps),
        )

    def _cap(self, scope: str) -> Caps:
        return self._caps.get(scope, self.defaults)

    def _bucket(self, scope: str, rate: float) -> TokenBucket:
        bucket = self._buckets.setdefault(scope, TokenBucket(rate, self.now))
        bucket.rate = rate
        return bucket
