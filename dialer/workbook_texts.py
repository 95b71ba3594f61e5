"""The table of texts that the cells of a workbook share, on disk: it may be all of it. I/O."""

import re
import sqlite3
from collections.abc import Iterator
from functools import lru_cache
from typing import IO

from dialer.workbook_xml import BROKEN, TextListener, names, read
from domain.errors import InputError

_ITEM = names("si")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_REMEMBERED = 4096
_LAST_BEFORE_SURROGATES = 0xD7FF


class SharedTexts:
    """The texts by their place; in a file that SQLite makes, keeps nameless and takes away."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("CREATE TABLE texts (place INTEGER PRIMARY KEY, text TEXT NOT NULL)")
        self._database.execute("BEGIN")
        self.at = lru_cache(maxsize=_REMEMBERED)(self._look_up)

    def fill(self, part: IO[bytes]) -> None:
        """Take all texts in. Raises InputError: it is broken, or the disk is full."""
        try:
            self._database.executemany("INSERT INTO texts VALUES (?, ?)", enumerate(_texts(part)))
        except sqlite3.OperationalError as error:
            raise InputError(f"there is no room for the texts of the workbook: {error}") from None

    def close(self) -> None:
        """Take the file away."""
        self._database.close()

    def _look_up(self, place: int) -> str:
        """Raises InputError: there is no such text."""
        chosen = self._database.execute("SELECT text FROM texts WHERE place = ?", (place,))
        found: tuple[str] | None = chosen.fetchone()
        if found is None:
            raise InputError(BROKEN)
        return found[0]


def unescaped(text: str) -> str:
    """A text with the characters that XML can't have: _x000D_ is the end of a line."""
    return _ESCAPED.sub(_character, text) if "_x" in text else text


def _character(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return chr(code) if 0 < code <= _LAST_BEFORE_SURROGATES else found[0]


def _texts(part: IO[bytes]) -> Iterator[str]:
    return read(part, _Texts())


class _Texts(TextListener):
    """Gathers each text of the table."""

    def __init__(self) -> None:
        super().__init__()
        self._found: list[str] = []

    def end(self, name: str) -> None:
        if name in _ITEM:
            self._found.append(unescaped(self._gathered()))
        else:
            super().end(name)

    def taken(self) -> list[str]:
        found, self._found = self._found, []
        return found
