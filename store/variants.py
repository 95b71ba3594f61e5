"""Script variants: which version each new attempt plays, and what came of each version. I/O."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, bindparam, distinct, func, select, update

from domain.dispositions import Disposition
from domain.proportions import wilson
from store.claims import Claimed
from store.columns import fixed
from store.models import Attempt, Campaign, KeyPress, table
from store.statements import among


@dataclass(frozen=True, slots=True)
class VersionFigures:
    """What came of one script version, in numbers (subscribers), however often each was dialled.

    `keys` counts by key those who pressed it.
    """

    version: str
    called: int
    answered: int
    keys: dict[str, int]

    @property
    def key_1(self) -> int:
        """Those who pressed 1."""
        return self.keys.get("1", 0)

    @property
    def key_1_rate(self) -> float | None:
        """Of those who answered; None where nobody did."""
        return self.key_1 / self.answered if self.answered else None

    @property
    def key_1_bounds(self) -> tuple[float, float]:
        """Within which the true share lies, in 95 % of cases."""
        # A key that overtook the news of the answer was pressed in an answered call all the same.
        return wilson(self.key_1, max(self.answered, self.key_1))


_attempts, _keys = table(Attempt).c, table(KeyPress).c
_PLAY = (
    update(table(Attempt))
    .where(among(_attempts.id, "ids"))
    .values(script_version=bindparam("version"))
)
_OF_CAMPAIGN = _attempts.campaign_id == bindparam("campaign_id")
_CALLED = (
    select(
        _attempts.script_version,
        func.count(distinct(_attempts.target_id)).label("called"),
        func.count(distinct(_attempts.target_id))
        .filter(_attempts.answered_at.is_not(None))
        .label("answered"),
    )
    .where(
        _OF_CAMPAIGN,
        func.coalesce(_attempts.disposition, "") != fixed(Disposition.NOT_DIALLED),
    )
    .group_by(_attempts.script_version)
    .order_by(_attempts.script_version)
)
_PRESSED = (
    select(_attempts.script_version, _keys.key, func.count(distinct(_attempts.target_id)))
    .join(table(KeyPress), _keys.attempt_id == _attempts.id)
    .where(_OF_CAMPAIGN)
    .group_by(_attempts.script_version, _keys.key)
)


def split(
    connection: Connection, claimed: Sequence[Claimed], version_of: Callable[[str], str]
) -> list[Claimed]:
    """Write into attempts just claimed the version that each number hears.

    In the transaction of their claim: what is committed before the dial is what will be played.
    """
    split = [replace(one, script_version=version_of(one.msisdn)) for one in claimed]
    changed = defaultdict(list)
    for one, was in zip(split, claimed, strict=True):
        if one.script_version != was.script_version:
            changed[one.script_version].append(one.attempt_id)
    for version, ids in changed.items():
        connection.execute(_PLAY, {"ids": ids, "version": version})
    return split


def figures(connection: Connection, campaign_id: int) -> list[VersionFigures]:
    """What came of each version that a campaign's calls have played, or are playing."""
    of_campaign = {"campaign_id": campaign_id}
    keys: dict[str, dict[str, int]] = defaultdict(dict)
    for version, key, count in connection.execute(_PRESSED, of_campaign):
        keys[version][key] = count
    rows = connection.execute(_CALLED, of_campaign)
    return [
        VersionFigures(row.script_version, row.called, row.answered, keys[row.script_version])
        for row in rows
    ]


def compared(connection: Connection, campaign: Campaign) -> list[VersionFigures]:
    """The figures of each version that was played or is to be, in the order of their names."""
    found = {each.version: each for each in figures(connection, campaign.id)}
    planned = campaign.variants or (campaign.script_version,)
    new = {version: VersionFigures(version, 0, 0, {}) for version in planned}
    return [each for _, each in sorted((new | found).items())]
