"""Which numbers a file has shown before: on disk, since a file may hold millions. I/O."""

import sqlite3
from collections.abc import Iterable
from types import TracebackType
from typing import Self

_INSERT = "INSERT OR IGNORE INTO seen VALUES (?)"


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

    def first_time(self, msisdns: Iterable[str]) -> set[str]:
        """Those of the numbers (E.164) that come for the first time; they are known from now on."""
        see = self._database.execute
        return {msisdn for msisdn in msisdns if see(_INSERT, (int(msisdn),)).rowcount}
