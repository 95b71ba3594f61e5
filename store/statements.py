"""Statements that each database spells its own way, made once at import. Pure."""

from typing import Any

from sqlalchemy import ColumnElement, Insert
from sqlalchemy.dialects import postgresql, sqlite

from store.models import Base, table


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
