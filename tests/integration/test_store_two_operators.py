"""Two operators change the same thing at the same moment: neither change is lost. I/O."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection

from dialer.campaign_file import read_tuning
from runtime.cli import campaign as campaign_commands
from runtime.cli import limits as limits_commands
from store import campaign_changes, campaigns, limits
from store.engine import Store
from store.limits import GLOBAL, Caps
from tests.locks import held_open, waits_for_lock
from tests.rows import NOW, claim_some, make_campaign, numbers

pytestmark = pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)

DEFAULTS = Caps(5, 50)


async def both(store: Store, url: str, change: Callable[..., Any], one: Any, two: Any) -> None:
    """The second one comes while the first is not committed yet."""
    async with held_open(store, change, *one):
        second = asyncio.create_task(store.write(change, *two))
        await waits_for_lock(url)
    await second


@pytest.mark.parametrize("are_set", [False, True])
async def test_limits_of_one_scope(store: Store, store_url: str, are_set: bool) -> None:
    if are_set:
        await store.write(limits.put, GLOBAL, DEFAULTS, NOW)
    one, two = ((GLOBAL, [pair], DEFAULTS) for pair in ("cps=10", "channels=80"))
    await both(store, store_url, limits_commands._change, one, two)
    assert (await store.read(limits.read))[GLOBAL] == Caps(10, 80)
    assert await store.write(limits.revert, GLOBAL, NOW) == Caps(10, 50)


async def test_retry_rules_of_one_campaign(store: Store, store_url: str) -> None:
    before = (await make_campaign(store)).retry
    one, two = (
        ("mekong", [f"retry.{disposition}.delay_seconds=777"])
        for disposition in ("busy", "no_answer")
    )
    await both(store, store_url, campaign_commands._tune, one, two)
    after = (await store.read(campaigns.by_name, "mekong")).retry
    changed = {name for name, rule in after.items() if rule != before[name]}
    assert changed == {"busy", "no_answer"}


async def test_a_revert_tells_what_it_found(store: Store, store_url: str) -> None:
    await make_campaign(store, cps=5.0)

    def tune(connection: Connection, *pairs: str) -> None:
        row = campaigns.to_change(connection, "mekong")
        campaigns.tune(connection, row, read_tuning(pairs, retry=row.retry), NOW)

    def revert(connection: Connection) -> dict[str, Any]:
        row = campaigns.to_change(connection, "mekong")
        return campaign_changes.revert(connection, row, NOW)

    async with held_open(store, tune, "cps=8"):
        reverting = asyncio.create_task(store.write(revert))
        await waits_for_lock(store_url)
    assert await reverting == {"cps": 5.0}


async def test_calls_go_on_meanwhile(store: Store) -> None:
    campaign = await make_campaign(store, numbers(1))
    async with held_open(store, campaign_commands._tune, "mekong", ["cps=8"]), asyncio.timeout(5):
        assert await claim_some(store, campaign)
