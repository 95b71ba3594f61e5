"""Statements that each database spells its own way, made once at import. Pure."""

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Insert, Select, Uuid, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from store.models import Base, table

V = TypeVar("V")

_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert_new(row: type[Base], *returning: ColumnElement[Any]) -> dict[str, Insert]:
    """By dialect: an INSERT that passes over rows which a unique rule already holds.

    With `returning`, the rows that were really inserted give these columns back.
    """
    return {dialect: _returning(_new(dialect, row), returning) for dialect in _INSERTS}


def insert_new_from(
    row: type[Base],
    values: Mapping[str, ColumnElement[Any]],
    where: ColumnElement[bool],
    returning: Sequence[ColumnElement[Any]],
) -> dict[str, Insert]:
    """By dialect: the same from a SELECT; `values` by column, from the tables they name."""
    chosen = select(*values.values()).where(where)
    return {
        dialect: _returning(_new(dialect, row, (list(values), chosen)), returning)
        for dialect in _INSERTS
    }


def _new(dialect: str, row: type[Base], source: tuple[list[str], Select[Any]] | None = None) -> Any:
    made = _INSERTS[dialect](table(row))
    return (made if source is None else made.from_select(*source)).on_conflict_do_nothing()


def _returning(made: Any, columns: Sequence[ColumnElement[Any]]) -> Any:
    return made.returning(*columns) if columns else made


class new_uuid(FunctionElement[UUID]):
    """A random UUID, made by the database for each row."""

    type = Uuid()
    inherit_cache = True


@compiles(new_uuid, "postgresql")
def _new_uuid_postgresql(*_: Any, **__: Any) -> str:
    return "gen_random_uuid()"


@compiles(new_uuid, "sqlite")
def _new_uuid_sqlite(*_: Any, **__: Any) -> str:
    return "lower(hex(randomblob(16)))"  # the form in which SQLAlchemy stores a UUID there


def padded(values: Sequence[V]) -> list[V]:
    """Values for an IN list, the last one repeated up to the next power of two.

    So few texts of a statement exist, and the database can reuse what it has prepared.
    """
    if not values:
        return []
    length = 1 << (len(values) - 1).bit_length()
    return [*values, *repeat(values[-1], length - len(values))]
