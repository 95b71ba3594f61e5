"""Statements that each database spells its own way, made once at import. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    Boolean,
    ColumnElement,
    CompoundSelect,
    Dialect,
    Insert,
    Select,
    Text,
    TypeDecorator,
    Uuid,
    bindparam,
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from store.models import Base, table

_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert_new(row: type[Base], *returning: ColumnElement[Any]) -> dict[str, Insert]:
    """By dialect: an INSERT that passes over rows which a unique rule already holds.

    With `returning`, the rows that were really inserted give these columns back.
    """
    return {dialect: _returning(_new(dialect, row), returning) for dialect in _INSERTS}


def insert_new_from(
    row: type[Base],
    values: Mapping[str, ColumnElement[Any]],
    where: ColumnElement[bool] | None,
    returning: Sequence[ColumnElement[Any]],
) -> dict[str, Insert]:
    """By dialect: the same from a SELECT; `values` by column, from the tables they name."""
    chosen = select(*values.values())
    chosen = chosen if where is None else chosen.where(where)
    return {
        dialect: _returning(_new(dialect, row, (list(values), chosen)), returning)
        for dialect in _INSERTS
    }


def _new(dialect: str, row: type[Base], source: tuple[list[str], Select[Any]] | None = None) -> Any:
    made = _INSERTS[dialect](table(row))
    return (made if source is None else made.from_select(*source)).on_conflict_do_nothing()


def _returning(made: Any, columns: Sequence[ColumnElement[Any]]) -> Any:
    return made.returning(*columns) if columns else made


def insert_or_update(
    row: type[Base], changed: Mapping[str, ColumnElement[Any]], *returning: ColumnElement[Any]
) -> dict[str, Insert]:
    """By dialect: an INSERT that, where the primary key stands already, changes that row."""
    key = list(table(row).primary_key)
    return {
        dialect: insert(table(row))
        .on_conflict_do_update(index_elements=key, set_=dict(changed))
        .returning(*returning)
        for dialect, insert in _INSERTS.items()
    }


class without_key(FunctionElement[Any]):
    """A JSON object without one of its keys; a rule of the history knows this very spelling."""

    inherit_cache = True

    def __init__(self, column: ColumnElement[Any], key: str) -> None:
        super().__init__(column, literal_column(f"'{key}'"))


@compiles(without_key, "postgresql")
def _without_key_postgresql(element: without_key, compiler: SQLCompiler, **kw: Any) -> str:
    column, key = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} - {key}"


@compiles(without_key, "sqlite")
def _without_key_sqlite(element: without_key, compiler: SQLCompiler, **kw: Any) -> str:
    column, key = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"json_remove({column}, '$.' || {key})"


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


class _Values(TypeDecorator[Sequence[Any]]):
    """Many values in one parameter: an array on PostgreSQL, a JSON text on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.ARRAY(self.item))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return orjson.dumps([_as_kept(item) for item in value]).decode()


def _as_kept(value: Any) -> Any:
    return value.hex if isinstance(value, UUID) else value


class among(FunctionElement[bool]):
    """Whether a column is among the values of parameter `name`: one text for any number of them.

    An IN list would be another statement for each length, rendered anew at every execution.
    """

    type = Boolean()
    inherit_cache = True

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        super().__init__(column, bindparam(name, type_=_Values(column.type)))

    def self_group(self, against: Any = None) -> "among":
        """Stay as it is: SQLite would else compare the condition with 1, past every index."""
        return self


@compiles(among, "postgresql")
def _among_postgresql(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} = ANY ({values})"


@compiles(among, "sqlite")
def _among_sqlite(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608


class among_chosen(FunctionElement[bool]):
    """Whether a column is among what a SELECT chooses; PostgreSQL looks each of them up.

    It could not tell how few they are, and would join the whole table for IN.
    """

    type = Boolean()
    inherit_cache = True

    def __init__(
        self, column: ColumnElement[Any], chosen: Select[Any] | CompoundSelect[Any]
    ) -> None:
        super().__init__(column, chosen.scalar_subquery())

    def self_group(self, against: Any = None) -> "among_chosen":
        """Stay as it is, as `among` does."""
        return self


@compiles(among_chosen, "postgresql")
def _among_chosen_postgresql(element: among_chosen, compiler: SQLCompiler, **kw: Any) -> str:
    column, chosen = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} = ANY (ARRAY {chosen})"


@compiles(among_chosen, "sqlite")
def _among_chosen_sqlite(element: among_chosen, compiler: SQLCompiler, **kw: Any) -> str:
    column, chosen = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} IN {chosen}"
