"""The operator's page of a campaign of a million numbers, from a server's first moment on. I/O.

The server is `tstn serve` without an Asterisk: it dials nothing, but looks every tick whether it
could. The page is asked for four times a second, as by an operator who reloads it; the figures of
the campaign are counted beside, for the first time since the start, and then again and again.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from aiohttp import ClientSession, CookieJar
from argon2 import PasswordHasher
from rich.console import Console
from rich.table import Table

from bench.claims import write_back
from bench.page_rows import ATTEMPTS, TARGETS, fill
from domain.clock import utc_now
from domain.roles import Role
from lab.child import Child
from lab.network import Server
from lab.ports import free_ports
from lab.postgres import Postgres
from store import users
from store.engine import open_store
from store.migrate import migrate
from store.users import NewUser

_TARGET_MS = 200.0
_FIRST_SECONDS, _THEN_SECONDS = 15.0, 45.0
_EVERY_SECONDS = 0.25
_PASSWORD = "a password of the bench"


def bench_pages() -> None:
    """Run and print."""
    console = Console(width=120)
    console.print(f"bench of pages: {TARGETS:,} targets, {ATTEMPTS:,} calls\n")
    table = Table(*("", "", "pages", "p50 ms", "max ms", "target max ms"))
    with tempfile.TemporaryDirectory(prefix="tstn-bench-") as directory, Postgres() as postgres:
        for url in (f"sqlite:///{directory}/store.sqlite", postgres.create_database("pages")):
            kind = url.partition(":")[0]
            asyncio.run(prepare(url))
            for when, took in page_times(url, Path(directory) / kind).items():
                ms = sorted(1000 * each for each in took)
                table.add_row(
                    *(kind, when, str(len(ms)), f"{ms[len(ms) // 2]:.0f}", f"{ms[-1]:.0f}"),
                    f"{_TARGET_MS:g}",
                )
    console.print(table)


async def prepare(url: str) -> None:
    """A new store with the campaign, and an operator."""
    store = open_store(url)
    await migrate(store)
    await fill(store)
    hashed = PasswordHasher().hash(_PASSWORD)
    await store.write(users.add, NewUser("mai", "Mai", Role.OPERATOR, hashed), utc_now())
    await store.close()
    await write_back(url)


def page_times(url: str, directory: Path) -> dict[str, Sequence[float]]:
    """Seconds of each page: of a server that has just been started, and of the same one later."""
    sections = {"store": {"url": url}, "log": {"level": "warning"}}
    server = Server(directory, trunk_port=free_ports(1)[0], sections=sections)
    tstn = Path(sys.executable).parent / "tstn"
    command: list[str | Path] = [tstn, "--config", server.settings_file, "serve"]
    child = Child("tstn", command, directory / "tstn.log")
    try:
        return asyncio.run(_watch(f"http://127.0.0.1:{server.settings.console.port}"))
    finally:
        child.kill()


async def _watch(url: str) -> dict[str, Sequence[float]]:
    async with ClientSession(url, cookie_jar=CookieJar(unsafe=True)) as session:
        await _log_in(session, url)
        return {
            "after the start": await _times(session, _FIRST_SECONDS),
            "then": await _times(session, _THEN_SECONDS),
        }


async def _log_in(session: ClientSession, url: str) -> None:
    """As soon as the server answers."""
    while True:
        try:
            page = await (await session.get("/login")).text()
            break
        except OSError:
            await asyncio.sleep(0.05)
    token = page.split('name="csrf" value="')[1].split('"')[0]
    fields = {"csrf": token, "login": "mai", "password": _PASSWORD}
    answer = await session.post("/login", data=fields, headers={"Origin": url})
    answer.raise_for_status()


async def _times(session: ClientSession, seconds: float) -> list[float]:
    took: list[float] = []
    until = time.perf_counter() + seconds
    while (began := time.perf_counter()) < until:
        answer = await session.get("/campaigns/1")
        answer.raise_for_status()
        await answer.read()
        took.append(time.perf_counter() - began)
        await asyncio.sleep(max(0.0, _EVERY_SECONDS - took[-1]))
    return took
