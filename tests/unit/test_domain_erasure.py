"""The names of numbers that were taken out: one for each, and none leads back. Pure."""

import re

from hypothesis import given
from hypothesis import strategies as st

from domain.erasure import MARK, key_name, keyed_name

keys = st.text("abcdefghijkl0123456789_-", min_size=16, max_size=40)
msisdns = st.integers(300_000_000, 999_999_999).map(lambda number: f"+84{number}")


@given(keys, msisdns)
def test_a_name_is_always_the_same_fits_its_column_and_is_no_number(key: str, msisdn: str) -> None:
    name = keyed_name(key, msisdn)
    assert name == keyed_name(key, msisdn)
    # What migration 0013 lets into the refusals, and nothing else.
    assert re.fullmatch(f"{MARK}[-A-Za-z0-9_]{{15}}", name)
    assert msisdn[3:] not in name


@given(keys, keys, msisdns, msisdns)
def test_another_number_or_another_key_gives_another_name(
    key: str, other_key: str, msisdn: str, other: str
) -> None:
    same = (key, msisdn) == (other_key, other)
    assert (keyed_name(key, msisdn) == keyed_name(other_key, other)) == same
    assert (key_name(key) == key_name(other_key)) == (key == other_key)


@given(keys, msisdns)
def test_the_name_of_a_key_is_the_name_of_no_number(key: str, msisdn: str) -> None:
    assert MARK + key_name(key) != keyed_name(key, msisdn)
    assert key not in key_name(key)
