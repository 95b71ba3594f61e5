"""Backup and restore on both databases: whole or not at all, and not beneath a server. I/O."""

import asyncio
import hashlib
import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from alembic import command
from sqlalchemy import Connection, text

from domain.clock import utc_now
from domain.errors import ConfigError, InputError, StoreUnavailable, TstnError
from domain.states import CampaignState
from runtime.backup import manifest, postgres_dump
from runtime.backup.making import make
from runtime.idle import require_drained
from runtime.settings import Settings, SpoolSettings, StoreSettings
from store import migrate as migrations
from store.engine import open_store
from store.models import Campaign, Target
from store.revision import current_revision, head, require_current, require_known
from store.serving import SERVER
from tests.backups import back, destroy, fill, opened, serving, settings_for
from tests.rows import all_rows, claim_some, make_campaign, numbers

ON_POSTGRESQL = pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)


@pytest.fixture
def settings(store_url: str, tmp_path: Path) -> Settings:
    return settings_for(store_url, tmp_path)


async def test_a_backup_is_of_one_moment_while_others_write(
    settings: Settings, tmp_path: Path
) -> None:
    async with opened(settings) as store:

        async def write() -> None:
            for number in range(10_000):
                await make_campaign(store, numbers(20), name=f"c{number}")

        writing = asyncio.create_task(write())
        await asyncio.sleep(0)
        while len(await all_rows(store, Campaign)) < 3:
            pass
        before = len(await all_rows(store, Campaign))
        await make(settings, tmp_path / "kept", utc_now())
        after = len(await all_rows(store, Campaign))
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    await back(settings, tmp_path / "kept", overwrite=True)
    async with opened(settings) as store:
        count = len(await all_rows(store, Campaign))
        assert before <= count <= after + 1
        assert len(await all_rows(store, Target)) == 20 * count


async def test_a_store_with_rows_is_replaced_only_when_asked_to(
    settings: Settings, tmp_path: Path
) -> None:
    async with opened(settings) as store:
        await make(settings, tmp_path / "empty", utc_now())
        await fill(store)
    with pytest.raises(InputError, match="campaigns has rows: --overwrite"):
        await back(settings, tmp_path / "empty")
    async with opened(settings) as store:
        assert len(await all_rows(store, Target)) == 5
    await back(settings, tmp_path / "empty", overwrite=True)
    await back(settings, tmp_path / "empty", overwrite=True)  # the event of the restore is a row
    async with opened(settings) as store:
        assert await all_rows(store, Target) == []


async def test_an_older_backup_is_brought_to_this_version(
    settings: Settings, tmp_path: Path
) -> None:
    async with opened(settings) as store:
        await make_campaign(store, numbers(3))
        await store.write(down_to, "0010")
        await make(settings, tmp_path / "old", utc_now())
    await destroy(settings)
    assert (await back(settings, tmp_path / "old")).manifest.revision == "0010"
    async with opened(settings) as store:
        assert await current_revision(store) == head()
        assert len(await all_rows(store, Target)) == 3


def down_to(connection: Connection, revision: str) -> None:
    config = migrations._config()
    config.attributes["connection"] = connection
    command.downgrade(config, revision)


async def test_what_is_no_backup_of_ours_changes_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    kept, spoilt = tmp_path / "kept", tmp_path / "spoilt"
    async with opened(settings) as store:
        await fill(store)
        await make(settings, kept, utc_now())
        targets = await all_rows(store, Target)
    other = {"sqlite": "postgresql", "postgresql": "sqlite"}[manifest.read(kept).kind]
    for said, complaint in (
        ({"revision": "9999"}, "newer than this version"),
        ({"kind": other}, f"of a store in {other}"),
        ({"format": 2}, "another format"),
        ({"files": {"../spool.sqlite": {"bytes": 1, "sha256": ""}}}, "is damaged"),
        ({"made_at": "yesterday"}, "is damaged"),
    ):
        shutil.copytree(kept, spoilt)
        change(spoilt, **said)
        await refused(settings, spoilt, complaint)
        shutil.rmtree(spoilt)
    await refused(settings, tmp_path / "none", "is no backup")
    for name, spoil in (
        ("store", lambda file: file.write_bytes(file.read_bytes()[:-1])),
        ("store", lambda file: flip(file)),
        ("store", Path.unlink),
        ("manifest", lambda file: file.write_text("{")),
        ("manifest", Path.unlink),
    ):
        shutil.copytree(kept, spoilt)
        [file] = spoilt.glob(f"{name}.*")
        spoil(file)
        await refused(settings, spoilt, "manifest" if name == "manifest" else "take another")
        shutil.rmtree(spoilt)
    async with opened(settings) as store:
        assert await all_rows(store, Target) == targets


