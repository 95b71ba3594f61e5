"""The commands that bring numbers in: audience import, imports, undo. I/O."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.progress import Progress as Bar

from console.places import read_places
from dialer.audience_workbook import WORKBOOKS
from dialer.extraction import read_extracted_at
from domain.clock import utc_now
from domain.errors import InputError
from runtime.audience_import import Progress, count_lines, import_audience, rejects_beside
from runtime.audience_report import ImportOptions
from runtime.audience_undo import undo_import
from runtime.cli.acts import operator
from runtime.cli.audience_view import import_data, imports_table, readable_report
from runtime.cli.opened_store import opened_store
from runtime.cli.output import show, warn
from runtime.settings import Settings
from store import campaigns, imports


async def load(arguments: Namespace, settings: Settings) -> None:
    """Import one file into one campaign, or say what would come of it."""
    file: Path = arguments.file
    options = _options(arguments, settings)
    rejects: Path | None = arguments.rejects
    if rejects is None and not options.dry_run:
        rejects = rejects_beside(file)
    async with opened_store(settings) as store:
        with _progress(file) as progress:
            report = await import_audience(
                store, arguments.campaign, file, rejects, utc_now, progress, options
            )
    rejects_file = str(report.rejects) if report.rejects and report.rejected else None
    data = {"import_id": report.import_id, "dry_run": options.dry_run, "rejects": rejects_file}
    show(arguments, data | report.counts(), readable_report(report, rejects_file))
    if report.also_in_other_campaigns:
        warn(
            f"{report.also_in_other_campaigns} of the numbers are in other campaigns too: "
            "--skip-other-campaigns refuses such"
        )


async def list_all(arguments: Namespace, settings: Settings) -> None:
    """List a campaign's imports."""
    async with opened_store(settings) as store:
        campaign = await store.read(campaigns.by_name, arguments.campaign)
        found = await store.read(imports.of_campaign, campaign)
    show(arguments, [import_data(each) for each in found], imports_table(found))


async def undo(arguments: Namespace, settings: Settings) -> None:
    """Undo one import."""
    async with opened_store(settings) as store:
        removed = await undo_import(store, arguments.import_id, utc_now)
    told = f"import {arguments.import_id} is undone: {removed} numbers were removed"
    show(arguments, {"import_id": arguments.import_id, "removed": removed}, told)


def _options(arguments: Namespace, settings: Settings) -> ImportOptions:
    return ImportOptions(
        by=operator(),
        extracted_at=_extracted_at(arguments.extracted_at),
        require_eligibility=arguments.require_eligibility,
        skip_other_campaigns=arguments.skip_other_campaigns,
        dry_run=arguments.dry_run,
        places=read_places(settings.console.districts),
        erasure_key=settings.law.erasure_key,
    )


def _extracted_at(written: str | None) -> datetime | None:
    at = read_extracted_at(written or "")
    if at is not None and at > utc_now():
        raise InputError(f"--extracted-at {written} lies in the future")
    return at


@contextmanager
def _progress(file: Path) -> Iterator[Progress]:
    """A bar on a terminal, nothing elsewhere; how long a workbook is nobody knows before."""
    if not sys.stderr.isatty():
        yield lambda line: None
        return
    total = None if file.suffix.casefold() in WORKBOOKS else count_lines(file)
    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(file.name, total=total)
        yield lambda line: bar.update(task, completed=line)
