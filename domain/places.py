"""Provinces and districts: found by folded name, and given their official codes. Pure.

The traps of domain.md §4: eight districts are called Châu Thành, so a district is looked for in its
province only; units have changed (Phú Quốc was a huyện), so they are passed over, but for the city
and the huyện Cao Lãnh; since July 2025 there are no districts, and codes were given anew.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from domain.addresses import Scheme
from domain.errors import InputError
from domain.folding import fold

_Units = frozenset[tuple[str, ...]]
_URBAN: _Units = frozenset({("THANH", "PHO"), ("TP",), ("THI", "XA"), ("TX",), ("QUAN",), ("Q",)})
_RURAL: _Units = frozenset({("HUYEN",), ("H",)})
_UNITS = _URBAN | _RURAL | {("TINH",), ("T",)}
_LONGEST_UNIT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """A district of a list; `unit` tells the two apart that share a name in one province."""

    scheme: Scheme
    province_code: str
    province: str
    code: str
    unit: str
    name: str

    @property
    def label(self) -> str:
        """As it is written in an address: "Thành phố Cao Lãnh"."""
        return f"{self.unit} {self.name}"


@dataclass(frozen=True, slots=True)
class Located:
    """The official codes of what a row says; None for what it does not say, or nobody knows.

    `district_is_unknown` is true as well where two districts have that name and no unit is given.
    """

    province_code: str | None
    district_code: str | None
    province_is_unknown: bool
    district_is_unknown: bool


class Places:
    """The districts that are known, and with them their provinces."""

    def __init__(self, districts: Iterable[District] = ()) -> None:
        self.districts = tuple(sorted(districts, key=lambda each: (each.province, each.name)))
        self.provinces = tuple(dict.fromkeys(each.province for each in self.districts))
        self._codes: dict[tuple[Scheme, str], str] = {}
        self._found: dict[tuple[Scheme, str, str], list[District]] = {}
        for each in self.districts:
            province = _name(each.province)
            self._codes[each.scheme, province] = each.province_code
            self._found.setdefault((each.scheme, province, _name(each.name)), []).append(each)
        self._locate = lru_cache(maxsize=4096)(self._looked_up)

    def province(self, typed: str) -> str:
        """The province of that name as it is spelt; what is not known stays as it was typed."""
        return next((name for name in self.provinces if _name(name) == _name(typed)), typed)

    def known_province(self, typed: str) -> str:
        """The same as `province`. Raises InputError for a name that is not known."""
        if (name := self.province(typed)) not in self.provinces:
            raise self._no_province(typed)
        return name

    def district(self, province: str, typed: str) -> str:
        """A district of the province with its unit, where what was typed names one only."""
        found = self._district(Scheme.VN_2021, _name(province), typed)
        return typed if found is None else found.label

    def codes(
        self, province: str, district: str | None, scheme: Scheme = Scheme.VN_2021
    ) -> tuple[str, str | None]:
        """The official codes of a province, or of one of its districts, by their names.

        Raises InputError for a name that is not known, or that two districts have.
        """
        found = self.locate(province, district, scheme)
        if found.province_code is None:
            raise self._no_province(province)
        if found.district_is_unknown:
            of = [each.label for each in self.districts if same(each.province, province)]
            raise InputError(
                f'no district of {self.province(province)} is called "{district}", or two are; '
                f"these are known, others by their code: {', '.join(of)}"
            )
        return found.province_code, found.district_code

    def _no_province(self, typed: str) -> InputError:
        return InputError(f'no province is called "{typed}": {", ".join(self.provinces)}')

    def named(
        self, scheme: str, province_code: str, district_code: str | None
    ) -> tuple[str, str] | None:
        """The names of what has these codes, the district's empty for the province itself."""
        for each in self.districts:
            if (each.scheme, each.province_code) == (scheme, province_code) and (
                district_code in (None, each.code)
            ):
                return each.province, each.label if district_code else ""
        return None

    def locate(
        self, province: str | None, district: str | None, scheme: Scheme = Scheme.VN_2021
    ) -> Located:
        """The codes of a province and of its district, however they are written."""
        return self._locate(province, district, scheme)

    def _looked_up(self, province: str | None, district: str | None, scheme: Scheme) -> Located:
        name = _name(province or "")
        code = self._codes.get((scheme, name))
        asked = bool(district) and scheme is Scheme.VN_2021
        found = self._district(scheme, name, district or "") if asked else None
        return Located(
            province_code=code,
            district_code=None if found is None else found.code,
            province_is_unknown=bool(province) and code is None,
            district_is_unknown=asked and found is None,
        )

    def _district(self, scheme: Scheme, province: str, typed: str) -> District | None:
        """The one of that name; the unit is asked only where there are two."""
        unit, name = _parted(typed)
        found = self._found.get((scheme, province, name), [])
        if len(found) > 1:
            found = [each for each in found if unit in _units_of(each)]
        return found[0] if len(found) == 1 else None


def same(one: str, other: str) -> bool:
    """Whether two names are one but for marks, case and spaces."""
    return fold(one).fold == fold(other).fold


def same_province(one: str, other: str) -> bool:
    """Whether two names are those of one province, with "Tỉnh" before them or without."""
    return _name(one) == _name(other)


def _units_of(district: District) -> _Units:
    """The units that it may be written with: a town becomes a city, but no huyện."""
    return _URBAN if fold(district.unit).tokens in _URBAN else _RURAL


def _name(text: str) -> str:
    return _parted(text)[1]


@lru_cache(maxsize=4096)
def _parted(text: str) -> tuple[tuple[str, ...], str]:
    """The unit that stands before or after a name, and the name without its spaces."""
    tokens = fold(text).tokens
    for length in range(min(_LONGEST_UNIT, len(tokens) - 1), 0, -1):
        if tokens[:length] in _UNITS:
            return tokens[:length], "".join(tokens[length:])
        if tokens[-length:] in _UNITS:
            return tokens[-length:], "".join(tokens[:-length])
    return (), "".join(tokens)
