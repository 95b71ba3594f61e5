"""Brings an audience file into a campaign, batch by batch; what it refuses goes to a file. I/O.

Every batch is its own short transaction, so that a server that is dialling never waits. An import
that was cut off is simply run again: numbers that the campaign has already are not added twice.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from dialer.audience_columns import AudienceRow, Columns
from dialer.audience_file import AudienceFile, RejectedRow, RejectsFile
from domain.clock import Clock
from domain.errors import InputError
from domain.msisdn import national
from domain.states import CampaignState
from store import audience, campaigns, history
from store.audience import NewTarget
from store.engine import Store
from store.history import happening
from store.models import Campaign

_ROWS_A_BATCH = 1000
_CHUNK_BYTES = 1 << 20

TWICE_IN_FILE = "the number stands twice in this file"
IN_CAMPAIGN = "the number is in the campaign already"

Progress = Callable[[int], None]
"""Told after each batch which line of the file was reached."""


@dataclass(slots=True)
class ImportReport:
    """How many rows were added, and how many refused for which reason.

    `rejects` is the file that lists the refused ones; it does not exist where there are none.
    """

    rejects: Path
    added: int = 0
    unreadable: int = 0
    twice_in_file: int = 0
    in_campaign: int = 0

    @property
    def rejected(self) -> int:
        """All refused rows."""
        return self.unreadable + self.twice_in_file + self.in_campaign


def rejects_beside(file: Path) -> Path:
    """Where the refused rows of an audience file go: NAME.rejects.csv next to it."""
    return file.with_name(f"{file.stem}.rejects.csv")


def count_lines(file: Path) -> int:
    """How many lines a file has, for a progress bar. Raises InputError if it can't be read."""
    try:
        with file.open("rb") as stream:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(_CHUNK_BYTES), b""))
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from None


async def import_audience(
    store: Store, campaign: str, file: Path, rejects: Path, clock: Clock, progress: Progress
) -> ImportReport:
    """Add the numbers of `file` to a campaign; write the rows that can't be to `rejects`.

    Raises InputError: no such campaign, or it is stopped; the file can't be an audience;
    `rejects` can't be written. A bad row never stops it.
    """
    chosen = await _open_campaign(store, campaign)
    report = ImportReport(rejects)
    with AudienceFile(file) as rows, _rejects_file(file, rows.columns, report) as refused:
        batches = _Batches(store, chosen.id, rows.columns, refused, report, clock)
        for batch in _batched(rows):
            await batches.take(batch)
            progress(batch[-1].line)
    await _record(store, chosen, file, report, clock)
    return report


@contextmanager
def _rejects_file(
    file: Path, columns: Sequence[str], report: ImportReport
) -> Iterator[RejectsFile]:
    """The file for refused rows; it goes again where nothing was refused."""
    if report.rejects.resolve() == file.resolve():
        raise InputError(f"the rejects can't go to {file} itself: name another file by --rejects")
    with RejectsFile(report.rejects, columns) as refused:
        yield refused
    if report.rejected == 0:
        report.rejects.unlink()


class _Batches:
    """Takes the rows of one file, in order."""

    def __init__(
        self,
        store: Store,
        campaign_id: int,
        columns: Sequence[str],
        refused: RejectsFile,
        report: ImportReport,
        clock: Clock,
    ) -> None:
        self._store = store
        self._campaign_id = campaign_id
        self._columns = Columns.from_header(columns)
        self._report = report
        self._refused = refused
        self._clock = clock
        self._seen: set[str] = set()  # about 100 MB for a million numbers

    async def take(self, rows: Sequence[AudienceRow | RejectedRow]) -> None:
        """Add what is new, refuse the rest."""
        unreadable = [row for row in rows if isinstance(row, RejectedRow)]
        new, again = self._split([row for row in rows if isinstance(row, AudienceRow)])
        known = await self._add(new)
        in_campaign = [row for row in new if row.msisdn in known]
        self._report.added += len(new) - len(in_campaign)
        self._report.unreadable += len(unreadable)
        self._report.twice_in_file += len(again)
        self._report.in_campaign += len(in_campaign)
        unreadable += [self._rejected(row, TWICE_IN_FILE) for row in again]
        unreadable += [self._rejected(row, IN_CAMPAIGN) for row in in_campaign]
        for row in sorted(unreadable, key=lambda row: row.line):
            self._refused.write(row)

    def _split(self, rows: Iterable[AudienceRow]) -> tuple[list[AudienceRow], list[AudienceRow]]:
        """The rows whose number comes for the first time in this file, and the others."""
        new: list[AudienceRow] = []
        again: list[AudienceRow] = []
        for row in rows:
            (again if row.msisdn in self._seen else new).append(row)
            self._seen.add(row.msisdn)
        return new, again

    async def _add(self, rows: Sequence[AudienceRow]) -> set[str]:
        """Add the rows' numbers to the campaign; give those that it had already."""
        now = self._clock()
        try:
            return await self._store.write(_add_new, self._campaign_id, rows, now)
        except IntegrityError:  # another import was faster: its numbers are visible now
            return await self._store.write(_add_new, self._campaign_id, rows, now)

    def _rejected(self, row: AudienceRow, reason: str) -> RejectedRow:
        """A good row in the form of a refused one: its cells in the order of the file."""
        columns = self._columns
        cells = {columns.msisdn: national(row.msisdn)}
        cells |= {index: row.attributes.get(name, "") for index, name in columns.attributes}
        if columns.province is not None:
            cells[columns.province] = row.province or ""
        if columns.district is not None:
            cells[columns.district] = row.district or ""
        if columns.list_no is not None:
            cells[columns.list_no] = "" if row.list_no is None else str(row.list_no)
        return RejectedRow(row.line, reason, tuple(cells[index] for index in sorted(cells)))


async def _open_campaign(store: Store, name: str) -> Campaign:
    campaign = await store.read(campaigns.by_name, name)
    if campaign.state == CampaignState.STOPPED:
        raise InputError(f"campaign {campaign.name!r} is stopped, it takes no more numbers")
    return campaign


async def _record(
    store: Store, campaign: Campaign, file: Path, report: ImportReport, clock: Clock
) -> None:
    imported = happening(
        "audience_imported",
        clock(),
        campaign_id=campaign.id,
        name=campaign.name,
        file=file.name,
        added=report.added,
        rejected=report.rejected,
    )
    await store.write(history.add, [imported])


def _add_new(
    connection: Connection, campaign_id: int, rows: Sequence[AudienceRow], now: datetime
) -> set[str]:
    """Add the numbers that the campaign does not have; give those that it has."""
    known = audience.known_numbers(connection, campaign_id, [row.msisdn for row in rows])
    targets = [_target(row) for row in rows if row.msisdn not in known]
    audience.add(connection, campaign_id, targets, now)
    return known


def _batched(
    rows: Iterable[AudienceRow | RejectedRow],
) -> Iterator[list[AudienceRow | RejectedRow]]:
    stream = iter(rows)
    while batch := list(islice(stream, _ROWS_A_BATCH)):
        yield batch


def _target(row: AudienceRow) -> NewTarget:
    return NewTarget(
        msisdn=row.msisdn,
        province=row.province,
        district=row.district,
        list_no=row.list_no,
        attributes=dict(row.attributes),
    )
