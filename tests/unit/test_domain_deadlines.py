"""n+1 at 21:00 local and 48 hours, around midnight of both zones. Pure."""

from datetime import UTC, datetime, time, timedelta

import pytest

from domain.clock import LOCAL
from domain.deadlines import promise_at, target_at


def local(text: str) -> datetime:
    """Read a local wall time."""
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL)


@pytest.mark.parametrize(
    ("registered", "target"),
    [
        ("2021-03-26T10:00:00", "2021-03-27T21:00"),
        ("2021-03-26T00:00:00", "2021-03-27T21:00"),  # still 25 March in UTC
        ("2021-03-26T06:59:59", "2021-03-27T21:00"),  # the last UTC second of 25 March
        ("2021-03-26T07:00:00", "2021-03-27T21:00"),
        ("2021-03-26T23:59:59", "2021-03-27T21:00"),
        ("2021-03-26T23:59:59.999999", "2021-03-27T21:00"),
        ("2021-03-27T00:00:00", "2021-03-28T21:00"),
        ("2021-12-31T23:59:59", "2022-01-01T21:00"),
        ("2024-02-28T12:00:00", "2024-02-29T21:00"),
        ("2026-02-16T12:00:00", "2026-02-17T21:00"),  # Tết moves nothing
    ],
)
def test_target_is_the_evening_of_the_next_local_day(registered: str, target: str) -> None:
    assert target_at(local(registered)) == local(target)


def test_the_hour_of_the_target_is_a_setting() -> None:
    assert target_at(local("2021-03-26T10:00"), time(17, 30)) == local("2021-03-27T17:30")


@pytest.mark.parametrize("registered", ["2021-03-26T00:00:00", "2021-03-26T23:59:59"])
def test_promise_is_48_hours_to_the_second(registered: str) -> None:
    at = local(registered)
    assert promise_at(at) - at == timedelta(hours=48)


def test_deadlines_are_utc_whatever_zone_comes_in() -> None:
    at = local("2021-03-26T10:00")
    for deadline in (target_at(at), promise_at(at)):
        assert deadline.tzinfo is UTC
    assert target_at(at.astimezone(UTC)) == target_at(at)


def test_naive_moments_are_refused() -> None:
    naive = datetime(2021, 3, 26, 10, 0)  # noqa: DTZ001 - the point of the test
    for deadline in (target_at, promise_at):
        with pytest.raises(ValueError, match="naive"):
            deadline(naive)
