"""A file that a program sends: as the body, or as the file of a form. I/O.

It goes to the disk as it comes, so that a million rows take no memory.
"""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import BadHttpMessage

from console.api.problems import Refused
from console.api.route import CSV_TYPE, FORM_TYPE

MOST_BYTES = 512 * 2**20
_CHUNK = 2**18
_BROKEN = (ValueError, AssertionError, BadHttpMessage, web.RequestPayloadError, ConnectionError)
"""What aiohttp raises where parts do not follow one another; an assertion is among it."""
_NAME = re.compile(r"[\w][\w .-]{0,79}")


async def receive(request: web.Request, folder: Path) -> tuple[Path, str]:
    """Keep the file that is sent under its own name; gives it with its hash.

    Raises Refused: it is none, is empty, was cut off; or HTTPRequestEntityTooLarge.
    """
    name, chunks = await _sent(request)
    return folder / name, await _receive(chunks, folder / name)


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
