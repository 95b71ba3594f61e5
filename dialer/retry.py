"""When a number is dialled again: rules by disposition, with a hard cap. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.dispositions import Disposition

_LONGEST = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class RetryRule:
    """Dial again up to `max` times after this disposition, `delay_seconds` after the attempt's end.

    Each further retry waits `factor` times as long as the one before (1 = always the same).
    """

    max: int
    delay_seconds: float
    factor: float = 1.0


RetryRules = Mapping[Disposition, RetryRule]
"""A disposition without a rule ends the target."""

DEFAULT_RULES: RetryRules = {
    Disposition.NO_ANSWER: RetryRule(max=2, delay_seconds=3600, factor=2),
    Disposition.BUSY: RetryRule(max=3, delay_seconds=900),
    Disposition.UNREACHABLE: RetryRule(max=2, delay_seconds=4 * 3600),
    Disposition.CONGESTION: RetryRule(max=5, delay_seconds=300, factor=2),
    Disposition.UNEXPECTED_CAUSE: RetryRule(max=1, delay_seconds=3600),
    Disposition.UNKNOWN: RetryRule(max=1, delay_seconds=4 * 3600),
}
NOT_DIALLED_DELAY = timedelta(seconds=30)
"""Nothing was sent, so it is no attempt: only wait until the trunk has recovered."""


def next_dial(
    rules: RetryRules,
    disposition: Disposition,
    *,
    ended_at: datetime,
    alike: int,
    attempts_made: int,
    max_attempts: int,
) -> datetime | None:
    """The moment before which the number must not be dialled again; None: never again.

    `alike` counts the target's attempts with this disposition, `attempts_made` all that were
    dialled, both with this one; `max_attempts` is the hard cap of the target.
    """
    if disposition is Disposition.NOT_DIALLED:
        return ended_at + NOT_DIALLED_DELAY
    rule = rules.get(disposition)
    if rule is None or alike > rule.max or attempts_made >= max_attempts:
        return None
    seconds = rule.delay_seconds * rule.factor ** (alike - 1)
    return ended_at + min(_LONGEST, timedelta(seconds=min(seconds, _LONGEST.total_seconds())))


def rules_from_row(stored: Mapping[str, Any]) -> RetryRules:
    """Rules as a campaign row keeps them."""
    return {Disposition(word): RetryRule(**rule) for word, rule in stored.items()}


def rules_to_row(rules: RetryRules) -> dict[str, Any]:
    """The JSON form of rules for a campaign row."""
    return {str(disposition): asdict(rule) for disposition, rule in rules.items()}
