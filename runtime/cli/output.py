"""How a command answers: JSON for programs, plain tables for people. I/O."""

import sys
from argparse import Namespace
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

_WIDE = 1000


def show(arguments: Namespace, data: Any, *readable: Table | str) -> None:
    """Print `data` as JSON where that is asked for, else the readable parts."""
    if arguments.json:
        text = orjson.dumps(data, option=orjson.OPT_INDENT_2, default=str)
        print(text.decode())
        return
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = _WIDE  # a file or a pipe has no edge at which to cut a cell
    for part in readable:
        console.print(part, soft_wrap=isinstance(part, str))


def print_line(row: Mapping[str, Any]) -> None:
    """Print one JSON object on a line of its own."""
    sys.stdout.buffer.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


def table(headings: Iterable[str], rows: Iterable[Iterable[Any]]) -> Table:
    """A table without lines; None is an empty cell."""
    made = Table(*headings, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        made.add_row(*("" if cell is None else str(cell) for cell in row))
    return made


def pairs(values: Mapping[str, Any]) -> Table:
    """Names and their values, one pair a line."""
    made = table(("", ""), values.items())
    made.show_header = False
    return made


def warn(text: str) -> None:
    """Tell the user what may not be meant, beside the answer."""
    print("tstn: warning:", text, file=sys.stderr)
