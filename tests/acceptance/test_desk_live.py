"""Key 3 to a talk, key 1 to an address: real phones, the real server, both desks. I/O."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page
from sqlalchemy import Connection, select

from domain.msisdn import national
from lab.behaviours import numbers_for
from lab.listen import hear, read_samples
from lab.phones import Manner
from store.models import Address, Attempt, Base, Callback, CallbackAttempt, table
from tests.acceptance.rehearsal import CAMPAIGN, NO_RETRIES, Rehearsal, Server
from tests.browsing import chromium

[SUBSCRIBER], [ASKER] = numbers_for("press-1", 1), numbers_for("press-3", 1)
PASSWORD = "một mật khẩu dài"
TALK_SECONDS = 6
_PATIENCE_SECONDS = 30.0


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory, short_prompts: Path) -> Iterator[Rehearsal]:
    directory = tmp_path_factory.mktemp("desk")
    with Rehearsal(
        directory,
        recording=True,
        prompts=short_prompts,
        talking={national(SUBSCRIBER): 200, national(ASKER): 200},
        phones=("agent1",),
        sections={"callbacks": {"agents_hours": ["00:00-24:00"]}},
    ) as running:
        (directory / "password").write_text(PASSWORD)
        for login, role, more in (
            ("mai", "agent", ("--phone", "agent1")),
            ("lan", "supervisor", ()),
        ):
            running.tstn(
                *("user", "add", login, "--role", role, "--name", login.title()),
                *("--password-file", directory / "password", *more),
            )
        yield running


def rows(rehearsal: Rehearsal, row: type[Base]) -> list[dict[str, Any]]:
    def read(connection: Connection) -> list[dict[str, Any]]:
        return [dict(each) for each in connection.execute(select(table(row))).mappings()]

    return rehearsal.read(read)


async def logged_in(browser: Browser, url: str, login: str) -> Page:
    context = await browser.new_context(locale="vi-VN")
    context.set_default_timeout(_PATIENCE_SECONDS * 1000)
    page = await context.new_page()
    await page.goto(f"{url}/login")
    await page.fill("#login", login)
    await page.fill("#password", PASSWORD)
    await page.press("#password", "Enter")
    await page.wait_for_selector("form[action='/logout']")
    return page


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.1)


def test_key_3_becomes_a_talk_and_key_1_a_confirmed_address(rehearsal: Rehearsal) -> None:
    rehearsal.network.phones.tell("agent1", Manner.ANSWER, talk_seconds=TALK_SECONDS)
    rehearsal.load([SUBSCRIBER, ASKER], start=False, **NO_RETRIES)
    server = rehearsal.serve()
    server.until_ready()
    asyncio.run(at_the_desks(rehearsal, server))
    [asked] = [row for row in rows(rehearsal, Attempt) if row["msisdn"] == ASKER]
    assert (asked["disposition"], asked["queue_outcome"]) == ("answered", "connected")
    assert asked["queue_joined_at"] < asked["queue_connected_at"] < asked["queue_left_at"]
    talked = asked["queue_left_at"] - asked["queue_connected_at"]
    assert TALK_SECONDS - 2 < talked.total_seconds() < TALK_SECONDS + 5
    [callback] = rows(rehearsal, Callback)
    assert (callback["state"], callback["outcome"]) == ("done", "confirmed")
    assert [row["hamlet"] for row in rows(rehearsal, Address)] == ["Phước Nguơn"]
    [call] = rows(rehearsal, CallbackAttempt)
    assert call["disposition"] == "answered"
    assert call["agent_answered_at"] <= call["subscriber_answered_at"] <= call["ended_at"]
    assert heard(rehearsal) == ({SUBSCRIBER}, {"agent1"})
    server.terminate()
    assert server.exit_status(30) == 0
    assert "Traceback" not in rehearsal.log()


async def at_the_desks(rehearsal: Rehearsal, server: Server) -> None:
    url = f"http://127.0.0.1:{rehearsal.network.settings.console.port}"
    async with chromium() as browser:
        agent = await logged_in(browser, url, "mai")
        await agent.click("#duty-on")
        await until(lambda: (server.health()["queue_9090"]["view"] or {}).get("free_agents"))
        await asyncio.to_thread(rehearsal.tstn, "campaign", "start", CAMPAIGN)
        await asyncio.to_thread(rehearsal.until_finished, 60)
        supervisor = await logged_in(browser, url, "lan")
        await supervisor.wait_for_selector("#queue tbody tr")
        await agent.click("#next")
        await agent.wait_for_selector("#call-button")
        await agent.click("#call-button")
        await agent.wait_for_selector(".call-live")
        await until(lambda: any(row["ended_at"] for row in rows(rehearsal, CallbackAttempt)))
        await agent.wait_for_selector("#call-state:not(.call-live)")
        for field, words in {
            "province": "Vĩnh Long",
            "district": "Long Hồ",
            "ward": "Phước Hậu",
            "hamlet": "Phước Nguơn",
            "landmark": "chợ Long Hồ",
        }.items():
            await agent.fill(f"#{field}", words)
        await agent.click("[value=confirmed]")
        await agent.wait_for_selector("text=Đã ghi kết quả")
        await supervisor.wait_for_selector("#queue tbody tr", state="detached")
        await browser.close()


def heard(rehearsal: Rehearsal) -> tuple[set[str], set[str]]:
    """Whose voices the agent heard, and the subscriber in the second call."""
    phones, carrier = rehearsal.network.phones, rehearsal.carrier
    number = national(SUBSCRIBER)
    voices = {
        "agent1": read_samples(phones.voice("agent1")),
        SUBSCRIBER: read_samples(carrier.voice(number)),
    }
    by_agent, by_subscriber = phones.recordings("agent1")[-1], carrier.recordings(number)[-1]
    return (
        {one.name for one in hear(read_samples(by_agent), voices)},
        {one.name for one in hear(read_samples(by_subscriber), voices)},
    )
