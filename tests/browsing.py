"""Chromium before a console: pages by role, pictures in both sizes, axe. I/O.

Pictures go to var/screenshots/NAME-WIDTH.png; look at them after a change of the look.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from console.assets import NODE_MODULES
from domain.roles import Role
from lab.network import CHECKOUT
from tests.consoles import PASSWORD, Rig

CHROMIUM = "/usr/bin/chromium-headless-shell"
SCREENSHOTS = CHECKOUT / "var" / "screenshots"
LAPTOP, PHONE = (1366, 768), (390, 844)
AXE = NODE_MODULES / "axe-core" / "axe.min.js"
_PATIENCE_MS = 10_000
_SEVERE = {"serious", "critical"}


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Debian's own without its windows, which takes a third less time; tests may run as root."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        await browser.close()


class Browsing:
    """Windows on one console; what a page complains of fails the test that looks at it."""

    def __init__(self, browser: Browser, rig: Rig) -> None:
        self.rig = rig
        self.complaints: list[str] = []
        self._browser = browser
        self._contexts: list[BrowserContext] = []

    async def close(self) -> None:
        """Close all windows; a script's error or a breach of the CSP is a failure."""
        for context in self._contexts:
            await context.close()
        assert not self.complaints, self.complaints

    async def page(self, *, dark: bool = False, **more: Any) -> Page:
        """A window of somebody new."""
        context = await self._browser.new_context(
            viewport={"width": LAPTOP[0], "height": LAPTOP[1]},
            color_scheme="dark" if dark else "light",
            locale="vi-VN",
            **more,
        )
        context.set_default_timeout(_PATIENCE_MS)
        self._contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._heard)
        return page

    async def logged_in(self, role: Role, **more: Any) -> Page:
        """A window of the role's person, at its first page."""
        page = await self.page(**more)
        await page.goto(self.rig.path("/login"))
        await page.fill("#login", role.value)
        await page.fill("#password", PASSWORD)
        await page.press("#password", "Enter")
        await page.wait_for_selector("form[action='/logout']")
        return page

    async def shoot(self, page: Page, name: str) -> list[Path]:
        """A picture of the whole page in both sizes; nothing may stick out sideways."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        made = []
        for width, height in (PHONE, LAPTOP):
            await page.set_viewport_size({"width": width, "height": height})
            await page.evaluate("document.fonts.ready")
            over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await page.evaluate(over) <= 0, f"{name} is wider than {width}"
            file = SCREENSHOTS / f"{name}-{width}.png"
            await page.screenshot(path=file, full_page=True)
            made.append(file)
        return made

    async def assert_accessible(self, page: Page) -> None:
        """Axe finds nothing serious or critical."""
        await page.evaluate(AXE.read_text(encoding="utf-8"))
        found = await page.evaluate("axe.run()")
        severe = [
            f"{violation['id']}: {node['html']} {node['failureSummary']}"
            for violation in found["violations"]
            if violation["impact"] in _SEVERE
            for node in violation["nodes"]
        ]
        assert severe == []

    def _heard(self, message: Any) -> None:
        # A page that is refused or not there is logged too; tests look at those by themselves.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)


async def press_until(page: Page, key: str, selector: str, most: int = 40) -> None:
    """Press a key until the focus is on `selector`: what a keyboard alone can reach."""
    for _ in range(most):
        await page.keyboard.press(key)
        reached = "s => document.activeElement !== null && document.activeElement.matches(s)"
        if await page.evaluate(reached, selector):
            return
    raise AssertionError(f"{selector} is not reached by {most} times {key}")
