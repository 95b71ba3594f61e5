"""What the import page needs of the importer; `runtime.audience_wiring` joins the two. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

Progress = Callable[[int, int], None]
"""Told how many lines were read, and how many there are."""


@dataclass(frozen=True, slots=True)
class SeenRow:
    """A row of the file as it would be taken; `problem` is empty for one that is well."""

    line: int
    cells: Sequence[str]
    problem: str


@dataclass(frozen=True, slots=True)
class Look:
    """What an import would do.

    `columns` are the file's, each with what it is taken for (a word; empty: kept as it is).
    """

    columns: Sequence[tuple[str, str]]
    rows: Sequence[SeenRow]
    counts: Mapping[str, int]
    """Rows by verdict: `added`, and the reasons of refusals."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How a file is to be brought in; the words are those of `tstn audience import`."""

    extracted_at: datetime | None = None
    require_eligibility: bool = False
    skip_other_campaigns: bool = False


@dataclass(frozen=True, slots=True)
class Brought:
    """What an import did: its number, and the rows by verdict."""

    import_id: int
    counts: Mapping[str, int]


class AudienceImporter(Protocol):
    """All raise InputError, in one line that may name `file`, and StoreUnavailable."""

    def extracted_at(self, written: str) -> datetime | None:
        """When the figures were true, as people write it; None where nothing is written."""

    async def look(self, campaign_id: int, file: Path, asked: Asked, progress: Progress) -> Look:
        """Read the whole file and change nothing."""

    async def bring(
        self,
        campaign_id: int,
        file: Path,
        file_name: str,
        rejects: Path,
        asked: Asked,
        progress: Progress,
        by: str,
    ) -> Brought:
        """Add the numbers to the campaign; `rejects` is made where rows were refused.

        `file_name` is what its owner calls the file.
        Cut off and run again it adds no number twice.
        """

    async def undo(self, import_id: int) -> int:
        """Remove the numbers that an import brought, all or none; give how many there were."""
