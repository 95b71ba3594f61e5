"""What the running server says of itself, asked over HTTP. I/O."""

from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from domain.errors import TstnError
from runtime.settings import Settings

_PATIENCE_SECONDS = 5


class NoServer(TstnError):
    """No server answers where the settings say that it does."""


async def ask_health(settings: Settings) -> dict[str, Any]:
    """The report of `/health`. Raises NoServer."""
    where = settings.health
    url = URL.build(scheme="http", host=where.host, port=where.port, path="/health")
    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=_PATIENCE_SECONDS)) as session,
            session.get(url) as response,
        ):
            report = await response.json()
    except (ClientError, TimeoutError, ValueError) as error:
        raise _no_server(url) from error
    if not isinstance(report, dict):
        raise _no_server(url)
    return report


def _no_server(url: URL) -> NoServer:
    return NoServer(
        f"no server answers at {url}: start it by `tstn serve`, or set [health] host and port"
    )
