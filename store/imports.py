"""The files that were brought into campaigns: begun, counted batch by batch, done, undone. I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from domain.errors import InputError
from domain.states import ImportState
from store.locks import lock_audience
from store.models import Campaign, Import, table

_imports = table(Import).c
_STATE = select(_imports.state).where(_imports.id == bindparam("import_id")).with_for_update()
_COUNT = update(table(Import)).where(_imports.id == bindparam("import_id"))
_COUNT = _COUNT.values(counts=bindparam("counts"))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewImport:
    """What is known of a file before its first row is read."""

    campaign_id: int
    file_name: str
    sha256: str
    extracted_at: datetime | None
    imported_at: datetime
    imported_by: str


def begin(connection: Connection, new: NewImport) -> int:
    """Write down that a file is being loaded; give the number of the import."""
    values = {name: getattr(new, name) for name in NewImport.__slots__}
    row = insert(table(Import)).values(**values, counts={}, state=ImportState.LOADING)
    return int(connection.execute(row.returning(_imports.id)).scalar_one())


def require_loading(connection: Connection, import_id: int, campaign_id: int) -> None:
    """Hold the import, and all others into its campaign, until the transaction ends.

    Raises InputError: somebody has undone it meanwhile.
    """
    lock_audience(connection, campaign_id)
    if connection.execute(_STATE, {"import_id": import_id}).scalar() != ImportState.LOADING:
        raise InputError(f"import {import_id} was undone while it was loading")


def count(connection: Connection, import_id: int, counts: Mapping[str, Any]) -> None:
    """Keep what came of the rows so far."""
    connection.execute(_COUNT, {"import_id": import_id, "counts": counts})


def finish(connection: Connection, import_id: int, extracted_at: datetime | None) -> None:
    """The file is in; `extracted_at` is the earliest moment that one of its rows tells."""
    connection.execute(
        update(table(Import))
        .where(_imports.id == import_id, _imports.state == ImportState.LOADING)
        .values(state=ImportState.DONE, extracted_at=extracted_at)
    )


def by_id(connection: Connection, import_id: int) -> Import:
    """The import of that number. Raises InputError where there is none."""
    row = connection.execute(select(table(Import)).where(_imports.id == import_id))
    found = row.mappings().one_or_none()
    if found is None:
        raise InputError(f"there is no import {import_id}: see `tstn audience imports`")
    return _import(found)


def of_campaign(connection: Connection, campaign: Campaign) -> list[Import]:
    """All files of a campaign, the first one first."""
    rows = connection.execute(
        select(table(Import)).where(_imports.campaign_id == campaign.id).order_by(_imports.id)
    )
    return [_import(row) for row in rows.mappings()]


def _import(row: RowMapping) -> Import:
    values = dict(row)
    identity = values.pop("id")
    made = Import(**values)
    made.id = identity
    return made
