"""The command that brings numbers in: audience import. I/O."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import Progress as Bar

from domain.clock import utc_now
from runtime.audience_import import Progress, count_lines, import_audience, rejects_beside
from runtime.cli.opened_store import opened_store
from runtime.cli.output import pairs, show
from runtime.settings import Settings


async def load(arguments: Namespace, settings: Settings) -> None:
    """Import one file into one campaign."""
    file: Path = arguments.file
    rejects: Path = arguments.rejects or rejects_beside(file)
    async with opened_store(settings) as store:
        with _progress(file) as progress:
            report = await import_audience(
                store, arguments.campaign, file, rejects, utc_now, progress
            )
    rejects_file = str(report.rejects) if report.rejected else None
    show(
        arguments,
        asdict(report) | {"rejected": report.rejected, "rejects": rejects_file},
        pairs(
            {
                "added": report.added,
                "refused": report.rejected,
                "  can't be read": report.unreadable,
                "  twice in the file": report.twice_in_file,
                "  in the campaign already": report.in_campaign,
                "refused rows are in": rejects_file or "no file, there are none",
            }
        ),
    )


@contextmanager
def _progress(file: Path) -> Iterator[Progress]:
    """A bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda line: None
        return
    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(file.name, total=count_lines(file))
        yield lambda line: bar.update(task, completed=line)
