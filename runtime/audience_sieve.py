"""Parts the rows of a file that may be added from those that may not, by themselves. Pure."""

from collections.abc import Sequence
from datetime import datetime

from dialer.audience_columns import EXTRACTED_AT, AudienceRow, Columns
from dialer.audience_file import RejectedRow
from dialer.eligibility import Eligibility, lacking
from domain.errors import InputError
from domain.msisdn import national
from runtime.audience_report import ImportOptions, ImportReport

Row = AudienceRow | RejectedRow


class Sieve:
    """Parts the rows that may be added from those that may not, whatever the store holds."""

    def __init__(
        self, layout: Columns, options: ImportOptions, now: datetime, report: ImportReport
    ) -> None:
        if options.require_eligibility:
            _require_columns(layout, options)
        self.earliest = options.extracted_at
        self._number_at = layout.at["msisdn"]
        self._extracted_at = options.extracted_at
        self._report = report
        self._eligibility = Eligibility(layout.at, now, demanded=options.require_eligibility)

    def sift(self, batch: Sequence[Row]) -> tuple[list[AudienceRow], list[RejectedRow]]:
        """The good rows, and the others with their reasons."""
        good: list[AudienceRow] = []
        bad: list[RejectedRow] = []
        for row in batch:
            if isinstance(row, RejectedRow):
                self._report.unreadable += 1
                bad.append(row)
            elif (refused := self._refuse(row)) is not None:
                bad.append(refused)
            else:
                good.append(row)
        return good, bad

    def _refuse(self, row: AudienceRow) -> RejectedRow | None:
        """Judge one row on its own snapshot."""
        extracted_at = row.extracted_at or self._extracted_at
        found = self._eligibility.refuse(row.cells, row.list_no, extracted_at)
        if found is not None:
            self._report.ineligible[found.by] += 1
            return self.rejected(row, found.reason)
        if extracted_at is not None and (self.earliest is None or extracted_at < self.earliest):
            self.earliest = extracted_at
        return None

    def rejected(self, row: AudienceRow, reason: str) -> RejectedRow:
        """A readable row in the form of a refused one, its number as it is dialled."""
        cells = list(row.cells)
        cells[self._number_at] = national(row.msisdn)
        return RejectedRow(row.line, reason, tuple(cells))


def _require_columns(layout: Columns, options: ImportOptions) -> None:
    missing = lacking(layout.at)
    if EXTRACTED_AT not in layout.at and options.extracted_at is None:
        missing.append(f"{EXTRACTED_AT} (or --extracted-at)")
    if missing:
        raise InputError(
            f"every rule of eligibility is demanded, and the file lacks: {', '.join(missing)}"
        )
