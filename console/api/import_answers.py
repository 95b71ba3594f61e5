"""What programs are told of files of numbers. Pure."""

from datetime import datetime
from typing import Any

from console.api.answers import Count, Shown
from domain.states import ImportState


class Imported(Shown):
    """What came of a file: numbers added, rows refused by reason, and what was noted of others.

    `id` is the number of the import.
    """

    id: int
    campaign: str
    file_name: str
    added: Count
    rejected: Count
    reasons: dict[str, Count]
    notes: dict[str, Count]


class Undone(Shown):
    """How many numbers the undoing of an import has removed."""

    id: int
    removed: Count


class Import(Shown):
    """A file of numbers that was brought into a campaign; `counts` has its rows by verdict."""

    id: int
    file_name: str
    sha256: str
    extracted_at: datetime | None
    imported_at: datetime
    imported_by: str
    counts: dict[str, Any]
    state: ImportState


class ImportPage(Shown):
    """Imports, the oldest first."""

    items: list[Import]
    next: int | None


class SeenColumn(Shown):
    """A column of a file and what it is taken for; empty: it is kept as it is."""

    name: str
    taken_for: str


class SeenRow(Shown):
    """A row of a file; `problem` is empty for one that is well, and its number is masked then."""

    line: Count
    cells: list[str]
    problem: str


class ImportLook(Shown):
    """What an import would do: the file's columns and first rows, and its rows by verdict."""

    file_name: str
    columns: list[SeenColumn]
    rows: list[SeenRow]
    added: Count
    rejected: Count
    reasons: dict[str, Count]
    notes: dict[str, Count]
