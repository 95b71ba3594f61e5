"""Files of numbers: brought into a campaign, and listed. I/O.

The body goes to a file as it comes, so that a million rows take no memory. Numbers are never added
twice: what was cut off is simply sent again.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import BadHttpMessage

from console.api import answers
from console.api.bearer import bearer
from console.api.campaigns import found
from console.api.operation import Brought
from console.api.problems import Refused
from console.api.route import CSV_TYPE, FORM_TYPE, given
from console.api.schema import OfImport, PageAsked
from console.api.setting import IN_HAND, operation_of
from console.api.writes import answer, answered, asked_once, write
from console.parts import parts
from domain.errors import InputError
from domain.states import CampaignState
from store import api_lists, imports
from store.models import Campaign, Import
from store.tokens import Asked

MOST_BYTES = 512 * 2**20
_CHUNK = 2**18
_BROKEN = (ValueError, AssertionError, BadHttpMessage, web.RequestPayloadError, ConnectionError)
"""What aiohttp raises where parts do not follow one another; an assertion is among it."""
_NAME = re.compile(r"[\w][\w .-]{0,79}")


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


async def import_numbers(request: web.Request) -> web.StreamResponse:
    """Add the numbers of a CSV file, or of an XLSX one, which comes as the file of a form."""
    campaign = await found(request)
    if campaign.state == CampaignState.STOPPED:
        raise Refused(HTTPStatus.CONFLICT, "the campaign is stopped, it takes no more numbers")
    with TemporaryDirectory(prefix="tstn-import-") as folder:
        name, chunks = await _sent(request)
        file = Path(folder) / name
        asked = await asked_once(request, await _receive(chunks, file))
        before = await answered(request, asked)
        return before or await _once(request, campaign, file, asked)


async def get_rejects(request: web.Request) -> web.StreamResponse:
    """The rows that an import refused, as CSV, as long as they are kept."""
    brought = await _import_of(request)
    path = parts(request).audiences.rejects.of(brought.id)
    if path is None:
        raise Refused(HTTPStatus.NOT_FOUND, "no refused rows of this import are kept")
    return web.FileResponse(path, headers={"Content-Type": f"{CSV_TYPE}; charset=utf-8"})


async def undo_import(request: web.Request) -> web.StreamResponse:
    """Remove the numbers that an import brought, as long as none of them had a contact."""
    campaign, brought = await found(request, OfImport), await _import_of(request)
    try:
        removed = await operation_of(request).undo(brought.id)
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


async def _once(
    request: web.Request, campaign: Campaign, file: Path, asked: Asked | None
) -> web.Response:
    """Bring the file in, unless a request with the same key does that just now."""
    by = f"token {bearer(request).name}"
    with _in_hand(request, asked):
        brought = await operation_of(request).bring_in(campaign.id, file, by)
        kept = parts(request).audiences.rejects
        await asyncio.to_thread(kept.take, brought.import_id, brought.rejects)
        return await _told(request, campaign, file.name, brought, asked)


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
    rejected = sum(brought.reasons.values())
    imported = answers.Imported(
        id=brought.import_id,
        campaign=campaign.name,
        file_name=name,
        added=brought.added,
        rejected=rejected,
        reasons=dict(brought.reasons),
        notes=dict(brought.notes),
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
        added=brought.added,
        rejected=rejected,
    )


async def _sent(request: web.Request) -> tuple[str, AsyncIterator[bytes]]:
    """The name of the file that is sent, and its bytes as they come."""
    if request.content_type == CSV_TYPE:
        return "audience.csv", request.content.iter_chunked(_CHUNK)
    if request.content_type != FORM_TYPE:
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send the file as {CSV_TYPE} or {FORM_TYPE}"
        )
    with _broken_is_told():
        form = await request.multipart()
        async for part in form:
            if isinstance(part, BodyPartReader) and part.filename is not None:
                return _plain(part.filename), _chunks(form, part)
    raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "the form has no file")


async def _chunks(form: MultipartReader, part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(_CHUNK):
        yield chunk
    await form.next()  # ValueError unless a boundary ends the part: it was cut off


async def _receive(chunks: AsyncIterator[bytes], file: Path) -> str:
    """Write the bytes to the file; gives their hash. Raises Refused: empty, or too large."""
    received, size = sha256(), 0
    with _broken_is_told(), file.open("wb") as opened:
        async for chunk in chunks:
            size += len(chunk)
            if size > MOST_BYTES:
                raise web.HTTPRequestEntityTooLarge(MOST_BYTES, size)
            received.update(chunk)
            opened.write(chunk)
    if not size:
        raise Refused(HTTPStatus.BAD_REQUEST, "the file is empty")
    return received.hexdigest()


@contextmanager
def _broken_is_told() -> Iterator[None]:
    """Raises Refused for a form without a boundary, with odd heads, or cut off; so for a body."""
    try:
        yield
    except _BROKEN:
        raise Refused(HTTPStatus.BAD_REQUEST, "the body is broken or was cut off") from None


def _plain(name: str) -> str:
    """The name without folders, where it is a plain one; else another that ends like it."""
    last = name.replace("\\", "/").rpartition("/")[2]
    if _NAME.fullmatch(last):
        return last
    return "audience.xlsx" if last.casefold().endswith(".xlsx") else "audience.csv"
