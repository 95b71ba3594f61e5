"""A store that is backed up, lost and restored, for tests. I/O."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from domain.clock import utc_now
from domain.states import PostKind
from lab.ports import free_ports
from runtime.backup.restoring import Restored, restore
from runtime.health import serve_health
from runtime.settings import HealthSettings, Settings, SpoolSettings, StoreSettings
from store import outbox
from store.engine import Store, open_store
from store.migrate import migrate
from tests.command_line import no_metrics
from tests.rows import NOW, claim_some, make_campaign, numbers
from tests.texts import new_post


def settings_for(store_url: str, directory: Path) -> Settings:
    """Of a store that is not there yet, and a server that is nowhere."""
    return Settings(
        directory,
        store=StoreSettings(store_url),
        spool=SpoolSettings(directory / "spool.sqlite"),
        health=HealthSettings(port=free_ports(1)[0]),
    )


@asynccontextmanager
async def opened(settings: Settings, program: str = "tstn") -> AsyncIterator[Store]:
    store = open_store(settings.store.url, program)
    try:
        await migrate(store)
        yield store
    finally:
        await store.close()


async def destroy(settings: Settings) -> None:
    """The disk is lost, with the spool on it."""
    url = settings.store.url
    for file in settings.root.glob("*.sqlite*"):
        file.unlink()
    if url.startswith("postgresql"):
        store = open_store(url)
        await store.write(lambda it: it.exec_driver_sql("DROP SCHEMA public CASCADE"))
        await store.write(lambda it: it.exec_driver_sql("CREATE SCHEMA public"))
        await store.close()


async def back(settings: Settings, directory: Path, *, overwrite: bool = False) -> Restored:
    return await restore(settings, directory, utc_now(), overwrite=overwrite)


async def fill(store: Store) -> None:
    """A campaign that runs, two of its five numbers being called; one text is due, one is not."""
    campaign = await make_campaign(store, numbers(5))
    await claim_some(store, campaign, limit=2)
    later = utc_now() + timedelta(days=1)
    posts = [
        new_post(kind=PostKind.INVITATION, once="due", campaign_id=campaign.id),
        new_post(kind=PostKind.INVITATION, once="later", campaign_id=campaign.id, not_before=later),
    ]
    await store.write(outbox.post, posts, NOW)


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[None]:
    runner = await serve_health(
        "127.0.0.1", settings.health.port, lambda: {"ok": True, "calls": 3}, no_metrics
    )
    try:
        yield
    finally:
        await runner.cleanup()
