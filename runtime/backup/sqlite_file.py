"""A store that is an SQLite file: copied while it is written, and replaced in one step. I/O."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url

from domain.errors import InputError

NAME = "store.sqlite"


def path_of(url: str) -> Path:
    """The file of a store's URL."""
    return Path(str(make_url(url).database))


def save(url: str, into: Path) -> None:
    """Copy what is committed now; a server may go on writing. Raises InputError."""
    source = path_of(url)
    if not source.exists():
        raise InputError(f"there is no store {source}")
    try:
        with (
            closing(sqlite3.connect(source)) as store,
            closing(sqlite3.connect(into / NAME)) as copy,
        ):
            store.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without companions
            _require_sound(copy, source)
    except sqlite3.Error as error:
        raise InputError(f"the store {source} can't be copied: {error}") from None


@contextmanager
def beside(url: str) -> Iterator[Path]:
    """Where the next store is made ready, beside the one that stands; nothing of it is left."""
    target = path_of(url)
    target.parent.mkdir(parents=True, exist_ok=True)
    building = target.with_name(f".{target.name}.restoring")
    _remove(building)
    try:
        yield building
    finally:
        _remove(building)


def load(backup: Path, building: Path) -> None:
    """Copy the backup's file there. Raises InputError."""
    try:
        shutil.copyfile(backup / NAME, building)
        with closing(sqlite3.connect(building)) as copy:
            _require_sound(copy, backup / NAME)
    except (OSError, sqlite3.Error) as error:
        raise InputError(f"the backup can't be read: {error}") from None


def put_in_place(building: Path, url: str) -> None:
    """The copy becomes the store. Raises InputError where somebody uses the one that stands."""
    target = path_of(url)
    with building.open("rb") as stream:
        os.fsync(stream.fileno())
    if target.exists():
        _let_go(target)
    building.replace(target)
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def require_free(url: str) -> None:
    """Raises InputError where another process has the file open."""
    if path_of(url).exists():
        _let_go(path_of(url))


def _let_go(target: Path) -> None:
    """Leave no journal beside the file: it would be taken for that of the next one."""
    try:
        with closing(sqlite3.connect(target, timeout=1)) as store:
            store.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise InputError(f"the store {target} can't be replaced: {error}") from None
        raise InputError(f"the store {target} is in use: stop `tstn serve` first") from None
    except sqlite3.DatabaseError:  # damaged, which is why it is replaced
        for end in ("-wal", "-shm"):
            target.with_name(target.name + end).unlink(missing_ok=True)


def _require_sound(store: sqlite3.Connection, file: Path) -> None:
    [said] = store.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise InputError(f"the store {file} is damaged: {said}")


def _remove(file: Path) -> None:
    for end in ("", "-wal", "-shm", "-journal"):
        file.with_name(file.name + end).unlink(missing_ok=True)
