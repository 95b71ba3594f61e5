"""The address that a 9090 agent confirms: its parts, and which must be there. Pure.

Required (domain.md §9): province, district, ward, a hamlet or a street, and a landmark where there
is no house number. The scheme of July 2025 has no districts.
"""

from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum


class Scheme(StrEnum):
    """Which division of the country the names belong to."""

    VN_2021 = "vn-2021"
    VN_2025 = "vn-2025"


class Slot(StrEnum):
    """The part of a day that suits the subscriber for the visit."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the visit goes, and whom it finds there.

    Attributes:
        title: the form of address, such as "chị".
        contact_msisdn: E.164, where it is another than the subscriber's own.
        residents_group: tổ.
        hamlet: ấp, khóm, or khu vực in Cần Thơ.
        at_home: who is there.
        latitude, longitude: WGS 84 degrees.
    """

    scheme: Scheme
    contact_name: str
    title: str | None = None
    contact_msisdn: str | None = None
    house_number: str | None = None
    alley: str | None = None
    street: str | None = None
    residents_group: str | None = None
    hamlet: str | None = None
    ward: str
    district: str | None = None
    province: str
    landmark: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    at_home: str | None = None
    best_slot: Slot | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Appointment:
    """The day of the visit, local, and the part of it."""

    day: date
    slot: Slot


class AddressFault(StrEnum):
    """What an address lacks, or has wrong."""

    NO_PROVINCE = "no_province"
    NO_DISTRICT = "no_district"
    DISTRICT_ABOLISHED = "district_abolished"
    NO_WARD = "no_ward"
    NO_HAMLET_OR_STREET = "no_hamlet_or_street"
    NO_LANDMARK = "no_landmark"
    HALF_A_POSITION = "half_a_position"
    NO_SUCH_POSITION = "no_such_position"
    TOO_LONG = "too_long"


LONGEST = 200
"""Characters of one part."""


def faults(address: Address) -> frozenset[AddressFault]:
    """What is wrong with an address; empty where it is complete. Blanks are nothing."""
    found = {
        AddressFault.NO_PROVINCE: _blank(address.province),
        AddressFault.NO_DISTRICT: address.scheme is Scheme.VN_2021 and _blank(address.district),
        AddressFault.DISTRICT_ABOLISHED: (
            address.scheme is Scheme.VN_2025 and not _blank(address.district)
        ),
        AddressFault.NO_WARD: _blank(address.ward),
        AddressFault.NO_HAMLET_OR_STREET: _blank(address.hamlet) and _blank(address.street),
        AddressFault.NO_LANDMARK: _blank(address.house_number) and _blank(address.landmark),
        AddressFault.HALF_A_POSITION: (address.latitude is None) != (address.longitude is None),
        AddressFault.NO_SUCH_POSITION: not (
            -90 <= (address.latitude or 0) <= 90 and -180 <= (address.longitude or 0) <= 180
        ),
        AddressFault.TOO_LONG: any(len(text) > LONGEST for text in _texts(address)),
    }
    return frozenset(fault for fault, is_there in found.items() if is_there)


def _blank(text: str | None) -> bool:
    return text is None or not text.strip()


def _texts(address: Address) -> list[str]:
    values = [getattr(address, field.name) for field in fields(address)]
    return [value for value in values if isinstance(value, str)]
