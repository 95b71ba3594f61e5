"""The XML in a workbook, read piece by piece: nothing is kept, nothing is expanded. I/O.

expat alone would take a document type with its entities, and hold a tag of any length: both are
refused, since no program that makes workbooks writes them.
"""

from collections.abc import Iterator, Sequence
from typing import IO, Protocol, TypeVar
from xml.parsers import expat

from domain.errors import InputError

BROKEN = "the workbook can't be read: open it in Excel and save it again"
MAIN = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
"""The namespaces of workbooks, as nearly all programs write it and in its strict form."""
_CHUNK_BYTES = 1 << 16
_MOST_BYTES_A_TAG = 1 << 20
_MOST_CHARACTERS = 1 << 16
"""In one cell. Excel allows half of that."""

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class Listener(Protocol[T_co]):
    """Told of elements by namespace and name, with a space between, as they come."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """It ends."""

    def text(self, text: str) -> None:
        """A piece of text."""

    def taken(self) -> Sequence[T_co]:
        """What has become of it since it was last asked."""


def names(*local: str) -> dict[str, str]:
    """The elements of workbooks with these names, as they are told → the name alone."""
    return {f"{space} {name}": name for space in MAIN for name in local}


_TEXTS = names("v", "t", "rPh")


class TextListener:
    """Gathers what stands in a cell; how to pronounce it (rPh) is no part of it."""

    def __init__(self) -> None:
        self._is_aside = False
        self._gathers = False
        self._pieces: list[str] = []
        self._length = 0

    def start(self, name: str, _: dict[str, str]) -> None:
        """An element begins."""
        kind = _TEXTS.get(name)
        if kind == "rPh":
            self._is_aside = True
        elif kind is not None:
            self._gathers = not self._is_aside

    def end(self, name: str) -> None:
        """It ends."""
        kind = _TEXTS.get(name)
        if kind == "rPh":
            self._is_aside = False
        elif kind is not None:
            self._gathers = False

    def text(self, text: str) -> None:
        """Raises InputError: a cell has more text than one can have."""
        if self._gathers:
            self._pieces.append(text)
            self._length += len(text)
            if self._length > _MOST_CHARACTERS:
                raise InputError("a cell of the workbook has too much text")

    def _gathered(self) -> str:
        """The text up to now; it begins anew."""
        text = "".join(self._pieces)
        self._pieces.clear()
        self._length = 0
        return text


def read(part: IO[bytes], listener: Listener[T]) -> Iterator[T]:
    """What `listener` makes of a part. Raises InputError: it is no XML, or has what none needs."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = listener.start
    parser.EndElementHandler = listener.end
    parser.CharacterDataHandler = listener.text
    fed = 0
    try:
        while chunk := part.read(_CHUNK_BYTES):
            parser.Parse(chunk)
            fed += len(chunk)
            if fed - parser.CurrentByteIndex > _MOST_BYTES_A_TAG:
                raise InputError(BROKEN)
            yield from listener.taken()
        parser.Parse(b"", True)
    except expat.ExpatError:
        raise InputError(BROKEN) from None
    yield from listener.taken()


def _refuse(*_: object) -> None:
    raise InputError(BROKEN)
