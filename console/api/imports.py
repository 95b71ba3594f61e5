"""Files of numbers: looked at, brought into a campaign, and listed. I/O.

Numbers are never added twice: what was cut off is simply sent again.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import web

from console import audience_port
from console.api import import_answers as answers
from console.api.bearer import bearer
from console.api.campaigns import found
from console.api.problems import Refused
from console.api.route import CSV_TYPE, given
from console.api.schema import ImportAsked, OfImport, PageAsked
from console.api.setting import IN_HAND
from console.api.uploads import receive
from console.api.writes import answer, answered, asked_once, write
from console.audience_port import Brought
from console.parts import parts
from domain.errors import InputError
from domain.states import CampaignState
from store import api_lists, audit, imports
from store.audit import Act
from store.models import Campaign, Import
from store.tokens import Asked

_NOTES = frozenset({"unknown_province", "unknown_district", "also_in_other_campaigns"})
"""What is counted of rows that are added all the same."""


async def list_imports(request: web.Request) -> web.StreamResponse:
    """The files that were brought into a campaign, the oldest first."""
    campaign, asked = await found(request), given(request, PageAsked)
    rows = await parts(request).store.read(
        api_lists.imports_after, campaign.id, asked.after or 0, asked.limit
    )
    items = [
        answers.Import.model_validate({name: row[name] for name in answers.Import.model_fields})
        for row in rows
    ]
    following = items[-1].id if len(items) == asked.limit else None
    return answer(answers.ImportPage(items=items, next=following))


async def preview_import(request: web.Request) -> web.StreamResponse:
    """What an import of a file would do: its columns, first rows, rows by verdict; a dry run."""
    campaign, options = await _open_campaign(request), _options(request)
    with _folder(request) as folder:
        file, _ = await receive(request, Path(folder))
        importer = parts(request).audiences.importer
        with _by_its_name(file):
            look = await importer.look(campaign.id, file, options, _unheard)
        reasons, notes = _sorted_out(look.counts)
        return answer(
            answers.ImportLook(
                file_name=file.name,
                columns=[
                    answers.SeenColumn(name=name, taken_for=role) for name, role in look.columns
                ],
                rows=[
                    answers.SeenRow(line=row.line, cells=list(row.cells), problem=row.problem)
                    for row in look.rows
                ],
                added=look.counts["added"],
                rejected=sum(reasons.values()),
                reasons=reasons,
                notes=notes,
            )
        )


async def import_numbers(request: web.Request) -> web.StreamResponse:
    """Add the numbers of a CSV file, or of an XLSX one, which comes as the file of a form."""
    campaign, options = await _open_campaign(request), _options(request)
    with _folder(request) as folder:
        file, body = await receive(request, Path(folder))
        asked = await asked_once(request, body)
        before = await answered(request, asked)
        return before or await _once(request, campaign, file, options, asked)


async def get_rejects(request: web.Request) -> web.StreamResponse:
    """The rows that an import refused, as CSV, as long as they are kept."""
    campaign, brought = await found(request, OfImport), await _import_of(request)
    it, who = parts(request), bearer(request)
    path = it.audiences.rejects.of(brought.id)
    if path is None:
        raise Refused(HTTPStatus.NOT_FOUND, "no refused rows of this import are kept")
    told = {"kind": "rejects", "import_id": brought.id}
    act = Act("campaign_exported", who.user_id, campaign.name, token_id=who.id, data=told)
    await it.store.write(audit.add, act, it.clock())
    return web.FileResponse(path, headers={"Content-Type": f"{CSV_TYPE}; charset=utf-8"})


async def undo_import(request: web.Request) -> web.StreamResponse:
    """Remove the numbers that an import brought, as long as none of them had a contact."""
    campaign, brought = await found(request, OfImport), await _import_of(request)
    try:
        removed = await parts(request).audiences.importer.undo(brought.id)
    except InputError as error:
        raise Refused(HTTPStatus.CONFLICT, str(error)) from None
    undone = answers.Undone(id=brought.id, removed=removed)
    return await write(
        request,
        "audience_undone",
        lambda connection: undone,
        lambda made: made,
        subject=campaign.name,
        file=brought.file_name,
        import_id=brought.id,
    )


async def _import_of(request: web.Request) -> Import:
    """The import of the address. Raises Refused where the campaign has none such."""
    campaign, number = await found(request, OfImport), given(request, OfImport).number
    try:
        brought = await parts(request).store.read(imports.by_id, number)
    except InputError:
        brought = None
    if brought is None or brought.campaign_id != campaign.id:
        raise Refused(HTTPStatus.NOT_FOUND, "the campaign has no such import")
    return brought


async def _open_campaign(request: web.Request) -> Campaign:
    """The campaign of the address. Raises Refused where it takes no more numbers."""
    campaign = await found(request)
    if campaign.state == CampaignState.STOPPED:
        raise Refused(HTTPStatus.CONFLICT, "the campaign is stopped, it takes no more numbers")
    return campaign


def _folder(request: web.Request) -> TemporaryDirectory[str]:
    """For one upload: gone at the end of the request; of a server that dies, at its next start."""
    return TemporaryDirectory(prefix="api.audience.", dir=parts(request).setting.uploads)


@contextmanager
def _by_its_name(file: Path) -> Iterator[None]:
    """Raises InputError as it comes, but not with the folder of the file."""
    try:
        yield
    except InputError as error:
        raise InputError(str(error).replace(str(file), file.name)) from None


def _options(request: web.Request) -> audience_port.Asked:
    """How the file is to be brought in. Raises InputError for a moment that is none."""
    asked = given(request, ImportAsked)
    importer = parts(request).audiences.importer
    return audience_port.Asked(
        importer.extracted_at(asked.extracted_at or ""),
        asked.require_eligibility,
        asked.skip_other_campaigns,
    )


async def _once(
    request: web.Request,
    campaign: Campaign,
    file: Path,
    options: audience_port.Asked,
    asked: Asked | None,
) -> web.Response:
    """Bring the file in, unless a request with the same key does that just now."""
    by, jobs = f"token {bearer(request).name}", parts(request).audiences
    refused = file.with_name(f"{file.stem}.rejects.csv")
    with _in_hand(request, asked), _by_its_name(file):
        brought = await jobs.importer.bring(
            campaign.id, file, file.name, refused, options, _unheard, by
        )
        await asyncio.to_thread(jobs.rejects.take, brought.import_id, refused)
        return await _told(request, campaign, file.name, brought, asked)


def _unheard(read: int, of: int) -> None:
    """A program hears of no progress: it waits for the answer."""


def _sorted_out(counts: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """Rows refused by reason, and what is noted of rows that are added."""
    notes = {word: count for word, count in counts.items() if word in _NOTES}
    reasons = {word: n for word, n in counts.items() if word != "added" and word not in notes}
    return reasons, notes


@contextmanager
def _in_hand(request: web.Request, asked: Asked | None) -> Iterator[None]:
    """Raises Refused where the key is in hand already."""
    if asked is None:
        yield
        return
    in_hand, key = request.config_dict[IN_HAND], (asked.token_id, asked.key)
    if key in in_hand:
        raise Refused(HTTPStatus.CONFLICT, "this file is being brought in: ask again later")
    in_hand.add(key)
    try:
        yield
    finally:
        in_hand.discard(key)


async def _told(
    request: web.Request, campaign: Campaign, name: str, brought: Brought, asked: Asked | None
) -> web.Response:
    reasons, notes = _sorted_out(brought.counts)
    added, rejected = brought.counts["added"], sum(reasons.values())
    imported = answers.Imported(
        id=brought.import_id,
        campaign=campaign.name,
        file_name=name,
        added=added,
        rejected=rejected,
        reasons=reasons,
        notes=notes,
    )
    return await write(
        request,
        "audience_imported",
        lambda connection: imported,
        lambda made: made,
        subject=campaign.name,
        status=HTTPStatus.CREATED,
        asked=asked,
        file=name,
        added=added,
        rejected=rejected,
    )
