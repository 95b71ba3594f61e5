"""Places by folded name: the traps of domain.md §4, and any spelling of any district."""

import unicodedata
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.places import read_places
from domain.addresses import Scheme
from domain.errors import InputError
from domain.places import District, Located, Places, same_province
from lab.network import CHECKOUT

PHASE_1 = read_places(CHECKOUT / "config" / "districts-phase1.csv")
PHU_TAN = District(
    scheme=Scheme.VN_2021,
    province_code="89",
    province="An Giang",
    code="888",
    unit="Huyện",
    name="Phú Tân",
)
OTHER = replace(PHU_TAN, province_code="96", province="Cà Mau", code="972")


def codes(province: str | None, district: str | None) -> tuple[str | None, str | None]:
    found = PHASE_1.locate(province, district)
    return found.province_code, found.district_code


def test_chau_thanh_is_looked_for_in_its_province() -> None:
    assert codes("Bến Tre", "Châu Thành") == ("83", "831")
    assert codes("Tiền Giang", "Châu Thành") == ("82", "821")
    assert codes("Hậu Giang", "Châu Thành A") == ("93", "932")
    assert codes("Hậu Giang", "Châu Thành") == ("93", None)


def test_two_phu_tan() -> None:
    places = Places([PHU_TAN, OTHER])
    assert places.locate("An Giang", "phu tan").district_code == "888"
    assert places.locate("Cà Mau", "H. Phú Tân").district_code == "972"


@pytest.mark.parametrize(
    ("district", "code"),
    [
        *[("TP Cao Lãnh", "866"), ("TP. Cao Lãnh", "866"), ("Thành phố Cao Lãnh", "866")],
        *[("TX Cao Lãnh", "866"), ("Cao Lãnh, TP", "866"), ("cao lanh (thanh pho)", "866")],
        *[("Huyện Cao Lãnh", "873"), ("H. Cao Lãnh", "873"), ("Cao Lãnh - huyện", "873")],
        *[("Cao Lãnh", None), ("Tỉnh Cao Lãnh", None)],
    ],
)
def test_the_unit_tells_the_two_cao_lanh_apart(district: str, code: str | None) -> None:
    assert codes("Đồng Tháp", district) == ("87", code)


@pytest.mark.parametrize(
    ("province", "district", "code"),
    [
        ("Kiên Giang", "Huyện Phú Quốc", "911"),
        ("Kiên Giang", "TX. Hà Tiên", "900"),
        ("An Giang", "Thị xã Châu Đốc", "884"),
        ("Vĩnh Long", "Huyện Bình Minh", "861"),
    ],
)
def test_units_have_changed(province: str, district: str, code: str) -> None:
    assert codes(province, district)[1] == code


def test_what_is_not_known_is_told_and_has_no_code() -> None:
    assert PHASE_1.locate("Hà Nội", "Ba Đình") == Located(None, None, True, True)
    assert PHASE_1.locate("An Giang", "Tịnh Biên") == Located("89", None, False, True)
    assert PHASE_1.locate("An Giang", None) == Located("89", None, False, False)
    assert PHASE_1.locate(None, None) == Located(None, None, False, False)
    assert PHASE_1.locate(None, "Ninh Kiều") == Located(None, None, False, True)


def test_the_scheme_is_part_of_the_key_and_the_new_one_has_no_districts() -> None:
    merged = replace(PHU_TAN, scheme=Scheme.VN_2025, province_code="91", code="", unit="", name="")
    places = Places([PHU_TAN, merged])
    assert places.locate("An Giang", "Phú Tân", Scheme.VN_2025) == Located("91", None, False, False)
    assert places.locate("An Giang", "Phú Tân") == Located("89", "888", False, False)
    assert PHASE_1.locate("An Giang", None, Scheme.VN_2025).province_is_unknown


UNITS = {
    "Thành phố": ["Thành phố ", "TP ", "TP. ", "tp.", "TX ", "Thị xã "],
    "Thị xã": ["TX ", "TX.", "thị xã ", "Thành phố "],
    "Quận": ["Quận ", "Q. ", "q."],
    "Huyện": ["Huyện ", "H. ", "huyện "],
}


@given(st.data(), st.sampled_from(PHASE_1.districts))
def test_any_spelling_finds_its_own_district_and_no_other(
    data: st.DataObject, district: District
) -> None:
    unit = data.draw(st.sampled_from(UNITS[district.unit]))
    form = data.draw(st.sampled_from(["NFC", "NFD"]))
    case = data.draw(st.sampled_from([str.upper, str.lower, str.title]))
    marks = data.draw(st.booleans())
    space = data.draw(st.sampled_from([" ", "  ", "\u00a0"]))
    written = case(unicodedata.normalize(form, unit + district.name)).replace(" ", space)
    if not marks:
        decomposed = unicodedata.normalize("NFD", written.replace("đ", "d").replace("Đ", "D"))
        written = "".join(c for c in decomposed if not unicodedata.combining(c))
    found = PHASE_1.locate(case(district.province), written)
    assert (found.province_code, found.district_code) == (district.province_code, district.code)


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_text_is_too_odd(province: str, district: str) -> None:
    found = PHASE_1.locate(province, district)
    assert found.district_code is None or found.province_code is not None


SPELT = st.sampled_from(
    [
        str,
        str.upper,
        str.lower,
        lambda name: unicodedata.normalize("NFD", name),
        lambda n: f" {n}  ",
    ]
)


@given(st.sampled_from(PHASE_1.districts), SPELT)
def test_codes_are_found_by_name_however_it_is_spelt(
    district: District, spell: Callable[[str], str]
) -> None:
    found = PHASE_1.codes(spell(district.province), spell(district.label), district.scheme)
    assert found == (district.province_code, district.code)
    assert PHASE_1.codes(spell(district.province), None) == (district.province_code, None)
    assert PHASE_1.named(district.scheme, *found) == (district.province, district.label)
    assert PHASE_1.named(district.scheme, found[0], None) == (district.province, "")


@given(st.text(max_size=12))
def test_a_name_that_is_not_known_is_told_with_those_that_are(typed: str) -> None:
    if PHASE_1.locate(typed, None).province_code is not None:
        return
    with pytest.raises(InputError, match="Bạc Liêu, Bến Tre, Cà Mau"):
        PHASE_1.codes(typed, None)


@pytest.mark.parametrize("written", ["Vĩnh Long", "Tỉnh Vĩnh Long", "vinh long", "T. Vinh Long"])
def test_a_province_is_one_however_a_file_writes_it(written: str) -> None:
    """A specialist sees the numbers of a list that says "Tỉnh" before the name."""
    assert same_province(written, "Vĩnh Long")
    assert not same_province(written, "Vĩnh Phúc")
    assert not same_province(written, "")
