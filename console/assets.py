"""The files a page loads: our own and those of npm, by an explicit list, kept in memory. I/O.

All of them share one hash in their address, so that a browser may keep them for a year, and style
sheets may name their fonts by a relative address.
"""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from aiohttp import web

from domain.errors import ConfigError

NODE_MODULES = Path(__file__).resolve().parent.parent / "node_modules"
_OWN = Path(__file__).resolve().parent / "static"
_FONT = NODE_MODULES / "@fontsource" / "be-vietnam-pro" / "files"
_FONTS = tuple(
    f"be-vietnam-pro-{subset}-{weight}-normal.woff2"
    for subset in ("latin", "latin-ext", "vietnamese")
    for weight in (400, 600)
)
FILES: dict[str, Path] = {
    "campaigns.css": _OWN / "campaigns.css",
    "campaigns.js": _OWN / "campaigns.js",
    "console.css": _OWN / "console.css",
    "console.js": _OWN / "console.js",
    "desk.css": _OWN / "desk.css",
    "desk.js": _OWN / "desk.js",
    "supervise.css": _OWN / "supervise.css",
    "supervise.js": _OWN / "supervise.js",
    "icon.svg": _OWN / "icon.svg",
    "htmx.min.js": NODE_MODULES / "htmx.org" / "dist" / "htmx.min.js",
    "sse.min.js": NODE_MODULES / "htmx-ext-sse" / "dist" / "sse.min.js",
    "uPlot.iife.min.js": NODE_MODULES / "uplot" / "dist" / "uPlot.iife.min.js",
    "uPlot.min.css": NODE_MODULES / "uplot" / "dist" / "uPlot.min.css",
    **{name: _FONT / name for name in _FONTS},
}
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_COMPRESSED = {".woff2"}
_FOR_A_YEAR = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _File:
    content_type: str
    body: bytes
    zipped: bytes | None


class Assets:
    """Raises ConfigError where a file is missing: npm's come by `make setup`."""

    def __init__(self) -> None:
        self._files = {name: _load(path) for name, path in FILES.items()}
        whole = hashlib.sha256(b"".join(file.body for file in self._files.values()))
        self.version = whole.hexdigest()[:16]

    def url(self, name: str) -> str:
        """The address of a file in a page; KeyError for one that is not on the list."""
        self._files[name]
        return f"/static/{self.version}/{name}"

    async def serve(self, request: web.Request) -> web.Response:
        """One file. An address of an older version gets the present one, which is not kept."""
        file = self._files.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound
        is_present = request.match_info["version"] == self.version
        headers = {
            "Content-Type": file.content_type,
            "Cache-Control": _FOR_A_YEAR if is_present else "no-store",
            "Vary": "Accept-Encoding",
        }
        if file.zipped is None or "gzip" not in request.headers.get("Accept-Encoding", ""):
            return web.Response(body=file.body, headers=headers)
        return web.Response(body=file.zipped, headers=headers | {"Content-Encoding": "gzip"})


@cache
def _load(path: Path) -> _File:
    try:
        body = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"the console has no {path.name} ({error.strerror}): run `make setup`"
        ) from error
    zipped = None if path.suffix in _COMPRESSED else gzip.compress(body, mtime=0)
    return _File(_TYPES[path.suffix], body, zipped)
