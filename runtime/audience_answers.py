"""What the process that reads an audience file is told, and what it answers. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from domain.places import District
from runtime.audience_sieve import Batch, Measure, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the process is told to read; it says first what the `shown` first rows are."""

    file: Path
    rows_a_batch: int
    shown: int
    measure: Measure
    districts: tuple[District, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file: names of its columns, what stands `at` which of them, first rows."""

    columns: tuple[str, ...]
    at: Mapping[str, int]
    first: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class End:
    """All batches were given; `earliest` is the earliest moment that an eligible row tells."""

    earliest: datetime | None


@dataclass(frozen=True, slots=True)
class Failed:
    """The file can't be read, or not any further, for this reason."""

    reason: str


Answer = Head | Batch | End | Failed
