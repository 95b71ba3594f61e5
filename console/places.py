"""The list of provinces and districts, read from its file. I/O."""

import csv
from pathlib import Path

from domain.addresses import Scheme
from domain.errors import ConfigError
from domain.places import District, Places, same

__all__ = ["District", "Places", "read_places", "same"]


def read_places(file: Path) -> Places:
    """The districts of a CSV file. Raises ConfigError."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            return Places([_district(row) for row in csv.DictReader(opened)])
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error
    except (KeyError, ValueError) as error:
        raise ConfigError(f"{file}: no list of districts ({error})") from error


def _district(row: dict[str, str]) -> District:
    return District(
        scheme=Scheme(row["scheme"]),
        province_code=row["province_code"],
        province=row["province"],
        code=row["district_code"],
        unit=row["district_type"],
        name=row["district"],
    )
