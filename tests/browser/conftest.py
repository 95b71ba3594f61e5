"""Fixtures of the browser tests: a console with people in its store, and Debian's Chromium. I/O.

async def test_something(desk: Rig, browsing: Browsing) -> None:
    page = await browsing.logged_in(Role.AGENT)
    await page.goto(desk.path("/health"))
    await browsing.shoot(page, "health")        # both sizes, into var/screenshots/
    await browsing.assert_accessible(page)
"""

from collections.abc import AsyncIterator

import pytest

from domain.clock import utc_now
from store.engine import Store, open_store
from tests.browsing import Browsing, chromium
from tests.consoles import Rig, console


@pytest.fixture
async def store(migrated_file, tmp_path) -> AsyncIterator[Store]:  # type: ignore[no-untyped-def]
    """An SQLite store: what a page shows does not depend on the database."""
    path = tmp_path / "store.sqlite"
    path.write_bytes(migrated_file.read_bytes())
    opened = open_store(f"sqlite:///{path}")
    yield opened
    await opened.close()


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[Rig]:
    """A console whose clock is the real one, as the browser's."""
    async with console(store, clock=utc_now) as rig:
        yield rig


@pytest.fixture
async def browsing(desk: Rig) -> AsyncIterator[Browsing]:
    """A browser that looks at `desk`."""
    async with chromium() as browser:
        opened = Browsing(browser, desk)
        yield opened
        await opened.close()
