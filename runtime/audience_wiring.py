"""Joins the import page to the importer: a look that changes nothing, then the import. I/O."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from console.audience_port import Look, Progress, SeenRow
from dialer.audience_columns import AudienceRow, Columns
from dialer.audience_file import AudienceFile, RejectedRow
from domain.clock import Clock
from domain.msisdn import mask
from runtime.audience_import import count_lines, import_audience
from store import audience
from store.engine import Store

_ROWS_A_BATCH = 1000
_SHOWN = 8

_Rows = Iterator[AudienceRow | RejectedRow]


class AudienceBringer:
    """What `console.audience_port.AudienceImporter` asks for."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def look(self, campaign_id: int, file: Path, progress: Progress) -> Look:
        """Judge every row as an import would."""
        total = await asyncio.to_thread(count_lines, file)
        seen: set[str] = set()
        counts = Counter(added=0)
        shown: list[SeenRow] = []
        with AudienceFile(file) as opened:
            columns, rows = Columns.from_header(opened.columns), iter(opened)
            while batch := await asyncio.to_thread(_next, rows):
                counts.update(await self._verdicts(campaign_id, batch, seen))
                shown += [_seen(row, columns) for row in batch[: _SHOWN - len(shown)]]
                progress(batch[-1].line, total)
        return Look(_named(columns), shown, counts)

    async def bring(
        self, campaign_id: int, file: Path, rejects: Path, progress: Progress, by: str
    ) -> Mapping[str, int]:
        """Run the import of `tstn audience import`."""
        total = await asyncio.to_thread(count_lines, file)
        report = await import_audience(
            self._store,
            str(campaign_id),
            file,
            rejects,
            self._clock,
            lambda line: progress(line, total),
        )
        names = ("added", "unreadable", "twice_in_file", "in_campaign")
        return {name: getattr(report, name) for name in names}

    async def _verdicts(
        self, campaign_id: int, batch: Sequence[AudienceRow | RejectedRow], seen: set[str]
    ) -> Counter[str]:
        counts: Counter[str] = Counter()
        new = []
        for row in batch:
            if isinstance(row, RejectedRow):
                counts["unreadable"] += 1
            elif row.msisdn in seen:
                counts["twice_in_file"] += 1
            else:
                seen.add(row.msisdn)
                new.append(row.msisdn)
        known = await self._store.read(audience.known_numbers, campaign_id, new)
        counts["in_campaign"] += len(known)
        counts["added"] += len(new) - len(known)
        return counts


def _next(rows: _Rows) -> list[AudienceRow | RejectedRow]:
    return list(islice(rows, _ROWS_A_BATCH))


def _named(columns: Columns) -> list[tuple[str, str]]:
    """Each column of the file with what it is taken for."""
    roles = {
        columns.msisdn: "msisdn",
        columns.province: "province",
        columns.district: "district",
        columns.list_no: "list_no",
    }
    return [(name, roles.get(index, "")) for index, name in enumerate(columns.names)]


def _seen(row: AudienceRow | RejectedRow, columns: Columns) -> SeenRow:
    """A row in the order of the file."""
    width = len(columns.names)
    if isinstance(row, RejectedRow):
        cells = [*row.cells, *[""] * width][:width]
        return SeenRow(row.line, cells, row.reason)
    named = {columns.msisdn: mask(row.msisdn)}
    named |= {index: row.attributes.get(name, "") for index, name in columns.attributes}
    for index, value in (
        (columns.province, row.province),
        (columns.district, row.district),
        (columns.list_no, row.list_no),
    ):
        if index is not None:
            named[index] = "" if value is None else str(value)
    return SeenRow(row.line, [named.get(index, "") for index in range(width)], "")
