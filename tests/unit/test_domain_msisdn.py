"""Numbers, line by line of domain.md §7. Pure."""

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain import msisdn
from domain.errors import InputError
from domain.msisdn import BadNumber, display, mask, national, parse_msisdn

OLD_PREFIXES = [
    *[("0120", "070"), ("0121", "079"), ("0122", "077"), ("0126", "076"), ("0128", "078")],
    *[("0123", "083"), ("0124", "084"), ("0125", "085"), ("0127", "081"), ("0129", "082")],
    *[("0162", "032"), ("0163", "033"), ("0164", "034"), ("0165", "035")],
    *[("0166", "036"), ("0167", "037"), ("0168", "038"), ("0169", "039")],
    *[("0186", "056"), ("0188", "058"), ("0199", "059")],
]


@pytest.mark.parametrize(
    "text",
    [
        "0901234567",
        "901234567",  # Excel dropped the 0
        "84901234567",
        "+84901234567",
        "0084901234567",
        "+84 (0) 901 234 567",
        "840901234567",
        " 0901 234 567 ",
        "0901.234.567",
        "0901-234-567",
        "(090) 123-4567",
        "901,234,567",  # a number cell with thousands separators
        "'0901234567",  # a text cell of Excel
        '="0901234567"',
        "901234567.0",  # went through a floating-point column
        "\u202a0901234567\u202c",  # copied from a phone: invisible marks of direction
        "0901\u00a0234\u00a0567",
        "０９０１２３４５６７",
        "SĐT: 0901234567",
        "0901234567 (Zalo)",
        "0901 ABC 234567",  # letters go; they are never keypad digits
        "0901234567\n",
        "0901234567 (Zalo+)",
    ],
)
def test_one_number_however_it_is_written(text: str) -> None:
    assert parse_msisdn(text) == "+84901234567"


@pytest.mark.parametrize(("old", "new"), OLD_PREFIXES)
@pytest.mark.parametrize("prefix", ["0", "", "84", "+84", "0084", "+84 (0) "])
def test_numbers_of_eleven_digits_become_ten(old: str, new: str, prefix: str) -> None:
    assert parse_msisdn(f"{prefix}{old[1:]}4567890") == f"+84{new[1:]}4567890"


def test_every_old_prefix_is_in_the_table() -> None:
    assert {f"0{old}": f"0{new}" for old, new in msisdn._OLD_TO_NEW.items()} == dict(OLD_PREFIXES)


@pytest.mark.parametrize("first", "35789")
def test_the_first_digits_of_mobile_numbers(first: str) -> None:
    assert parse_msisdn(f"0{first}12345678") == f"+84{first}12345678"


def test_nine_digits_that_look_like_a_country_code_are_a_number() -> None:
    assert parse_msisdn("849012345") == "+84849012345"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no number"),
        ("   ", "no number"),
        ("không có", "no number"),
        ("+", "no number"),
        ("++84", "not a phone number"),
        ("9231", "not a mobile number"),
        ("9090", "not a mobile number"),
        ("18001090", "not a mobile number"),
        ("0120123456", "not a mobile number"),  # an old number cut short
        ("+84120123456", "not a mobile number"),
        ("84120123456", "not a mobile number"),
        ("01601234567", "not a mobile number"),  # 0160 never was a prefix
        ("0901234", "not a mobile number"),
        ("090123456", "not a mobile number"),
        ("09012345678", "not a mobile number"),
        ("02963812345", "not a mobile number"),  # a landline of An Giang
        ("0401234567", "not a mobile number"),
        ("0601234567", "not a mobile number"),
        ("8490123456", "not a mobile number"),
        ("90123456.0", "not a mobile number"),  # else 901234560 of a stranger
        ("090123456o", "not a mobile number"),  # a letter for a digit
        ("1900ABCDEF", "not a mobile number"),
        ("0901234567/8", "not a mobile number"),
        ("9.01234567E+08", "scientific"),
        ("9.012346E+08", "scientific"),  # its digits alone would be a number
        ("8,490123e+10", "scientific"),
        ("0901234567, 0912345678", "two numbers"),
        ("0901234567/0912345678", "two numbers"),
        ("0901234567 0912345678", "two numbers"),
        ("0901234567\n0912345678", "two numbers"),
        ("901234567;912345678", "two numbers"),
        ("+84901234567+84912345678", "two numbers"),
        ("01201234567 hoặc 0901234567", "two numbers"),
        ("+1 201 234 5678", "not a Vietnamese number"),
        ("+1201234567", "not a Vietnamese number"),  # not 0120 with the 0 dropped
        ("+85512345678", "not a Vietnamese number"),
        ("+0901234567", "not a phone number"),
        ("+" + "9" * 17, "not a phone number"),
    ],
)
def test_what_is_not_one_mobile_number(text: str, reason: str) -> None:
    with pytest.raises(BadNumber) as caught:
        parse_msisdn(text)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, InputError)


def test_the_reason_does_not_repeat_the_number() -> None:
    with pytest.raises(BadNumber) as caught:
        parse_msisdn("09012345678")
    assert "0901" not in str(caught.value)


def test_forms_of_a_stored_number() -> None:
    assert national("+84901234567") == "0901234567"
    assert display("+84901234567") == "0901 234 567"
    assert mask("+84901234567") == "090****567"


@pytest.mark.parametrize(
    "text", ["", "0901234567", "+8490123456", "+84901234567\n", "+849012345@x"]
)
def test_only_stored_numbers_reach_a_dial_string(text: str) -> None:
    with pytest.raises(BadNumber):
        national(text)
    with pytest.raises(BadNumber):
        display(text)
    assert mask(text) == "****"


def outcome(parse: Callable[[str], str], text: str) -> str:
    """Give the result of a parse, or its reason."""
    try:
        return parse(text)
    except BadNumber as error:
        return f"bad: {error}"


WRITTEN = st.one_of(
    st.from_regex(r"(\+84|84|0084|0|\+840|840)?[0-9]{7,11}", fullmatch=True),
    st.from_regex(r"(\+84|84|0)?[35789][0-9]{8}", fullmatch=True),
    st.text(alphabet="0123456789+", min_size=1, max_size=17),
)


@given(WRITTEN)
@example("849012345")
@example("84849012345")
@example("8484901234")
@example("084901234")
def test_the_fast_path_agrees_with_phonenumbers(text: str) -> None:
    """Whatever the pattern takes, phonenumbers reads the same; what it leaves, it decides."""
    if msisdn._CLEAN.fullmatch(text):
        assert outcome(parse_msisdn, text) == outcome(msisdn._by_library, text)
    assert outcome(parse_msisdn, text) == outcome(the_slow_way, text)


@given(st.text(max_size=30))
def test_any_text_gives_a_number_or_a_reason(text: str) -> None:
    result = outcome(parse_msisdn, text)
    assert result.startswith("bad: ") or parse_msisdn(result) == result
    assert result == outcome(the_slow_way, text)


@given(st.from_regex(r"[35789][0-9]{8}", fullmatch=True))
def test_every_form_reads_back(digits: str) -> None:
    stored = f"+84{digits}"
    for form in (stored, national(stored), display(stored), stored[1:], digits):
        assert parse_msisdn(form) == stored


def the_slow_way(text: str) -> str:
    """The rule without any short cut: strip, modernise, phonenumbers."""
    return msisdn._by_library(msisdn._to_modern(msisdn._strip(text)))
