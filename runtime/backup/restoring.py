"""Puts a backup in the place of the store: wholly, and so that nothing is done twice. I/O.

Checks come first. SQLite: the file is made ready beside the store's own and takes its place in one
step. PostgreSQL: the dump comes in one transaction, without a revision, so that no server starts on
it; what makes it ready is the second, with the revision. The spool only ever gains facts.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, MetaData, inspect

from domain.errors import InputError
from runtime.backup import manifest, postgres_dump, sqlite_file
from runtime.backup.making import kind_of
from runtime.backup.manifest import Manifest
from runtime.idle import require_no_server
from runtime.settings import Settings
from store import spool
from store.engine import Store, open_store
from store.migrate import bring_up
from store.restored import Calmed, calm
from store.revision import is_known


@dataclass(frozen=True)
class Restored:
    """What came back, what was made safe, and the facts of calls that wait in the spool."""

    manifest: Manifest
    calmed: Calmed
    facts: int


async def restore(
    settings: Settings, directory: Path, now: datetime, *, overwrite: bool
) -> Restored:
    """Raises InputError, or StoreUnavailable, and has then changed no store that a server takes."""
    found = manifest.read(directory)
    _require_fitting(found, settings)
    await asyncio.to_thread(manifest.require_whole, directory, found)
    await require_no_server(settings)
    url = settings.store.url
    if not overwrite:
        await _require_empty(url)
    if found.kind == "sqlite":
        await asyncio.to_thread(sqlite_file.require_free, url)
    facts = 0
    if manifest.SPOOL in found.files:
        copy = directory / manifest.SPOOL
        facts = await asyncio.to_thread(spool.take_over, settings.spool.path, copy)
    load = _load_sqlite if found.kind == "sqlite" else _load_postgres
    return Restored(found, await load(directory, url, found, now), facts)


def _require_fitting(found: Manifest, settings: Settings) -> None:
    ours = kind_of(settings.store.url)
    if found.kind != ours:
        raise InputError(
            f"the backup is of a store in {found.kind}, [store] url names one in {ours}"
        )
    if not is_known(found.revision):
        raise InputError(
            f"the backup was made by TSTN {found.version} with schema {found.revision}, which is "
            "newer than this version: install that one"
        )


async def _load_sqlite(directory: Path, url: str, found: Manifest, now: datetime) -> Calmed:
    with sqlite_file.beside(url) as building:
        await asyncio.to_thread(sqlite_file.load, directory, building)
        calmed = await _make_ready(f"sqlite:///{building}", found, now)
        await asyncio.to_thread(sqlite_file.put_in_place, building, url)
    return calmed


async def _load_postgres(directory: Path, url: str, found: Manifest, now: datetime) -> Calmed:
    await asyncio.to_thread(postgres_dump.load, directory, url)
    return await _make_ready(url, found, now)


async def _make_ready(url: str, found: Manifest, now: datetime) -> Calmed:
    store = open_store(url)
    try:
        return await store.write(_finish, found, now)
    finally:
        await store.close()


def _finish(connection: Connection, found: Manifest, now: datetime) -> Calmed:
    bring_up(connection, found.revision)
    return calm(connection, found.made_at, now)


async def _require_empty(url: str) -> None:
    """Raises InputError where the store has rows."""
    if kind_of(url) == "sqlite" and not sqlite_file.path_of(url).exists():
        return
    store: Store = open_store(url)
    try:
        filled = await store.read(_filled_table)
    finally:
        await store.close()
    if filled is not None:
        raise InputError(
            f"the store is not empty, {filled} has rows: --overwrite replaces it for good "
            "(`tstn backup DIR` keeps what stands)"
        )


def _filled_table(connection: Connection) -> str | None:
    names = [name for name in inspect(connection).get_table_names() if name != "alembic_version"]
    tables = MetaData()
    tables.reflect(connection, only=names)
    for found in tables.sorted_tables:
        if connection.execute(found.select().limit(1)).first() is not None:
            return found.name
    return None
