"""Brings an audience file into a campaign, batch by batch; what it refuses goes to a file. I/O.

Every batch is its own short transaction, so that a server that is dialling never waits. An import
that was cut off stays `loading`, and the file is simply imported again: numbers that the campaign
has already are not added twice.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack, aclosing
from datetime import datetime
from hashlib import file_digest
from pathlib import Path

from sqlalchemy import Connection

from dialer.audience_file import RejectsFile
from domain.clock import Clock
from domain.errors import InputError
from domain.states import CampaignState
from runtime.audience_answers import Order
from runtime.audience_batches import Taker, Weigher, Writer
from runtime.audience_process import reading
from runtime.audience_report import (
    IN_CAMPAIGN,
    REASONS,
    TWICE_IN_FILE,
    ImportOptions,
    ImportReport,
    Verdict,
)
from runtime.audience_sieve import Batch, Measure
from runtime.seen_numbers import SeenNumbers
from store import campaigns, history, imports
from store.engine import Store
from store.history import happening
from store.imports import NewImport
from store.models import Campaign

__all__ = ["IN_CAMPAIGN", "TWICE_IN_FILE", "ImportOptions", "ImportReport", "import_audience"]

_ROWS_A_BATCH = 10_000
_ROWS_SHOWN = 8

Progress = Callable[[int], None]
"""Told after each batch which line of the file was reached."""
_CHUNK_BYTES = 1 << 20


def rejects_beside(file: Path) -> Path:
    """Where the refused rows of an audience file go: NAME.rejects.csv next to it.

    Raises InputError for what is a directory, such as `.`, and no file.
    """
    if file.is_dir():
        raise InputError(f"cannot read {file}: it is a directory")
    return file.with_name(f"{file.stem}.rejects.csv")


def count_lines(file: Path) -> int:
    """How many lines a file has, for a progress bar. Raises InputError if it can't be read."""
    try:
        with file.open("rb") as stream:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(_CHUNK_BYTES), b""))
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from None


async def import_audience(
    store: Store,
    campaign: str,
    file: Path,
    rejects: Path | None,
    clock: Clock,
    progress: Progress,
    options: ImportOptions | None = None,
) -> ImportReport:
    """Add the numbers of `file` to a campaign; write the rows that can't be to `rejects`.

    Raises InputError: no such campaign, or it is stopped; the file can't be an audience, or lacks
    a column that is demanded; `rejects` can't be written. A bad row never stops it.
    """
    options = options or ImportOptions()
    chosen = await _open_campaign(store, campaign)
    report = ImportReport(rejects)
    async with reading(_order(file, options, clock())) as rows:
        report.head = rows.head
        with ExitStack() as open_files:
            refused = _open_rejects(open_files, file, rows.head.columns, report)
            seen = open_files.enter_context(SeenNumbers())
            taker: Taker
            if options.dry_run:
                taker = Weigher(store, chosen.id, options, seen)
            else:
                report.import_id = await _begin(store, chosen, file, options, clock())
                taker = Writer(store, chosen.id, report.import_id, options, seen, clock)
            async with aclosing(rows.batches()) as batches:
                async for batch in batches:
                    await _take(batch, taker, refused, report)
                    progress(batch.last_line)
        if report.import_id is not None:
            name = options.file_name or file.name
            await store.write(_finish, chosen, name, report, rows.end.earliest, clock())
    return report


def _order(file: Path, options: ImportOptions, now: datetime) -> Order:
    return Order(
        file=file,
        rows_a_batch=_ROWS_A_BATCH,
        shown=_ROWS_SHOWN,
        measure=Measure(
            now=now,
            extracted_at=options.extracted_at,
            require_eligibility=options.require_eligibility,
        ),
        districts=options.places.districts,
    )


async def _take(
    batch: Batch, taker: Taker, refused: RejectsFile | None, report: ImportReport
) -> None:
    """One batch: what can't be read or is not eligible is refused, the store judges the rest."""
    report.unreadable += batch.unreadable
    report.ineligible.update(batch.ineligible)
    verdicts = await taker.take(batch, report) if batch.lines else []
    if refused is not None:
        unwanted = (
            batch.rejected(place, REASONS[verdict])
            for place, verdict in enumerate(verdicts)
            if verdict is not Verdict.ADDED
        )
        for rejected in sorted([*batch.bad, *unwanted], key=lambda row: row.line):
            refused.write(rejected)


def _open_rejects(
    open_files: ExitStack, file: Path, columns: Sequence[str], report: ImportReport
) -> RejectsFile | None:
    """The file for refused rows; it goes again where nothing was refused."""
    path = report.rejects
    if path is None:
        return None
    if path.resolve() == file.resolve():
        raise InputError(f"the rejects can't go to {file} itself: name another file by --rejects")

    def remove_if_empty() -> None:
        if report.rejected == 0:
            path.unlink()

    refused = RejectsFile(path, columns)
    open_files.callback(remove_if_empty)
    return open_files.enter_context(refused)


async def _open_campaign(store: Store, name: str) -> Campaign:
    campaign = await store.read(campaigns.by_name, name)
    if campaign.state == CampaignState.STOPPED:
        raise InputError(f"campaign {campaign.name!r} is stopped, it takes no more numbers")
    return campaign


async def _begin(
    store: Store, campaign: Campaign, file: Path, options: ImportOptions, now: datetime
) -> int:
    new = NewImport(
        campaign_id=campaign.id,
        file_name=options.file_name or file.name,
        sha256=await asyncio.to_thread(_sha256, file),
        extracted_at=options.extracted_at,
        imported_at=now,
        imported_by=options.by,
    )
    return await store.write(imports.begin, new)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def _finish(
    connection: Connection,
    campaign: Campaign,
    file_name: str,
    report: ImportReport,
    extracted_at: datetime | None,
    now: datetime,
) -> None:
    """The import and its event, in one transaction."""
    assert report.import_id is not None  # noqa: S101 - for the type
    imports.count(connection, report.import_id, report.counts())
    imports.finish(connection, report.import_id, extracted_at)
    imported = happening(
        "audience_imported",
        now,
        campaign_id=campaign.id,
        name=campaign.name,
        file=file_name,
        added=report.added,
        rejected=report.rejected,
    )
    history.add(connection, [imported])
