"""How SQLite finds rows: no statement walks through a table that grows with the years. I/O.

PostgreSQL chooses by statistics; that it does not walk is said by its settings (docs/adr/0010).
"""

import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from sqlalchemy import Connection, Delete, Select, Update, text

import store as package
from store import text_settlement
from store.engine import Store

Statement = Select[Any] | Update | Delete

GROWING = {
    *("attempts", "targets", "registrations", "events", "audit", "addresses"),
    *("callbacks", "callback_attempts", "callback_claims"),
    *("messages_in", "messages_out", "receipts"),
}
OF_POSTGRESQL_ALONE = {"callback_queue._DUTY_AND_PLAN", "callback_queue._NEXT"}
_LIST = re.compile(r"\(__\[POSTCOMPILE_\w+\]\)")
_WALK = re.compile(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?")

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


def statements() -> Iterator[tuple[str, Statement]]:
    """What the store's modules run themselves, by name; without those that others are made of."""
    for module in pkgutil.iter_modules(package.__path__):
        if module.ispkg:
            continue
        for name, value in vars(import_module(f"store.{module.name}")).items():
            several = list(value.values()) if isinstance(value, dict) else value
            for one in several if isinstance(several, list | tuple) else [value]:
                is_whole = isinstance(one, Select | Update | Delete) and one.whereclause is not None
                if is_whole and name.startswith("_"):
                    yield f"{module.name}.{name}", one


def plan(connection: Connection, statement: Statement) -> list[str]:
    """The lines of SQLite's plan."""
    written = _LIST.sub("(NULL)", str(statement.compile(dialect=connection.dialect)))
    nothing = (None,) * written.count("?")
    lines = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {written}", nothing)
    return [line.detail for line in lines]


def partial_indexes(connection: Connection) -> set[str]:
    """Those of a few rows: what is open, waiting, unread."""
    found = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'index'"))
    return {name for name, sql in found if " WHERE " in (sql or "")}


async def test_no_statement_walks_through_all_rows(store: Store) -> None:
    few = await store.read(partial_indexes)
    looked_at, walks = 0, {}
    for name, statement in statements():
        if name in OF_POSTGRESQL_ALONE:
            continue
        looked_at += 1
        for line in await store.read(plan, statement):
            walk = _WALK.match(line)
            if walk and walk[1] in GROWING and walk[2] not in few:
                walks[name] = line
    assert walks == {}
    assert looked_at > 120


async def test_what_is_unsettled_is_found_among_what_is_unsettled(store: Store) -> None:
    """Four times a second; without an order SQLite would take the index of all campaigns' texts."""
    for statement in (text_settlement._ANY, text_settlement._NEXT):
        assert "ix_messages_out_unsettled" in str(await store.read(plan, statement))
