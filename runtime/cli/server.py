"""Commands about the server itself: migrate, serve, health, check-config. I/O."""

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from domain.errors import TstnError
from runtime.cli.output import pairs, show
from runtime.settings import Settings, redacted

_HEALTH_SECONDS = 5

# The four need different libraries, each of which takes long to import: every one takes its own.


async def migrate(arguments: Namespace, settings: Settings) -> None:
    """Bring the database to the schema of this version."""
    from store.engine import open_store
    from store.migrate import migrate as apply_missing

    store = open_store(settings.store.url)
    try:
        revision = await apply_missing(store)
    finally:
        await store.close()
    show(arguments, {"revision": revision}, f"the database is at revision {revision}")


def serve(arguments: Namespace, settings: Settings) -> None:
    """Run the server until it is told to stop."""
    from runtime.serve import run

    if arguments.json:
        settings = replace(settings, log=replace(settings.log, format="json"))
    run(settings)


async def health(arguments: Namespace, settings: Settings) -> int:
    """Print what the running server says of itself; exit status 1 if it is not well."""
    from aiohttp import ClientError, ClientSession, ClientTimeout
    from yarl import URL

    where = settings.health
    url = URL.build(scheme="http", host=where.host, port=where.port, path="/health")
    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=_HEALTH_SECONDS)) as session,
            session.get(url) as response,
        ):
            report: dict[str, Any] = await response.json()
    except (ClientError, TimeoutError, ValueError) as error:
        raise TstnError(
            f"no server answers at {url}: start it by `tstn serve`, or set [health] host and port"
        ) from error
    show(arguments, report, pairs(_flat(report)))
    return 0 if report.get("ok") is True else 1


def check_config(arguments: Namespace, settings: Settings) -> None:
    """Print the settings in force; that they could be read is the check."""
    effective = redacted(settings)
    show(arguments, effective, pairs(_flat(effective)))


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as dotted names."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        inner = _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) and value else {}
        flat |= inner or {f"{prefix}{key}": value}
    return flat
