"""Percentiles of the waits of the last calls. Pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.latency import Latency


def measured(waits: list[float]) -> dict[str, float]:
    latency = Latency()
    for seconds in waits:
        latency.add(seconds)
    return latency.summary()


def test_without_calls_all_is_nought() -> None:
    assert measured([]) == {"count": 0, "p50_ms": 0, "p99_ms": 0, "max_ms": 0}


def test_one_call_is_every_percentile() -> None:
    assert measured([0.0123]) == {"count": 1, "p50_ms": 12.3, "p99_ms": 12.3, "max_ms": 12.3}


def test_a_thousand_waits_whatever_their_order() -> None:
    waits = [number / 1000 for number in range(1000, 0, -1)]
    summary = measured(waits)
    assert summary["p50_ms"] == pytest.approx(500, abs=1)
    assert summary["p99_ms"] == pytest.approx(990, abs=1)
    assert summary["max_ms"] == 1000


def test_only_the_last_waits_count_so_that_a_cured_fault_is_forgotten() -> None:
    summary = measured([60.0] * 5000 + [0.01] * 5000)
    assert summary == {"count": 5000, "p50_ms": 10, "p99_ms": 10, "max_ms": 10}


@given(st.lists(st.floats(0, 3600), min_size=1, max_size=300))
def test_no_percentile_makes_things_look_better_than_they_are(waits: list[float]) -> None:
    """At least that share of the waits was not longer."""
    summary = measured(waits)
    milliseconds = sorted(round(wait * 1000, 1) for wait in waits)
    for name, share in (("p50_ms", 0.5), ("p99_ms", 0.99), ("max_ms", 1.0)):
        not_longer = sum(wait <= summary[name] for wait in milliseconds)
        assert not_longer >= share * len(waits)
    assert summary["count"] == len(waits)
