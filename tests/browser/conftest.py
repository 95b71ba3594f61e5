"""Fixtures of the browser tests: a console with people in its store, and Debian's Chromium. I/O.

async def test_something(desk: Rig, browsing: Browsing) -> None:
    page = await browsing.logged_in(Role.AGENT)
    await page.goto(desk.path("/health"))
    await browsing.shoot(page, "health")        # both sizes, into var/screenshots/
    await browsing.assert_accessible(page)
"""

import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from domain.clock import utc_now
from store.engine import Store, open_store
from tests.browsing import Browsing, chromium
from tests.consoles import Rig, console

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """One loop for all of them: a browser belongs to the loop that started it."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, started once. Each test has windows of its own in it, which share nothing."""
    async with chromium() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def store(migrated_file: Path, tmp_path: Path) -> AsyncIterator[Store]:
    """An SQLite store: what a page shows does not depend on the database."""
    shutil.copy(migrated_file, tmp_path / "store.sqlite")
    opened = open_store(f"sqlite:///{tmp_path}/store.sqlite")
    yield opened
    await opened.close()


@pytest_asyncio.fixture(loop_scope="session")
async def desk(store: Store) -> AsyncIterator[Rig]:
    """A console whose clock is the real one, as the browser's."""
    async with console(store, clock=utc_now) as rig:
        yield rig


@pytest_asyncio.fixture(loop_scope="session")
async def browsing(browser: Browser, desk: Rig) -> AsyncIterator[Browsing]:
    """Windows that look at `desk`."""
    opened = Browsing(browser, desk)
    yield opened
    await opened.close()
