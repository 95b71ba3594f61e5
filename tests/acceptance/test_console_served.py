"""The console as the real server serves it: an account by `tstn`, a login, its pages. I/O."""

import asyncio
from pathlib import Path
from time import monotonic

from aiohttp import ClientSession, CookieJar

from tests.acceptance.rehearsal import Rehearsal, until

PASSWORD = "một mật khẩu dài"
_A_PAGE_SECONDS = 1.0  # 100 ms where the machine has nothing else to do


async def walk(url: str) -> dict[str, float]:
    """Log in, and time each page."""
    seconds = {}
    async with ClientSession(url, cookie_jar=CookieJar(unsafe=True)) as session:
        page = await (await session.get("/login")).text()
        token = page.split('name="csrf" value="')[1].split('"')[0]
        fields = {"csrf": token, "login": "mai", "password": PASSWORD}
        began = monotonic()
        answer = await session.post("/login", data=fields, headers={"Origin": url})
        seconds["login"] = monotonic() - began
        assert answer.status == 200
        assert answer.url.path == "/numbers"
        for path in ("/numbers", "/health", "/users", "/audit"):
            began = monotonic()
            answer = await session.get(path)
            await answer.read()
            seconds[path] = monotonic() - began
            assert answer.status == 200, path
        assert "Asterisk" in await (await session.get("/health")).text()
    return seconds


def test_the_server_serves_its_pages(tmp_path: Path, short_prompts: Path) -> None:
    with Rehearsal(tmp_path, prompts=short_prompts) as rehearsal:
        (tmp_path / "password").write_text(PASSWORD)
        rehearsal.tstn(
            *("user", "add", "mai", "--role", "administrator", "--name", "Nguyễn Thị Mai"),
            *("--password-file", tmp_path / "password"),
        )
        server = rehearsal.serve()
        server.until_ready()
        url = f"http://127.0.0.1:{rehearsal.network.settings.console.port}"
        seconds = asyncio.run(walk(url))
        print({path: f"{taken * 1000:.0f} ms" for path, taken in seconds.items()})
        assert max(seconds.values()) < _A_PAGE_SECONDS, seconds
        server.terminate()
        until(lambda: not server.is_running(), 20, rehearsal.log)
        assert "Traceback" not in rehearsal.log()
