"""Joins the import page to the importer: a dry run with the first rows, then the import. I/O."""

import asyncio
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from console.audience_port import Asked, Brought, Look, Progress, SeenRow
from dialer import eligibility
from dialer.audience_columns import EXTRACTED_AT, RejectedRow
from dialer.audience_workbook import WORKBOOKS
from dialer.extraction import read_extracted_at
from domain.clock import Clock
from domain.errors import InputError
from domain.msisdn import mask, mask_all
from domain.places import Places
from runtime.audience_answers import Head
from runtime.audience_import import count_lines, import_audience
from runtime.audience_report import ImportOptions, ImportReport
from runtime.audience_sieve import Row
from runtime.audience_undo import undo_import
from store.engine import Store

_ROLES = {
    **dict.fromkeys([EXTRACTED_AT, *eligibility.COLUMNS.values()], "judged"),
    **{role: role for role in ("msisdn", "province", "district")},
    eligibility.LIST: "list_no",
}
"""What the page calls the columns that it knows."""


class AudienceBringer:
    """What `console.audience_port.AudienceImporter` asks for."""

    def __init__(self, store: Store, clock: Clock, places: Places, erasure_key: str = "") -> None:
        self._store = store
        self._erasure_key = erasure_key
        self._clock = clock
        self._places = places

    def extracted_at(self, written: str) -> datetime | None:
        """As `tstn audience import --extracted-at`."""
        at = read_extracted_at(written)
        if at is not None and at > self._clock():
            raise InputError("extracted_at lies in the future")
        return at

    async def look(self, campaign_id: int, file: Path, asked: Asked, progress: Progress) -> Look:
        """Judge every row as an import would."""
        options = ImportOptions(dry_run=True, places=self._places, **asdict(asked))
        report = await self._run(campaign_id, file, None, progress, options)
        assert report.head is not None  # noqa: S101 - for the type
        rows = [_seen(row, report.head) for row in report.head.first]
        return Look(_named(report.head), rows, _counts(report))

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
        """Run the import of `tstn audience import`."""
        options = ImportOptions(
            by=by,
            file_name=file_name,
            places=self._places,
            erasure_key=self._erasure_key,
            **asdict(asked),
        )
        report = await self._run(campaign_id, file, rejects, progress, options)
        return Brought(report.import_id or 0, _counts(report))

    async def undo(self, import_id: int) -> int:
        """Run `tstn audience undo`."""
        return await undo_import(self._store, import_id, self._clock)

    async def _run(
        self,
        campaign_id: int,
        file: Path,
        rejects: Path | None,
        progress: Progress,
        options: ImportOptions,
    ) -> ImportReport:
        # How many rows a workbook has nobody knows before.
        is_text = file.suffix.casefold() not in WORKBOOKS
        total = await asyncio.to_thread(count_lines, file) if is_text else 0
        return await import_audience(
            self._store,
            str(campaign_id),
            file,
            rejects,
            self._clock,
            lambda line: progress(line, max(line, total)),
            options,
        )


def _counts(report: ImportReport) -> dict[str, int]:
    """The rows by verdict, each refused one under its own reason; zeros are left out."""
    counts = {
        "added": report.added,
        "unreadable": report.unreadable,
        "twice_in_file": report.twice_in_file,
        "in_campaign": report.in_campaign,
        "in_other_campaign": report.in_other_campaign,
        **report.ineligible,
        "unknown_province": report.unknown_province,
        "unknown_district": report.unknown_district,
        "also_in_other_campaigns": report.also_in_other_campaigns,
    }
    return {verdict: count for verdict, count in counts.items() if count or verdict == "added"}


def _named(head: Head) -> list[tuple[str, str]]:
    """Each column of the file with what it is taken for."""
    roles = {index: _ROLES.get(role, "") for role, index in head.at.items()}
    return [(name, roles.get(index, "")) for index, name in enumerate(head.columns)]


def _seen(row: Row, head: Head) -> SeenRow:
    """A row in the order of the file; a number that can be read is masked, in a refused one too."""
    width = len(head.columns)
    cells = [*row.cells, *[""] * width][:width]
    if isinstance(row, RejectedRow):
        return SeenRow(row.line, [mask_all(cell) for cell in cells], mask_all(row.reason))
    cells[head.at["msisdn"]] = mask(row.msisdn)
    return SeenRow(row.line, cells, "")
