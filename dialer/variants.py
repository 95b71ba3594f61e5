"""Which version of the script a number hears, where a campaign splits its audience. Pure.

Each version runs a race for each number: its time is drawn by a hash of campaign, number and
version, and divided by its weight; the first one is played (weighted rendezvous hashing). So

* a version's share is its weight by the sum of all weights, and nothing but the campaign's weights
  decides: not the order of dials, not the node, not the attempt;
* another weight for one version changes its own times only. Where it grows, numbers move to it and
  to no other; where it shrinks, or goes, only its own numbers move. No rule that keeps the shares
  could move fewer, and the same holds for any change between two versions;
* the same factor for all weights moves nobody.
"""

from collections.abc import Mapping
from hashlib import blake2b
from math import log

_DRAWS = 2**52
"""So many that a draw and a half are exact as a float: no draw is 0 or 1."""


def versions(variants: Mapping[str, int], alone: str) -> tuple[str, ...]:
    """The versions that the campaign's numbers hear; `alone` where it does not split them."""
    return tuple(sorted(variants)) or (alone,)


def version_of(variants: Mapping[str, int], alone: str, campaign_id: int, msisdn: str) -> str:
    """The version that this number hears. `variants` are weights above 0 by version."""
    heard = versions(variants, alone)
    if len(heard) == 1:
        return heard[0]
    return min(heard, key=lambda version: _time(campaign_id, msisdn, version) / variants[version])


def _time(campaign_id: int, msisdn: str, version: str) -> float:
    """A draw from the exponential distribution, the same one always."""
    hashed = blake2b(f"{campaign_id}:{msisdn}:{version}".encode(), digest_size=8).digest()
    draw = (int.from_bytes(hashed) % _DRAWS + 0.5) / _DRAWS
    return -log(draw)
