"""The address form: read into an address, and what is wrong with each field. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from console.messages import marked as _
from console.places import Places
from domain.addresses import LONGEST, Address, AddressFault, Appointment, Scheme, Slot, faults
from domain.msisdn import BadNumber, parse_msisdn

TEXTS = (
    *("contact_name", "title", "house_number", "alley", "street", "residents_group", "hamlet"),
    *("ward", "district", "province", "landmark", "at_home", "note"),
)
_OTHERS = ("scheme", "contact_msisdn", "latitude", "longitude", "best_slot", "day", "slot")
NAMES = (*TEXTS, *_OTHERS)

_SAYINGS: dict[AddressFault, tuple[str, str]] = {
    AddressFault.NO_PROVINCE: ("province", _("Choose the province.")),
    AddressFault.NO_DISTRICT: ("district", _("Choose the district.")),
    AddressFault.DISTRICT_ABOLISHED: (
        "district",
        _("The division of 2025 has no districts: leave this empty."),
    ),
    AddressFault.NO_WARD: ("ward", _("Write the commune, ward or town.")),
    AddressFault.NO_HAMLET_OR_STREET: ("hamlet", _("Write the hamlet, or else the street.")),
    AddressFault.NO_LANDMARK: (
        "landmark",
        _("Without a house number, write what the house is found by."),
    ),
    AddressFault.HALF_A_POSITION: ("latitude", _("Write both figures of the position, or none.")),
    AddressFault.NO_SUCH_POSITION: ("latitude", _("There is no such position on the earth.")),
}
"""The field that a fault belongs to, and what is said there, in the order of the form."""


@dataclass(slots=True)
class Filled:
    """A form that was read: the address unless something is wrong, by field."""

    given: Mapping[str, str]
    address: Address | None = None
    appointment: Appointment | None = None
    wrong: dict[str, str] = field(default_factory=dict)


def empty(**known: str) -> dict[str, str]:
    """The form before anything is written, with what is known."""
    return dict.fromkeys(NAMES, "") | {"scheme": Scheme.VN_2021} | known


def read(given: Mapping[str, str], today: date, places: Places) -> Filled:
    """Read a form; names of places are spelt as the list has them."""
    form = Filled(given)
    address = _address(form, places)
    for fault, (name, said) in _SAYINGS.items():
        if fault in faults(address):
            form.wrong.setdefault(name, said)
    for name in TEXTS:
        if len(given[name]) > LONGEST:
            form.wrong[name] = _("This is too long: 200 characters at most.")
    form.appointment = _appointment(form, today)
    form.address = None if form.wrong else address
    return form


def _address(form: Filled, places: Places) -> Address:
    given, scheme = form.given, form.given["scheme"]
    texts: dict[str, Any] = {name: given[name] or None for name in TEXTS}
    province = places.province(given["province"])
    return Address(
        **texts
        | {
            "scheme": Scheme(scheme) if scheme in set(Scheme) else Scheme.VN_2021,
            "contact_name": given["contact_name"],
            "ward": given["ward"],
            "province": province,
            "district": places.district(province, given["district"]) or None,
            "contact_msisdn": _number(form),
            "latitude": _degrees(form, "latitude"),
            "longitude": _degrees(form, "longitude"),
            "best_slot": _slot(given["best_slot"]),
        }
    )


def _number(form: Filled) -> str | None:
    if not form.given["contact_msisdn"]:
        return None
    try:
        return parse_msisdn(form.given["contact_msisdn"])
    except BadNumber:
        form.wrong["contact_msisdn"] = _("Type one Vietnamese mobile number: 0 and 9 digits.")
        return None


def _degrees(form: Filled, name: str) -> float | None:
    typed = form.given[name].replace(",", ".")
    if not typed:
        return None
    try:
        return float(typed)
    except ValueError:
        form.wrong[name] = _("Write degrees such as 10.2543.")
        return None


def _appointment(form: Filled, today: date) -> Appointment | None:
    typed, slot = form.given["day"], _slot(form.given["slot"])
    if not typed and slot is None:
        return None
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        form.wrong["day"] = _("Choose the day of the visit.")
        return None
    if day < today:
        form.wrong["day"] = _("This day is past.")
    if slot is None:
        form.wrong["slot"] = _("Choose the part of the day.")
        return None
    return Appointment(day, slot)


def _slot(value: str) -> Slot | None:
    return Slot(value) if value in set(Slot) else None
