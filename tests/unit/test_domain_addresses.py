"""The address form's rules: what must be there, in both divisions of the country."""

from dataclasses import replace

import pytest

from domain.addresses import LONGEST, Address, AddressFault, Scheme, faults

WHOLE = Address(
    scheme=Scheme.VN_2021,
    contact_name="Trần Văn Bảy",
    house_number="12",
    street="Nguyễn Huệ",
    ward="Phường 1",
    district="Cao Lãnh",
    province="Đồng Tháp",
)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"province": ""}, AddressFault.NO_PROVINCE),
        ({"district": None}, AddressFault.NO_DISTRICT),
        ({"ward": "\t"}, AddressFault.NO_WARD),
        ({"street": None}, AddressFault.NO_HAMLET_OR_STREET),
        ({"house_number": None}, AddressFault.NO_LANDMARK),
        ({"scheme": Scheme.VN_2025}, AddressFault.DISTRICT_ABOLISHED),
        ({"latitude": 10.4}, AddressFault.HALF_A_POSITION),
        ({"latitude": 95.0, "longitude": 105.0}, AddressFault.NO_SUCH_POSITION),
        ({"latitude": 10.0, "longitude": 181.0}, AddressFault.NO_SUCH_POSITION),
        ({"note": "x" * (LONGEST + 1)}, AddressFault.TOO_LONG),
    ],
)
def test_one_fault_at_a_time(change: dict[str, object], fault: AddressFault) -> None:
    assert faults(WHOLE) == frozenset()
    assert faults(replace(WHOLE, **change)) == {fault}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"contact_name": ""},
        {"street": None, "hamlet": "ấp 3"},
        {"house_number": None, "landmark": "gần chợ Mỹ Trà"},
        {"scheme": Scheme.VN_2025, "district": None},
        {"latitude": 10.46, "longitude": 105.63},
        {"latitude": 0.0, "longitude": 0.0},
    ],
)
def test_what_takes_the_place_of_another_part(change: dict[str, object]) -> None:
    assert faults(replace(WHOLE, **change)) == frozenset()  # type: ignore[arg-type]


def test_all_faults_are_named_at_once() -> None:
    empty = Address(scheme=Scheme.VN_2021, contact_name="", ward="", province="")
    assert len(faults(empty)) == 5