async def test_a_store_that_can_not_be_loaded_to_its_end_leaves_the_one_that_stands(
    settings: Settings, tmp_path: Path
) -> None:
    """The checksum is right, the content is not."""
    kept = tmp_path / "kept"
    async with opened(settings) as store:
        await fill(store)
        await make(settings, kept, utc_now())
        targets = await all_rows(store, Target)
    [file] = kept.glob("store.*")
    file.write_bytes(file.read_bytes()[: -(file.stat().st_size // 3)])
    sums = {"bytes": file.stat().st_size, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    change(kept, files={file.name: sums})
    with pytest.raises(TstnError):
        await back(settings, kept, overwrite=True)
    async with opened(settings) as store:
        await require_current(store)
        assert await all_rows(store, Target) == targets
        [campaign] = await all_rows(store, Campaign)
        assert campaign["state"] == CampaignState.RUNNING
    assert left_over(tmp_path) == []


def left_over(directory: Path) -> list[str]:
    """What is made ready beside its place has a name that begins with a dot."""
    return [file.name for file in directory.iterdir() if file.name.startswith(".")]


async def refused(settings: Settings, directory: Path, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as raised:
        await back(settings, directory, overwrite=True)
    assert "\n" not in str(raised.value)


def change(directory: Path, **said: Any) -> None:
    file = directory / manifest.FILE
    file.write_text(json.dumps(json.loads(file.read_text()) | said))


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


async def test_a_backup_does_not_write_over_another(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no store|no tables"):
        await make(settings, tmp_path / "kept", utc_now())
    assert not (tmp_path / "kept").exists()
    async with opened(settings):
        await make(settings, tmp_path / "kept", utc_now())
        with pytest.raises(InputError, match="exists already"):
            await make(settings, tmp_path / "kept", utc_now())
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o700
    assert left_over(tmp_path) == []


async def test_no_store_is_replaced_beneath_a_server(settings: Settings, tmp_path: Path) -> None:
    async with opened(settings, SERVER) as store:
        await make(settings, tmp_path / "kept", utc_now())
        await store.read(lambda connection: None)
        with pytest.raises(InputError, match="stop"):
            await back(settings, tmp_path / "kept", overwrite=True)
    async with serving(settings):
        with pytest.raises(InputError, match=r"a server runs .*, 3 live calls.*stop"):
            await back(settings, tmp_path / "kept", overwrite=True)
    await back(settings, tmp_path / "kept", overwrite=True)


@ON_POSTGRESQL
async def test_a_password_is_on_no_command_line(settings: Settings, tmp_path: Path) -> None:
    password = settings.store.url.split(":")[2].partition("@")[0]
    seen: list[list[str]] = []
    really = subprocess.run

    def run(command: list[str], **more: Any) -> Any:
        seen.append(command)
        return really(command, **more)

    async with opened(settings) as store:
        await fill(store)
        with patch.object(postgres_dump.subprocess, "run", run):
            await make(settings, tmp_path / "kept", utc_now())
    with patch.object(postgres_dump.subprocess, "run", run):
        await back(settings, tmp_path / "kept", overwrite=True)
    assert [Path(command[0]).name for command in seen] == ["pg_dump", "pg_restore", "psql"]
    assert password not in str(seen)
    wrong = Settings(tmp_path, store=StoreSettings(settings.store.url.replace(password, "x")))
    with pytest.raises(InputError, match="password authentication failed"):
        await asyncio.to_thread(postgres_dump.save, wrong.store.url, tmp_path)


async def test_a_migration_waits_for_servers_and_calls(settings: Settings) -> None:
    async with opened(settings) as store:
        now = utc_now()
        await require_drained(settings, store, now)
        async with serving(settings):
            with pytest.raises(InputError, match=r"a server runs .* stop it first"):
                await require_drained(settings, store, now)
        campaign = await make_campaign(store, numbers(2), due=now)
        await claim_some(store, campaign, limit=2, now=now)
        with pytest.raises(InputError, match="2 calls may still be live"):
            await require_drained(settings, store, now)
        await require_drained(settings, store, now + timedelta(minutes=10))
    async with opened(settings, SERVER) as server:
        await server.read(lambda connection: None)
        later = now + timedelta(minutes=10)
        if settings.store.url.startswith("postgresql"):
            with pytest.raises(InputError, match="a server has the database open"):
                await require_drained(settings, server, later)
        else:
            await require_drained(settings, server, later)


def test_a_damaged_store_is_not_backed_up_as_if_it_were_whole(tmp_path: Path) -> None:
    file = tmp_path / "store.sqlite"
    with closing(sqlite3.connect(file)) as made:
        made.execute("CREATE TABLE alembic_version (version_num TEXT)")
        made.execute("INSERT INTO alembic_version VALUES ('0001')")
        made.execute("CREATE TABLE t (a TEXT)")
        made.executemany("INSERT INTO t VALUES (?)", [("x" * 500,)] * 200)
        made.commit()
    content = bytearray(file.read_bytes())
    content[12_000:16_000] = b"\xff" * 4000
    file.write_bytes(content)
    settings = Settings(
        tmp_path,
        store=StoreSettings(f"sqlite:///{file}"),
        spool=SpoolSettings(tmp_path / "none"),
    )
    with pytest.raises(InputError, match=r"damaged|can't be copied"):
        asyncio.run(make(settings, tmp_path / "kept", utc_now()))
    assert not (tmp_path / "kept").exists()


async def test_a_newer_store_is_not_migrated(settings: Settings) -> None:
    async with opened(settings) as store:
        await store.write(
            lambda it: it.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        )
    with pytest.raises(ConfigError, match="newer version"):
        require_known("9999")


@ON_POSTGRESQL
async def test_of_a_dump_that_postgresql_does_not_take_nothing_is_left(
    settings: Settings, tmp_path: Path
) -> None:
    async with opened(settings) as store:
        await fill(store)
        await make(settings, tmp_path / "kept", utc_now())
        targets = await all_rows(store, Target)
    in_the_way = postgres_dump._EMPTY + "CREATE TABLE public.campaigns (id int);"
    with (
        patch.object(postgres_dump, "_EMPTY", in_the_way),
        pytest.raises(InputError, match='"campaigns" already exists'),
    ):
        await back(settings, tmp_path / "kept", overwrite=True)
    async with opened(settings) as store:
        await require_current(store)
        assert await all_rows(store, Target) == targets


@ON_POSTGRESQL
async def test_no_server_starts_on_a_dump_that_is_loaded_and_not_made_safe(
    settings: Settings, tmp_path: Path
) -> None:
    async with opened(settings) as store:
        await fill(store)
        await make(settings, tmp_path / "kept", utc_now())
    with (
        patch("runtime.backup.restoring.calm", side_effect=StoreUnavailable("cut off")),
        pytest.raises(StoreUnavailable),
    ):
        await back(settings, tmp_path / "kept", overwrite=True)
    cut_off = open_store(settings.store.url)
    with pytest.raises(ConfigError, match="tstn migrate"):
        await require_current(cut_off)
    await cut_off.close()
    await back(settings, tmp_path / "kept", overwrite=True)
    async with opened(settings) as store:
        await require_current(store)
        assert [row["state"] for row in await all_rows(store, Campaign)] == ["paused"]


def test_what_only_a_newer_postgresql_knows_is_left_out_of_a_dump(tmp_path: Path) -> None:
    script = tmp_path / "dump.sql"
    before = "SET lock_timeout = 0;\nSET transaction_timeout = 0;\nSET xmloption = content;\n"
    script.write_text(before)
    postgres_dump.leave_out_new_setting(script)
    assert script.read_text() == before.replace("SET tr", "--  tr")
    postgres_dump.leave_out_new_setting(script)
    assert script.read_text() == before.replace("SET tr", "--  tr")
