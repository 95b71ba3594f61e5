"""What a text came to, from its parts. Pure."""

import pytest

from dialer.text_outcomes import outcome_of


@pytest.mark.parametrize(
    ("parts", "outcome"),
    [
        ("queued", None),
        ("sending", None),
        ("accepted", "sent"),
        ("delivered", "delivered"),
        ("undelivered", "failed"),
        ("expired", "failed"),
        ("failed", "failed"),
        ("unknown", "unknown"),
        ("delivered sending", None),
        ("delivered accepted", "sent"),
        ("delivered delivered", "delivered"),
        ("delivered failed", "failed"),
        ("unknown delivered", "unknown"),
        ("unknown undelivered", "failed"),
    ],
)
def test_the_worst_part_decides(parts: str, outcome: str | None) -> None:
    assert outcome_of(parts.split()) == outcome
