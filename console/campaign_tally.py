"""The figures of a campaign; `console.counting` says when they are counted. I/O.

What began more than an hour ago is counted again twice an hour.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from domain.dispositions import Disposition
from store import campaign_figures as figures
from store import campaigns, variants, why_not
from store.campaign_figures import NOT_SENT, Audience, Minute
from store.variants import VersionFigures

_MOST_CODES = 6
SHOWN = timedelta(hours=1)
_BASE_HOLDS = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Base:
    """What began before `until`."""

    until: datetime
    attempts: Mapping[str, int]
    keys: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Tally:
    """A campaign as it was counted at `at`."""

    at: datetime
    base: Base
    audience: Audience
    waits: why_not.Counts
    attempts: Mapping[str, int]
    """By disposition; `open` are in the air."""
    keys: Mapping[str, int]
    registered: int
    confirmed: int
    minutes: Sequence[Minute]
    retries: Sequence[tuple[datetime, int]]
    codes: Sequence[figures.Code]
    """The causes of the last hour."""

    @property
    def dialled(self) -> int:
        """All attempts."""
        return sum(self.attempts.values())

    @property
    def answered(self) -> int:
        """Calls that somebody took."""
        return self.attempts.get(Disposition.ANSWERED, 0)

    @property
    def asr(self) -> float | None:
        """The answered of what was sent and has ended; None where that is nothing."""
        return answered_share(self.attempts)


def count(connection: Connection, campaign_id: int, before: Tally | None, now: datetime) -> Tally:
    """Count a campaign on from the base of the last count, or from a new one if that is old."""
    base = None if before is None else before.base
    if base is None or now - base.until > SHOWN + _BASE_HOLDS or now < base.until:
        until = (now - SHOWN).replace(second=0, microsecond=0)
        base = Base(
            until,
            figures.attempts_before(connection, campaign_id, until),
            figures.keys_before(connection, campaign_id, until),
        )
    minutes = figures.minutes(connection, campaign_id, base.until)
    attempts, keys = Counter(base.attempts), Counter(base.keys)
    for minute in minutes:
        attempts.update(minute.began)
    keys.update(figures.keys_since(connection, campaign_id, base.until))
    registered, confirmed = figures.brought(connection, campaign_id)
    return Tally(
        at=now,
        base=base,
        audience=figures.audience(connection, campaign_id),
        waits=why_not.counts(connection, campaign_id, now),
        attempts=attempts,
        keys=keys,
        registered=registered,
        confirmed=confirmed,
        minutes=minutes,
        retries=figures.retries(connection, campaign_id),
        codes=figures.codes(connection, campaign_id, base.until, _MOST_CODES),
    )


def count_versions(
    connection: Connection, campaign_id: int, _: object, now: datetime
) -> list[VersionFigures]:
    """What came of each version of a campaign's script. Raises InputError where it is gone."""
    return variants.compared(connection, campaigns.by_name(connection, str(campaign_id)))


def answered_share(by_word: Mapping[str, int]) -> float | None:
    """The answered of what was sent and has ended."""
    ended = sum(count for word, count in by_word.items() if word not in NOT_SENT)
    return by_word.get(Disposition.ANSWERED, 0) / ended if ended else None
