"""One statement for many rows: executemany on SQLite, arrays on PostgreSQL. I/O.

asyncpg's executemany is a round of the protocol for each row. SQLite has no such round to save, but
SQLAlchemy takes longer over a row of parameters than SQLite over the row: they go to the driver.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Executable,
    Update,
    bindparam,
    column,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

Types = Mapping[str, TypeEngine[Any]]
Columns = Mapping[str, ColumnElement[Any]]


class ManyTimes:
    """A statement, each of whose parameters has a value in every row. For SQLite."""

    def __init__(self, types: Types, make: Callable[[Columns], Executable]) -> None:
        self._names = list(types)
        self._types = list(types.values())
        # The prefix: SQLAlchemy keeps the names of columns for itself.
        self._statement = make(
            {name: bindparam(f"new_{name}", type_=kind) for name, kind in types.items()}
        )
        self._prepared: tuple[str, list[tuple[int, Any]]] | None = None

    def run(self, connection: Connection, rows: Iterable[tuple[Any, ...]]) -> int:
        """Carry it out for `rows`, whose values are in the order of the types.

        Gives the number of rows that it changed.
        """
        if self._prepared is None:
            self._prepared = self._prepare(connection)
        sql, places = self._prepared
        values = [
            tuple([row[at] if to is None else to(row[at]) for at, to in places]) for row in rows
        ]
        return connection.exec_driver_sql(sql, values).rowcount

    def _prepare(self, connection: Connection) -> tuple[str, list[tuple[int, Any]]]:
        """The SQL, and for each of its marks the place in a row and what turns the value."""
        compiled = self._statement.compile(dialect=connection.dialect)  # type: ignore[attr-defined]
        at = [self._names.index(name.removeprefix("new_")) for name in compiled.positiontup]
        turns = [_turn(kind, connection.dialect) for kind in self._types]
        return str(compiled), [(place, turns[place]) for place in at]


class EachRow:
    """An update that is carried out for each of many rows of values.

    `make` gets an element for each name in `types`: a parameter, or a column of a set of rows.
    """

    def __init__(self, types: Types, make: Callable[[Columns], Update]) -> None:
        self._many = ManyTimes(types, make)
        arrays = {name: bindparam(f"all_{name}", type_=ARRAY(types[name])) for name in types}
        rows = func.unnest(*arrays.values()).table_valued(
            *(column(*each) for each in types.items())
        )
        self._parameters = [array.key for array in arrays.values()]
        named = rows.alias("new_rows").render_derived().c
        self._set = make({name: named[name] for name in types})

    def run(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Carry the update out for `rows`, whose values are in the order of `types`."""
        if not rows:
            return
        if connection.dialect.name == "sqlite":
            self._many.run(connection, rows)
        else:
            arrays = map(list, zip(*rows, strict=True))
            connection.execute(self._set, dict(zip(self._parameters, arrays, strict=True)))


def _turn(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """What turns a value into one for the driver; None where it may stay as it is."""
    return kind.dialect_impl(dialect).bind_processor(dialect)
