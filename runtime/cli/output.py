"""How a command answers: JSON for programs, plain tables for people. I/O."""

import sys
from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

_WIDE = 1000


def show(arguments: Namespace, data: Any, *readable: Table | str) -> None:
    """Print `data` as JSON where that is asked for, else the readable parts."""
    if arguments.json:
        print(orjson.dumps(data, option=orjson.OPT_INDENT_2, default=str).decode())
        return
    for part in readable:
        print(part if isinstance(part, str) else _lines(part))


def print_line(row: Mapping[str, Any]) -> None:
    """Print one JSON object on a line of its own."""
    sys.stdout.buffer.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


def table(headings: Sequence[str], rows: Iterable[Iterable[Any]]) -> Table:
    """A table without lines, and without a head where there are no headings; None is empty."""
    made = Table(show_header=bool(headings), box=None, pad_edge=False)
    cells = [[_cell(value) for value in row] for row in rows]
    for heading in headings or ("",) * max(map(len, cells), default=0):
        made.add_column(heading, overflow="fold")  # a narrow terminal must not cut anything off
    for line in cells:
        made.add_row(*line)
    return made


def pairs(values: Mapping[str, Any]) -> Table:
    """Names and their values, one pair a line."""
    return table((), values.items())


def warn(text: str) -> None:
    """Tell the user what may not be meant, beside the answer."""
    print("tstn: warning:", text, file=sys.stderr)


def _cell(value: Any) -> str:
    if isinstance(value, bool | list | dict):
        return orjson.dumps(value).decode()
    return "" if value is None else str(value)


def _lines(readable: Table) -> str:
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = _WIDE  # a file or a pipe has no edge at which to cut a cell
    with console.capture() as captured:
        console.print(readable)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())
