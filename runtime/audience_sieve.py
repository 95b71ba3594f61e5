"""Makes the rows of an audience file ready for the store; parts off what may not be added. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from dialer.audience_columns import EXTRACTED_AT, AudienceRow, Columns, RejectedRow
from dialer.eligibility import Eligibility, lacking
from domain.errors import InputError
from domain.msisdn import national
from domain.places import Places

Row = AudienceRow | RejectedRow
Ready = tuple[str, str | None, str | None, int | None, str, str | None, str | None]
"""The values of a `store.audience.Newcomer`; this module is read where no database is."""
_BETWEEN_CELLS = "\0"
"""Neither CSV nor a workbook can have it in a cell."""


@dataclass(slots=True)
class Batch:
    """Rows of a file one after another, judged by themselves, in a form that is sent cheaply.

    Attributes:
        last_line: the line on which the last of them begins.
        lines: of the rows that may be added; `cells` and `columns` are of the same.
        cells: each row as it stands in the file, in one text.
        columns: what the rows bring, by column, in the order of `Ready`.
        bad: the other rows.
        unreadable: how many of those could not be read.
        ineligible: the rest of them, by the rule that was not met.
    """

    last_line: int
    lines: list[int] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    columns: tuple[Sequence[object], ...] = ()
    bad: list[RejectedRow] = field(default_factory=list)
    unreadable: int = 0
    ineligible: Counter[str] = field(default_factory=Counter)

    def rejected(self, place: int, reason: str) -> RejectedRow:
        """One of the rows that could have been added, in the form of a refused one."""
        cells = tuple(self.cells[place].split(_BETWEEN_CELLS))
        return RejectedRow(self.lines[place], reason, cells)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What rows are measured by.

    Attributes:
        now: nothing is extracted later than that.
        extracted_at: when rows that do not say so themselves were true.
        require_eligibility: every rule is to be met.
    """

    now: datetime
    extracted_at: datetime | None
    require_eligibility: bool


class Sieve:
    """Parts the rows that may be added from those that may not, whatever the store holds."""

    def __init__(self, layout: Columns, measure: Measure, places: Places) -> None:
        """Raises InputError: the file lacks a column that is demanded."""
        if measure.require_eligibility:
            _require_columns(layout, measure)
        self.earliest = measure.extracted_at
        self._number_at = layout.at["msisdn"]
        self._extracted_at = measure.extracted_at
        self._places = places
        self._eligibility = Eligibility(
            layout.at, measure.now, demanded=measure.require_eligibility
        )

    def sift(self, rows: Sequence[Row]) -> Batch:
        """The rows, of which there is one at least, as a batch."""
        batch = Batch(rows[-1].line)
        ready: list[Ready] = []
        for row in rows:
            if isinstance(row, RejectedRow):
                batch.unreadable += 1
                batch.bad.append(row)
            elif self._is_eligible(row, batch):
                batch.lines.append(row.line)
                batch.cells.append(_BETWEEN_CELLS.join(self._shown(row)))
                ready.append(self._ready(row))
        batch.columns = tuple(zip(*ready, strict=True))
        return batch

    def _is_eligible(self, row: AudienceRow, batch: Batch) -> bool:
        """Judge one row on its own snapshot."""
        extracted_at = row.extracted_at or self._extracted_at
        found = self._eligibility.refuse(row.cells, row.list_no, extracted_at)
        if found is not None:
            batch.ineligible[found.by] += 1
            batch.bad.append(RejectedRow(row.line, found.reason, tuple(self._shown(row))))
            return False
        if extracted_at is not None and (self.earliest is None or extracted_at < self.earliest):
            self.earliest = extracted_at
        return True

    def _shown(self, row: AudienceRow) -> list[str]:
        """The cells, the number as it is dialled."""
        cells = list(row.cells)
        cells[self._number_at] = national(row.msisdn)
        return cells

    def _ready(self, row: AudienceRow) -> Ready:
        place = self._places.locate(row.province, row.district)
        attributes = orjson.dumps(row.attributes).decode()
        told = (row.msisdn, row.province, row.district, row.list_no, attributes)
        return (*told, place.province_code, place.district_code)


def _require_columns(layout: Columns, measure: Measure) -> None:
    missing = lacking(layout.at)
    if EXTRACTED_AT not in layout.at and measure.extracted_at is None:
        missing.append(f"{EXTRACTED_AT} (or --extracted-at)")
    if missing:
        raise InputError(
            f"every rule of eligibility is demanded, and the file lacks: {', '.join(missing)}"
        )
