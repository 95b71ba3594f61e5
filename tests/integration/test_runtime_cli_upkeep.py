"""`tstn migrate`, `backup`, `restore` and `audience contacted` as an operator types them. I/O."""

import asyncio
import shutil
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection

from domain.clock import utc_now
from lab.ports import free_ports
from runtime.health import serve_health
from store import migrate as migrations
from store.engine import open_store
from store.revision import head
from tests.command_line import Tstn, make_directory, no_metrics
from tests.rows import claim_some, make_campaign, numbers


@pytest.fixture
def tstn(tmp_path: Path, migrated_file: Path) -> Tstn:
    """A migrated store, and a server that is nowhere."""
    made = make_directory(tmp_path)
    made.environment["TSTN_HEALTH_PORT"] = str(free_ports(1)[0])
    (tmp_path / "var").mkdir()
    shutil.copy(migrated_file, tmp_path / "var" / "tstn.sqlite")
    return made


def url_of(tstn: Tstn) -> str:
    return f"sqlite:///{tstn.directory}/var/tstn.sqlite"


async def put_back(tstn: Tstn, revision: str) -> None:
    """As the version before left it."""

    def down(connection: Connection) -> None:
        config = migrations._config()
        config.attributes["connection"] = connection
        command.downgrade(config, revision)

    store = open_store(url_of(tstn))
    await store.write(down)
    await store.close()


def test_a_migration_waits_until_the_server_is_stopped(tstn: Tstn) -> None:
    asyncio.run(put_back(tstn, "0010"))
    port = int(tstn.environment["TSTN_HEALTH_PORT"])

    async def beside_a_server() -> tuple[str, str, int]:
        report = {"ok": True, "calls": 2}
        runner = await serve_health("127.0.0.1", port, lambda: report, no_metrics)
        process = tstn.start("migrate")
        out, err = await asyncio.to_thread(process.communicate)
        await runner.cleanup()
        return out, err, process.returncode

    out, err, status = asyncio.run(beside_a_server())
    assert (out, status) == ("", 1)
    assert err.startswith(f"tstn: a server runs (127.0.0.1:{port}, 2 live calls): stop it first")
    assert tstn.json("migrate") == {"revision": head()}


def test_a_migration_waits_for_calls_of_a_server_that_died(tstn: Tstn) -> None:
    async def dial() -> None:
        store = open_store(url_of(tstn))
        campaign = await make_campaign(store, numbers(1), due=utc_now())
        await claim_some(store, campaign, now=utc_now())
        await store.close()

    asyncio.run(dial())
    assert tstn.json("migrate") == {"revision": head()}  # there is nothing to migrate
    asyncio.run(put_back(tstn, "0010"))
    assert tstn.error("migrate").startswith("1 calls may still be live, at the latest until ")


def test_a_store_of_a_newer_version_is_left_alone(tstn: Tstn) -> None:
    async def from_the_future() -> None:
        store = open_store(url_of(tstn))
        await store.write(
            lambda it: it.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        )
        await store.close()

    asyncio.run(from_the_future())
    assert "newer version" in tstn.error("migrate")


def test_backup_restore_and_who_was_contacted_since(tstn: Tstn) -> None:
    asyncio.run(two_numbers(tstn))
    answer = tstn.json("backup", "kept")
    assert (answer["kind"], answer["revision"]) == ("sqlite", head())
    assert "schema" in tstn("backup", "again")
    assert tstn.error("restore", "kept").startswith("the store is not empty, ")
    told = tstn("restore", "kept", "--overwrite")
    assert "campaigns that ran, paused now          mekong" in told
    assert "tstn audience contacted FILE" in told
    assert "tell who was contacted" in tstn.error("campaign", "start", "mekong")
    other_columns = tstn.write("other.csv", "at,calling,called\n2026,9090,0900000000\n")
    assert "no number in 2 of 2 rows, first in line 1" in tstn.error(
        "audience", "contacted", other_columns
    )
    assert "tell who was contacted" in tstn.error("campaign", "start", "mekong")
    records = tstn.write("records.csv", "msisdn\n0900000000\n12\n0900000009\n")
    assert tstn.json("audience", "contacted", records, "--leave-out-unreadable") == {
        "numbers": 2,
        "counted": 1,
        "unreadable": 1,
    }
    again = tstn.json("audience", "contacted", records, "--leave-out-unreadable")
    assert again["counted"] == 0
    assert "no prompts" in tstn.error("campaign", "start", "mekong")  # that is all that is missing
    attempts = tstn.lines("export", "attempts", "--campaign", "mekong")
    assert [(row["node"], row["disposition"]) for row in attempts] == [("outside", "unknown")]
    assert "attempt dialled" in tstn("timeline", "0900000000")


async def two_numbers(tstn: Tstn) -> None:
    store = open_store(url_of(tstn))
    await make_campaign(store, numbers(2))
    await store.close()


def test_nobody_was_contacted_since(tstn: Tstn) -> None:
    asyncio.run(two_numbers(tstn))
    assert "was not restored" in tstn.error("audience", "contacted", tstn.write("none.csv", ""))
    tstn("backup", "kept")
    for _ in range(2):  # a second restore asks anew
        tstn("restore", "kept", "--overwrite")
        assert "tell who" in tstn.error("campaign", "start", "mekong")
        assert tstn.json("audience", "contacted", "none.csv")["counted"] == 0
        assert "no prompts" in tstn.error("campaign", "start", "mekong")
