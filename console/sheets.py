"""Tables as files for spreadsheets: CSV and XLSX, sent row by row and harmless when opened. I/O.

A text that a spreadsheet would take for a formula gets an apostrophe before it. Numbers of phones
are texts, as their leading zero would be lost; the UTF-8 of a CSV is told by its first bytes.
"""

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from contextlib import closing
from datetime import date
from typing import IO

from aiohttp import web

Cell = str | int | float | date | None
Row = Sequence[Cell]
Rows = Iterable[Row] | AsyncIterable[Row]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_BOM = "\ufeff"
_ROWS_A_CHUNK = 500
_BYTES_A_CHUNK = 65536
_ROWS_A_SHEET = 1_000_000
"""Excel opens 1,048,576; what is beyond goes to a further sheet, with the heads again."""
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def harmless(cell: Cell) -> Cell:
    """The cell, and a text never as a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


async def send_csv(request: web.Request, name: str, rows: Rows) -> web.StreamResponse:
    """Rows as `name`.csv; days as dd/mm/yyyy."""
    response = _response(f"{name}.csv", "text/csv; charset=utf-8")
    await response.prepare(request)
    buffer = io.StringIO()
    buffer.write(_BOM)
    writer = csv.writer(buffer)
    async for chunk in _chunks(rows):
        writer.writerows([_written(cell) for cell in row] for row in chunk)
        await response.write(_taken(buffer))
    await response.write(_taken(buffer))
    await response.write_eof()
    return response


async def send_xlsx(request: web.Request, name: str, rows: Rows) -> web.StreamResponse:
    """Rows as `name`.xlsx; the book is written to a file that has no name, then sent from it."""
    book = await asyncio.to_thread(_Book)
    with tempfile.TemporaryFile() as file, closing(book):
        async for chunk in _chunks(rows):
            await asyncio.to_thread(book.add, chunk)
        await asyncio.to_thread(book.save, file)
        response = _response(f"{name}.xlsx", _XLSX)
        response.content_length = file.tell()
        file.seek(0)
        await response.prepare(request)
        while part := file.read(_BYTES_A_CHUNK):
            await response.write(part)
        await response.write_eof()
        return response


class _Book:
    """A book that is written row by row; the first row is the heads of each sheet.

    Each sheet is a file until the book is saved; `close` removes those of one that is not, since
    who asked for it may have gone.
    """

    def __init__(self) -> None:
        # It brings a seventh of all that a server imports, for what few of them are asked for.
        from openpyxl import Workbook  # type: ignore[import-untyped]

        self._book = Workbook(write_only=True)
        self._heads: Row | None = None
        self._room = 0

    def add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if self._heads is None:
                self._heads = row
                self._begin_sheet()
                continue
            if self._room == 0:
                self._begin_sheet()
            self._sheet.append([harmless(cell) for cell in row])
            self._room -= 1

    def save(self, file: IO[bytes]) -> None:
        self._book.save(file)
        file.seek(0, io.SEEK_END)

    def close(self) -> None:
        for sheet in self._book.worksheets:
            if not sheet.closed:
                sheet.close()
                sheet._writer.cleanup()

    def _begin_sheet(self) -> None:
        self._sheet = self._book.create_sheet("TSTN")
        self._sheet.freeze_panes = "A2"
        self._sheet.append([harmless(cell) for cell in self._heads or ()])
        self._room = _ROWS_A_SHEET


async def _chunks(rows: Rows) -> AsyncIterator[list[Row]]:
    """So many rows at a time, as they come."""
    chunk: list[Row] = []
    async for row in rows if isinstance(rows, AsyncIterable) else _each(rows):
        chunk.append(row)
        if len(chunk) == _ROWS_A_CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


async def _each(rows: Iterable[Row]) -> AsyncIterator[Row]:
    for row in rows:
        yield row


def _written(cell: Cell) -> Cell:
    return f"{cell:%d/%m/%Y}" if isinstance(cell, date) else harmless(cell)


def _taken(buffer: io.StringIO) -> bytes:
    made = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return made


def _response(file: str, content_type: str) -> web.StreamResponse:
    headers = {
        "Content-Type": content_type,
        "Content-Disposition": f'attachment; filename="{file}"',
    }
    return web.StreamResponse(headers=headers)
