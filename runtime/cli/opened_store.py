"""The store as a command has it: open, of the right schema, closed at the end. I/O."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runtime.settings import Settings
from store.engine import Store, open_store
from store.revision import require_current


@asynccontextmanager
async def opened_store(settings: Settings) -> AsyncIterator[Store]:
    """Raises ConfigError for another schema, StoreUnavailable where it can't be reached."""
    store = open_store(settings.store.url)
    try:
        await require_current(store)
        yield store
    finally:
        await store.close()
