"""Our server at one rate: a campaign through `tstn serve`, counted in the store. I/O."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import aiohttp
from sqlalchemy import Connection, func, select

from bench.network import Bench, bench_network
from bench.trial import Trial
from domain.clock import utc_now
from domain.states import CampaignState
from lab.child import Child
from store import audience, campaigns
from store.audience import NewTarget
from store.engine import Store, open_store
from store.migrate import migrate
from store.models import Attempt, Callback, Registration

_NAME = "bench"


def our_server(
    directory: Path,
    name: str,
    rate: float,
    seconds: float,
    store_url: str | None,
    driver: str = "ari",
    *,
    more: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    texters: Iterable[int] = (),
    meanwhile: Callable[[], None] = lambda: None,
) -> Trial:
    """Offer `rate` calls a second for `seconds` as one campaign; every call registers.

    `more` sections of settings; `texters` are numbers (+84 9…, as counted from 0) that a campaign
    which is not dialled invites; `meanwhile` runs in a thread while the calls do.
    """
    sections: dict[str, dict[str, Any]] = {
        **{section: dict(values) for section, values in more.items()},
        "ivr": {"driver": driver},
        "dialer": {"cps": 1000.0, "max_channels": 20000},
        "log": {"level": "warning"},
    }
    if store_url is not None:
        sections["store"] = {"url": store_url}
    offered = round(rate * seconds)
    with bench_network(directory, sections) as bench:
        trying = _campaign(bench, directory, name, rate, offered, texters, meanwhile)
        return asyncio.run(trying)


async def _campaign(
    bench: Bench,
    directory: Path,
    name: str,
    rate: float,
    offered: int,
    texters: Iterable[int],
    meanwhile: Callable[[], None],
) -> Trial:
    store = open_store(bench.server.settings.store.url)
    await migrate(store)
    campaign_id = await _prepare(store, _NAME, rate, range(offered))
    await _prepare(store, f"{_NAME}, texts", rate, texters)
    tstn = Path(sys.executable).parent / "tstn"
    command: list[str | Path] = [tstn, "--config", bench.server.settings_file, "serve"]
    server = Child("tstn", command, directory / "tstn.log")
    health = f"http://127.0.0.1:{bench.server.settings.health.port}/health"
    server.wait_ready(lambda: _is_ok(health), 20)
    cpu = (bench.asterisk.cpu_seconds(), server.cpu_seconds())
    beside = asyncio.create_task(asyncio.to_thread(meanwhile))
    await _start_and_await_end(store)
    await beside
    statistics = await asyncio.to_thread(bench.subscribers.finish)
    spent = (bench.asterisk.cpu_seconds() - cpu[0], server.cpu_seconds() - cpu[1])
    report = await _health(health)
    done, span = await store.read(_counts, campaign_id)
    server.kill()
    await store.close()
    return Trial(
        name=name,
        rate=rate,
        offered=offered,
        done=min(done, statistics.successful),
        started_per_second=offered / (span + 1 / rate),
        asterisk_ms=spent[0] / offered * 1000,
        ours_ms=spent[1] / offered * 1000,
        latencies={key: report[key] for key in ("key_1_to_committed", "key_1_to_thanks")},
    )


async def _prepare(store: Store, name: str, rate: float, numbers: Iterable[int]) -> int:
    now = utc_now()
    values = {
        "name": name,
        "purpose": "customer_care",
        "script_version": "vi-1",
        "cps": rate,
        "max_channels": 20000,
        "ring_timeout_seconds": 30,
        "max_attempts": 1,
        "retry": {},
        "windows": ["00:00-24:00"],
        "call_on_holidays": True,
    }
    campaign = await store.write(campaigns.create, values, now)
    await store.write(audience.add, campaign.id, [_target(n) for n in numbers], now)
    return campaign.id


def _target(number: int) -> NewTarget:
    msisdn = f"+849{number:08d}"
    return NewTarget(msisdn=msisdn, province=None, district=None, list_no=None, attributes={})


async def _start_and_await_end(store: Store) -> None:
    campaign = await store.read(campaigns.by_name, _NAME)
    await store.write(campaigns.move, campaign, CampaignState.RUNNING, utc_now())
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        await asyncio.sleep(1)
        if (await store.read(campaigns.by_name, _NAME)).state == CampaignState.FINISHED:
            return
    raise TimeoutError("the campaign did not finish within three minutes")


def _counts(connection: Connection, campaign_id: int) -> tuple[int, float]:
    """Registrations with a call-back, and the seconds from the first dial to the last."""
    done = connection.scalar(
        select(func.count())
        .select_from(Registration)
        .join(Callback, Callback.registration_id == Registration.id)
        .where(Registration.campaign_id == campaign_id)
    )
    first, last = connection.execute(
        select(func.min(Attempt.started_at), func.max(Attempt.started_at))
    ).one()
    return int(done or 0), (last - first).total_seconds()


async def _health(url: str) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        report: dict[str, Any] = await response.json()
        return report


def _is_ok(url: str) -> bool:
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
