"""How the lines of a check are shown. I/O."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from runtime.check_lines import CheckLine, fails
from runtime.cli.output import show, table


def show_lines(arguments: Namespace, lines: Sequence[CheckLine]) -> int:
    """Print the lines, or JSON; give the exit status: 1 if any of them fails."""
    failed = fails(lines)
    data = {"ok": not failed, "lines": [asdict(line) for line in lines]}
    show(arguments, data, table((), _rows(lines)))
    return 1 if failed else 0


def _rows(lines: Sequence[CheckLine]) -> Iterator[tuple[str, str, str]]:
    """A row a line, and one below it with what to do."""
    for line in lines:
        yield line.verdict, line.name, line.says
        if line.todo:
            yield "", "", f"→ {line.todo}"
