"""What is in a workbook's ZIP file: its first sheet, its texts, which styles are days. I/O."""

import posixpath
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from zipfile import BadZipFile, ZipFile

from dialer.workbook_texts import SharedTexts
from dialer.workbook_xml import BROKEN, names, read
from domain.errors import InputError

_MOST_BYTES = 4 << 30  # unpacked: a full sheet has a third of it
_FAULTS = (BadZipFile, zlib.error, LookupError, ValueError, EOFError, RuntimeError)
_NAMES = names("sheet", "workbookPr", "xf", "cellXfs", "numFmt")
_RELATIONSHIP = "http://schemas.openxmlformats.org/package/2006/relationships Relationship"
_ID = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships id",
    "http://purl.oclc.org/ooxml/officeDocument/relationships id",
)
_DAYS = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
"""The formats without a text that show a day or an hour."""
_NOT_SHOWN = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_SHOWS_DAYS = re.compile("[dmyhs]", re.IGNORECASE)
_TRUE = ("1", "true")


@contextmanager
def faults_are_told() -> Iterator[None]:
    """Turn what is raised over a broken file into one line for the user."""
    try:
        yield
    except _FAULTS:
        raise InputError(BROKEN) from None


@dataclass(frozen=True, slots=True)
class _Relation:
    kind: str
    part: str


class Package:
    """An open workbook. All that is read raises InputError where it is broken."""

    def __init__(self, path: Path) -> None:
        """Raises InputError: it is no workbook; OSError."""
        with faults_are_told():
            self._packed = ZipFile(path)
        self.texts = SharedTexts()
        self.days: frozenset[int] = frozenset()
        """The styles of cells that show a day or an hour."""
        try:
            with faults_are_told():
                self._open()
        except InputError:
            self.close()
            raise

    def close(self) -> None:
        """Give the files back."""
        self._packed.close()
        self.texts.close()

    def sheet(self) -> IO[bytes]:
        """The first sheet."""
        return self._packed.open(self._sheet)

    def _open(self) -> None:
        if sum(part.file_size for part in self._packed.infolist()) > _MOST_BYTES:
            raise InputError("the workbook is larger than a sheet can be")
        book = _parts(self._relations("").values(), "officeDocument")[0]
        relations = self._relations(book)
        with self._packed.open(book) as part:
            told = _Book()
            sheets = [relations[name] for name in read(part, told)]
        self.counts_from_1904 = told.counts_from_1904
        self._sheet = _parts(sheets, "worksheet")[0]
        for styles in _parts(relations.values(), "styles")[:1]:
            self.days = self._days(styles)
        for texts in _parts(relations.values(), "sharedStrings")[:1]:
            with self._packed.open(texts) as part:
                self.texts.fill(part)

    def _relations(self, of: str) -> dict[str, _Relation]:
        """What a part refers to, by id; that of the package itself is ""."""
        folder, name = posixpath.split(of)
        with self._packed.open(posixpath.join(folder, "_rels", f"{name}.rels")) as part:
            found = {
                each["Id"]: (each["Type"], posixpath.join("/", folder, each["Target"]))
                for each in read(part, _Relations())
                if each.get("TargetMode") != "External"
            }
        return {
            each: _Relation(kind, posixpath.normpath(target).lstrip("/"))
            for each, (kind, target) in found.items()
        }

    def _days(self, styles: str) -> frozenset[int]:
        with self._packed.open(styles) as part:
            told = _Styles()
            formats = list(read(part, told))
        days = _DAYS | told.days
        return frozenset(style for style, each in enumerate(formats) if each in days)


def _parts(relations: Iterable[_Relation], kind: str) -> list[str]:
    """Those of one kind. Both forms of the format name kinds so, each in a namespace of its own."""
    return [each.part for each in relations if each.kind.endswith(f"/{kind}")]


class _Elements:
    """Hears no text and no ends."""

    def end(self, _: str) -> None:
        """Nothing."""

    def text(self, _: str) -> None:
        """Nothing."""


class _Relations(_Elements):
    """Gathers references."""

    def __init__(self) -> None:
        self._found: list[dict[str, str]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == _RELATIONSHIP:
            self._found.append(attributes)

    def taken(self) -> list[dict[str, str]]:
        found, self._found = self._found, []
        return found


class _Book(_Elements):
    """Gathers the references of the sheets, in their order."""

    counts_from_1904 = False

    def __init__(self) -> None:
        self._found: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        kind = _NAMES.get(name)
        if kind == "sheet":
            self._found += [attributes[each] for each in _ID if each in attributes]
        elif kind == "workbookPr":
            self.counts_from_1904 = attributes.get("date1904") in _TRUE

    def taken(self) -> list[str]:
        found, self._found = self._found, []
        return found


class _Styles:
    """Gathers the number of the format of each style of cells; `days` are the formats of days."""

    def __init__(self) -> None:
        self.days: set[int] = set()
        self._is_of_cells = False
        self._found: list[int] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        match _NAMES.get(name):
            case "cellXfs":
                self._is_of_cells = True
            case "xf" if self._is_of_cells:
                self._found.append(int(attributes.get("numFmtId", 0)))
            case "numFmt" if _SHOWS_DAYS.search(_NOT_SHOWN.sub("", attributes["formatCode"])):
                self.days.add(int(attributes["numFmtId"]))

    def end(self, name: str) -> None:
        if _NAMES.get(name) == "cellXfs":
            self._is_of_cells = False

    def text(self, _: str) -> None:
        """Nothing."""

    def taken(self) -> list[int]:
        found, self._found = self._found, []
        return found
