"""Makes a backup of store and spool in a directory of its own, while servers go on. I/O.

The spool is copied first: a fact that is on its way from spool to store stands in both copies at
worst, which changes nothing, and never in neither.
"""

import asyncio
import shutil
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from domain.errors import InputError
from runtime.backup import manifest, postgres_dump, sqlite_file
from runtime.backup.manifest import Manifest
from runtime.settings import Settings
from store import spool
from store.engine import open_store
from store.revision import current_revision


def kind_of(url: str) -> str:
    """The database of a store's URL, as manifests name it."""
    return url.partition(":")[0]


async def make(settings: Settings, directory: Path, now: datetime) -> Manifest:
    """All or nothing: `directory` is new, and whole. Raises InputError, StoreUnavailable."""
    if directory.exists():  # noqa: ASYNC240 - of this command nothing else waits
        raise InputError(f"{directory} exists already: name a new directory")
    building = directory.with_name(f".{directory.name}.new")
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(mode=0o700)  # it holds subscribers' numbers
        made = await _fill(settings, building, now)
        building.rename(directory)
    except OSError as error:
        raise InputError(f"cannot write {error.filename}: {error.strerror}") from None
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return made


async def _fill(settings: Settings, building: Path, now: datetime) -> Manifest:
    url, names = settings.store.url, []
    kind = kind_of(url)
    before = await _revision(url)
    if settings.spool.path.exists():
        names.append(manifest.SPOOL)
        await asyncio.to_thread(spool.save, settings.spool.path, building / manifest.SPOOL)
    database = sqlite_file if kind == "sqlite" else postgres_dump
    names.append(database.NAME)
    await asyncio.to_thread(database.save, url, building)
    if await _revision(url) != before:
        raise InputError("the schema was changed meanwhile: make the backup again")
    made = Manifest(
        made_at=now,
        version=version("tstn"),
        revision=before,
        kind=kind,
        node=settings.asterisk.node,
        files=await asyncio.to_thread(manifest.describe, building, names),
    )
    manifest.write(building, made)
    return made


async def _revision(url: str) -> str:
    if kind_of(url) == "sqlite" and not sqlite_file.path_of(url).exists():
        raise InputError(f"there is no store {sqlite_file.path_of(url)}")
    store = open_store(url)
    try:
        revision = await current_revision(store)
    finally:
        await store.close()
    if revision is None:
        raise InputError("the store has no tables: there is nothing to keep")
    return revision
