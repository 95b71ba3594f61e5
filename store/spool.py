"""Facts kept on this machine while the store is away: an SQLite file, synced on each write. I/O.

Source of the durability claim: SQLite documentation, PRAGMA synchronous=FULL in WAL mode.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from domain.errors import TstnError
from store.facts import Fact, decode, encode
from store.private_file import make_private

_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS refused (id INTEGER PRIMARY KEY, body BLOB NOT NULL, why TEXT NOT NULL);
"""


class SpoolError(TstnError):
    """The spool file can't be written: facts are safe nowhere."""


def save(path: Path, copy: Path) -> None:
    """Copy what is in the spool now; a server may go on with it. Raises SpoolError."""
    try:
        with closing(sqlite3.connect(path)) as spool, closing(sqlite3.connect(copy)) as into:
            spool.backup(into)
            into.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise SpoolError(f"the spool {path} can't be copied: {error}") from error


def take_over(path: Path, copy: Path) -> int:
    """Add what a copy holds to the spool at `path`; give how many facts wait there then.

    What stands there already is passed over. Not while a server uses it. Raises SpoolError.
    """
    Spool(path).close()
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as spool:
            spool.execute("PRAGMA synchronous=FULL")
            spool.execute("ATTACH ? AS copy", (str(copy),))
            spool.execute("BEGIN IMMEDIATE")
            for table, columns in (("facts", "body"), ("refused", "body, why")):
                spool.execute(
                    f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM copy.{table}"  # noqa: S608
                    f" WHERE body NOT IN (SELECT body FROM main.{table}) ORDER BY id"
                )
            spool.execute("COMMIT")
            return int(spool.execute("SELECT count(*) FROM main.facts").fetchone()[0])
    except sqlite3.Error as error:
        raise SpoolError(f"the spool {path} can't take over {copy}: {error}") from error


class Spool:
    """A durable queue of facts, oldest first. One process at a time."""

    def __init__(self, path: Path) -> None:
        """Opens or makes the file. Raises SpoolError."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            make_private(path)
            self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute("PRAGMA synchronous=FULL")
            self._file.executescript(_SCHEMA)
            self.waiting = int(self._file.execute("SELECT count(*) FROM facts").fetchone()[0])
        except (sqlite3.Error, OSError) as error:
            raise SpoolError(f"the spool {path} can't be opened: {error}") from error

    async def keep(self, facts: Sequence[Fact]) -> None:
        """Return once the facts are on disk. Raises SpoolError."""
        try:
            bodies = [(encode(fact),) for fact in facts]
        except TypeError as error:
            raise SpoolError(f"a fact is no JSON: {error}") from error
        await self._run(partial(self._insert, "INSERT INTO facts (body) VALUES (?)", bodies))
        self.waiting += len(bodies)

    async def oldest(self, limit: int) -> list[tuple[int, Fact]]:
        """Up to `limit` facts with their place in the queue; what can't be read is set aside."""
        rows = await self._run(
            lambda: self._file.execute(
                "SELECT id, body FROM facts ORDER BY id LIMIT ?", (limit,)
            ).fetchall()
        )
        facts: list[tuple[int, Fact]] = []
        for place, body in rows:
            try:
                facts.append((place, decode(body)))
            except (KeyError, TypeError, ValueError) as error:
                await self._set_aside(body, f"can't be read: {error!r}")
                await self.remove([place])
        return facts

    async def remove(self, places: Sequence[int]) -> None:
        """Drop facts that the store has committed."""
        await self._run(
            partial(self._insert, "DELETE FROM facts WHERE id = ?", [(p,) for p in places])
        )
        self.waiting -= len(places)

    async def refuse(self, fact: Fact, why: str) -> None:
        """Set a fact aside that the store will never take, for a person to look at."""
        try:
            body = encode(fact)
        except TypeError:  # what it holds is no JSON: keep what can be read of it
            body = repr(fact).encode(errors="backslashreplace")
        await self._set_aside(body, why)

    def close(self) -> None:
        """Let the file go; what is in it stays."""
        self._thread.shutdown()
        self._file.close()

    async def _set_aside(self, body: bytes, why: str) -> None:
        sql = "INSERT INTO refused (body, why) VALUES (?, ?)"
        await self._run(partial(self._insert, sql, [(body, why)]))

    def _insert(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        self._file.execute("BEGIN IMMEDIATE")
        try:
            self._file.executemany(sql, rows)
            self._file.execute("COMMIT")
        except sqlite3.Error:
            if self._file.in_transaction:
                self._file.execute("ROLLBACK")
            raise

    async def _run(self, work: Any) -> Any:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            raise SpoolError(f"the spool can't be used: {error}") from error
