"""The clock gives aware UTC and no naive moment gets through. Pure."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.clock import to_local, utc_now


def test_now_is_aware_utc() -> None:
    assert utc_now().utcoffset() == timedelta(0)


def test_local_is_seven_hours_ahead() -> None:
    local = to_local(datetime(2021, 3, 26, 17, 0, tzinfo=UTC))
    assert (local.date().isoformat(), local.hour) == ("2021-03-27", 0)


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        to_local(datetime(2021, 3, 26, 17, 0))  # noqa: DTZ001 - the point of the test
