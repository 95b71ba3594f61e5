"""Statements that each database spells its own way, made once at import. Pure."""

from collections.abc import Sequence
from itertools import repeat
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Insert
from sqlalchemy.dialects import postgresql, sqlite

from store.models import Base, table

V = TypeVar("V")


def insert_new(row: type[Base], *returning: ColumnElement[Any]) -> dict[str, Insert]:
    """By dialect: an INSERT that passes over rows which a unique rule already holds.

    With `returning`, the rows that were really inserted give these columns back.
    """
    return {
        dialect: made.returning(*returning) if returning else made
        for dialect, made in (
            ("sqlite", sqlite.insert(table(row)).on_conflict_do_nothing()),
            ("postgresql", postgresql.insert(table(row)).on_conflict_do_nothing()),
        )
    }


def padded(values: Sequence[V]) -> list[V]:
    """Values for an IN list, the last one repeated up to the next power of two.

    So few texts of a statement exist, and the database can reuse what it has prepared.
    """
    if not values:
        return []
    length = 1 << (len(values) - 1).bit_length()
    return [*values, *repeat(values[-1], length - len(values))]
