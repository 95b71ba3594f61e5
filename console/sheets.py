"""Tables as files for spreadsheets: CSV and XLSX, sent row by row and harmless when opened. I/O.

A text that a spreadsheet would take for a formula gets an apostrophe before it. Numbers of phones
are texts, as their leading zero would be lost; the UTF-8 of a CSV is told by its first bytes.
"""

import asyncio
import csv
import io
import tempfile
from collections.abc import Iterable, Sequence
from datetime import date
from typing import IO

from aiohttp import web
from openpyxl import Workbook  # type: ignore[import-untyped]

Cell = str | int | float | date | None
Row = Sequence[Cell]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_BOM = "\ufeff"
_ROWS_A_CHUNK = 500
_BYTES_A_CHUNK = 65536
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def harmless(cell: Cell) -> Cell:
    """The cell, and a text never as a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


async def send_csv(request: web.Request, name: str, rows: Iterable[Row]) -> web.StreamResponse:
    """Rows as `name`.csv; days as dd/mm/yyyy."""
    response = _response(f"{name}.csv", "text/csv; charset=utf-8")
    await response.prepare(request)
    buffer = io.StringIO()
    buffer.write(_BOM)
    writer = csv.writer(buffer)
    for number, row in enumerate(rows, start=1):
        writer.writerow([_written(cell) for cell in row])
        if number % _ROWS_A_CHUNK == 0:
            await response.write(_taken(buffer))
    await response.write(_taken(buffer))
    await response.write_eof()
    return response


async def send_xlsx(request: web.Request, name: str, rows: Iterable[Row]) -> web.StreamResponse:
    """Rows as `name`.xlsx; the book is written to a file that has no name, then sent from it."""
    with tempfile.TemporaryFile() as file:
        await asyncio.to_thread(_write_book, file, rows)
        response = _response(f"{name}.xlsx", _XLSX)
        response.content_length = file.tell()
        file.seek(0)
        await response.prepare(request)
        while chunk := file.read(_BYTES_A_CHUNK):
            await response.write(chunk)
        await response.write_eof()
        return response


def _write_book(file: IO[bytes], rows: Iterable[Row]) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("TSTN")
    sheet.freeze_panes = "A2"
    for row in rows:
        sheet.append([harmless(cell) for cell in row])
    book.save(file)
    file.seek(0, io.SEEK_END)


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
