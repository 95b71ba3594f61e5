"""Which numbers a file has shown before: on disk, since a file may hold millions. I/O."""

import sqlite3
from collections.abc import Iterable
from types import TracebackType
from typing import Self

_INSERT = "INSERT OR IGNORE INTO seen VALUES (?)"
_FIND = "SELECT 1 FROM seen WHERE number = ?"


class SeenNumbers:
    """A set of numbers in a file that SQLite makes, keeps nameless and takes away at the end.

    Any thread may use it, one at a time.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("CREATE TABLE seen (number INTEGER PRIMARY KEY)")
        self._database.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._database.close()

    def unseen(self, msisdns: Iterable[str]) -> set[str]:
        """Those of the numbers (E.164) that have not come yet."""
        find = self._database.execute
        return {one for one in msisdns if find(_FIND, (int(one),)).fetchone() is None}

    def add(self, msisdns: Iterable[str]) -> None:
        """They are known from now on."""
        self._database.executemany(_INSERT, ((int(one),) for one in msisdns))
