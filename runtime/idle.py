"""Whether servers are at work on a store that is to be changed beneath them. I/O."""

from datetime import datetime

from domain.clock import to_local
from domain.errors import InputError
from runtime.asked_server import NoServer, ask_health
from runtime.settings import Settings
from store import attempts, serving
from store.engine import Store, open_store

_STOP = "stop it first (`systemctl stop tstn`, or SIGTERM: it lets live calls end)"


async def require_no_server(settings: Settings) -> None:
    """Raises InputError where one answers here, or one anywhere has the database open."""
    await _require_none_here(settings)
    if settings.store.url.startswith("postgresql"):
        store = open_store(settings.store.url)
        try:
            await _require_none_connected(store)
        finally:
            await store.close()


async def require_drained(settings: Settings, store: Store, now: datetime) -> None:
    """Raises InputError where a server runs, or calls that one began may still be live."""
    await _require_none_here(settings)
    await _require_none_connected(store)
    count, until = await store.read(attempts.still_live, now)
    if until is not None:
        raise InputError(
            f"{count} calls may still be live, at the latest until {to_local(until):%H:%M:%S}: "
            "wait, or start the version before once more, which ends them"
        )


async def _require_none_here(settings: Settings) -> None:
    try:
        report = await ask_health(settings)
    except NoServer:
        return
    where = f"{settings.health.host}:{settings.health.port}"
    raise InputError(f"a server runs ({where}, {report.get('calls', 0)} live calls): {_STOP}")


async def _require_none_connected(store: Store) -> None:
    if count := await store.read(serving.connections):
        raise InputError(f"a server has the database open ({count} connections): {_STOP}")
