"""How imports are shown on a terminal. Pure."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from domain.clock import to_local
from domain.states import ImportState
from runtime.audience_report import ImportReport
from runtime.cli.output import pairs, table
from store.models import Import

_COUNTS = ("added", "rejected")
_STATES = {ImportState.LOADING: "loading, or cut off"}


def readable_report(report: ImportReport, rejects_file: str | None) -> Table:
    """What came of the rows, or would come of them."""
    is_dry = report.import_id is None
    return pairs(
        {
            "would be added" if is_dry else "added": report.added,
            "  in other campaigns too": report.also_in_other_campaigns,
            "  unknown province": report.unknown_province,
            "  unknown district": report.unknown_district,
            "refused": report.rejected,
            "  can't be read": report.unreadable,
            "  twice in the file": report.twice_in_file,
            "  in the campaign already": report.in_campaign,
            "  in another campaign": report.in_other_campaign,
            **{f"  {rule.replace('_', ' ')}": n for rule, n in sorted(report.ineligible.items())},
            "refused rows are in": rejects_file or "no file",
            "import": "none, this was a dry run" if is_dry else report.import_id,
        }
    )


def imports_table(imports: Sequence[Import]) -> Table:
    """One line for each import."""
    headings = ("import", "state", "at", "by", "file", "extracted at", *_COUNTS)
    return table(headings, [_line(each) for each in imports])


def import_data(one: Import) -> dict[str, Any]:
    """All that is known of an import, for programs."""
    names = ("id", "state", "file_name", "sha256", "extracted_at", "imported_at", "imported_by")
    return {name: getattr(one, name) for name in names} | {"counts": one.counts}


def _line(one: Import) -> tuple[Any, ...]:
    return (
        one.id,
        _STATES.get(ImportState(one.state), one.state),
        f"{to_local(one.imported_at):%d/%m/%Y %H:%M}",
        one.imported_by,
        one.file_name,
        one.extracted_at and f"{to_local(one.extracted_at):%d/%m/%Y %H:%M}",
        *(one.counts.get(name) for name in _COUNTS),
    )
