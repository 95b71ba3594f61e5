"""One statement for many rows, the same for any number of them. I/O.

On PostgreSQL the rows are arrays: asyncpg's executemany is a round of the protocol for each row,
and a list of VALUES another statement for each length, to be parsed anew. SQLite has no round to
save, but SQLAlchemy takes longer over a row of parameters than SQLite over the row: they go
straight to the driver, or as one JSON text where rows are to come back.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Executable,
    Row,
    Text,
    Update,
    bindparam,
    column,
    func,
    literal_column,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from store.models import Base, table
from store.statements import insert_new, insert_new_from

Types = Mapping[str, TypeEngine[Any]]
Columns = Mapping[str, ColumnElement[Any]]
_Turn = Callable[[Any], Any]


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
        self._types = types
        self._of_arrays = make(_from_arrays(types))

    def run(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Carry the update out for `rows`, whose values are in the order of `types`."""
        if not rows:
            return
        if connection.dialect.name == "sqlite":
            self._many.run(connection, rows)
        else:
            connection.execute(self._of_arrays, _by_array(self._types, rows))


def copy_in(
    connection: Connection, row: type[Base], names: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert rows by COPY, as quick as PostgreSQL can. A rule that one breaks fails them all.

    The values are asyncpg's: JSON is a text. The transaction has begun with another statement.
    """
    driver: Any = connection.connection.dbapi_connection
    driver.run_async(
        lambda opened: opened.copy_records_to_table(
            table(row).name, columns=list(names), records=rows
        )
    )


class NewRows:
    """Inserts rows; those that a unique rule holds already are passed over.

    `names` are the columns that have a value in each row; `returning` what comes back of those that
    were really inserted. Columns of bytes can't come back with SQLite.
    """

    def __init__(
        self, row: type[Base], names: Sequence[str], *returning: ColumnElement[Any]
    ) -> None:
        self._types = {name: table(row).c[name].type for name in names}
        self._returns = bool(returning)
        self._many = ManyTimes(self._types, insert_new(row)["sqlite"].values)
        arrays, texts = _from_arrays(self._types), _from_json(self._types)
        self._of_arrays = insert_new_from(row, arrays, None, returning)["postgresql"]
        self._of_json = insert_new_from(row, texts, _ALL, returning)["sqlite"]
        self._turns: list[_Turn | None] | None = None

    def run(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> Sequence[Row[Any]]:
        """Insert `rows`, whose values are in the order of the names."""
        if not rows:
            return ()
        if connection.dialect.name == "postgresql":
            done = connection.execute(self._of_arrays, _by_array(self._types, rows))
        elif self._returns:
            done = connection.execute(self._of_json, {_JSON: self._as_json(connection, rows)})
        else:
            self._many.run(connection, rows)
        return done.all() if self._returns else ()

    def _as_json(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> str:
        if self._turns is None:
            self._turns = [_turn(kind, connection.dialect) for kind in self._types.values()]
        turns = self._turns
        values = [
            [turn(value) if turn else value for turn, value in zip(turns, row, strict=True)]
            for row in rows
        ]
        return orjson.dumps(values).decode()


_JSON = "rows_as_json"
_ALL = literal_column("1") == literal_column("1")
"""SQLite needs a condition between a SELECT and ON CONFLICT, to tell that from a join's ON."""


def _from_arrays(types: Types) -> dict[str, ColumnElement[Any]]:
    """The columns of a set of rows that PostgreSQL takes as one array for each."""
    arrays = [
        bindparam(f"all_{name}", type_=ARRAY(kind, dimensions=1)) for name, kind in types.items()
    ]
    rows = func.unnest(*arrays).table_valued(*(column(*each) for each in types.items()))
    named = rows.alias("new_rows").render_derived().c
    return {name: named[name] for name in types}


def _by_array(types: Types, rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    values = map(list, zip(*rows, strict=True))
    return {f"all_{name}": each for name, each in zip(types, values, strict=True)}


def _from_json(types: Types) -> dict[str, ColumnElement[Any]]:
    """The columns of a set of rows that SQLite takes as one text, an array of arrays."""
    rows = func.json_each(bindparam(_JSON, type_=Text)).table_valued("value").alias("new_rows")
    return {name: rows.c.value.op("->>")(literal_column(str(n))) for n, name in enumerate(types)}


def _turn(kind: TypeEngine[Any], dialect: Dialect) -> _Turn | None:
    """What turns a value into one for the driver; None where it may stay as it is."""
    return kind.dialect_impl(dialect).bind_processor(dialect)
