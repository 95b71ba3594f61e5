"""Provinces and districts by name, found without marks and in any case. I/O."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from domain.errors import ConfigError
from domain.folding import fold


@dataclass(frozen=True, slots=True)
class District:
    """One of the districts of the file; `unit` tells the two that share a name apart."""

    province: str
    name: str
    unit: str

    @property
    def label(self) -> str:
        """As it is written in an address: "Thành phố Cao Lãnh"."""
        return f"{self.unit} {self.name}"


class Places:
    """What is suggested for an address, and how it is spelt."""

    def __init__(self, districts: Iterable[District]) -> None:
        self.districts = tuple(sorted(districts, key=lambda each: (each.province, each.name)))
        self.provinces = tuple(dict.fromkeys(each.province for each in self.districts))

    def province(self, typed: str) -> str:
        """The province of that name as it is spelt; what is not known stays as it was typed."""
        return _spelt(typed, self.provinces)

    def district(self, province: str, typed: str) -> str:
        """A district of the province with its unit, where the name alone is plain."""
        here = [each for each in self.districts if same(each.province, province)]
        found = [each.label for each in here if same(each.name, typed) or same(each.label, typed)]
        return found[0] if len(found) == 1 else typed


def read_places(file: Path) -> Places:
    """The districts of a CSV file. Raises ConfigError."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = list(csv.DictReader(opened))
        return Places(
            District(row["province"], row["district"], row["district_type"]) for row in rows
        )
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error
    except (KeyError, ValueError) as error:
        raise ConfigError(f"{file}: no list of districts ({error})") from error


def same(one: str, other: str) -> bool:
    """Whether two names are one but for marks, case and spaces."""
    return fold(one).fold == fold(other).fold


def _spelt(typed: str, names: Iterable[str]) -> str:
    return next((name for name in names if same(name, typed)), typed)
