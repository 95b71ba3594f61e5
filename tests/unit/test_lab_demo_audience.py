"""The demo's audience is what our own reader makes of its file. Pure."""

import csv
import io
from collections import Counter

import pytest

from dialer.audience_columns import AudienceRow, Columns
from domain.errors import InputError
from lab.behaviours import BEHAVIOURS, behaviour_of
from lab.demo_audience import make_audience


def read_all(text: str) -> tuple[list[AudienceRow], list[str]]:
    """The good rows and the reasons of the bad ones; a number that comes again is a bad one."""
    header, *rows = csv.reader(io.StringIO(text))
    columns = Columns.from_header(header)
    good: dict[str, AudienceRow] = {}
    bad: list[str] = []
    for line, cells in enumerate(rows, start=2):
        try:
            row = columns.read(line, cells)
        except InputError as error:
            bad.append(str(error))
            continue
        if row.msisdn in good:
            bad.append("again")
        good.setdefault(row.msisdn, row)
    return list(good.values()), bad


def test_the_good_rows_are_the_numbers_in_their_order() -> None:
    audience = make_audience()
    good, bad = read_all(audience.csv)
    assert tuple(row.msisdn for row in good) == audience.numbers
    assert len(bad) == audience.bad_rows


def test_200_numbers_and_every_behaviour_as_often_as_it_is_weighted() -> None:
    numbers = make_audience().numbers
    assert len(set(numbers)) == 200
    per_behaviour = Counter(behaviour_of(number).name for number in numbers)
    assert per_behaviour == {each.name: 2 * len(each.codes) for each in BEHAVIOURS}


def test_every_good_row_has_a_place_and_a_list() -> None:
    good, _ = read_all(make_audience().csv)
    assert all(row.province and row.district and row.list_no for row in good)
    assert {name for row in good for name in row.attributes} == {
        "STT",
        "Loại thuê bao",
        "Hệ điều hành",
    }


@pytest.mark.parametrize("way", ["0120 ", "+84 ", "84", "."])
def test_numbers_are_written_in_many_ways(way: str) -> None:
    cells = [row[1] for row in csv.reader(io.StringIO(make_audience().csv))]
    assert sum(way in cell for cell in cells) >= 5


def test_the_bad_rows_are_bad_for_different_reasons() -> None:
    _, bad = read_all(make_audience().csv)
    assert len(set(bad)) >= 6


def test_the_same_audience_each_time() -> None:
    assert make_audience() == make_audience()
