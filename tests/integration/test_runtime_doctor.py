"""`tstn doctor` where it has to look: databases, files, disks, limits, SMSCs, a server. I/O."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from domain.clock import utc_now
from domain.states import CampaignState, ContactScope, Purpose
from lab.ports import free_ports
from lab.postgres import Postgres
from lab.smsc.account_file import write_account_file
from lab.smsc.process import SmscProcess
from runtime.check_lines import CheckLine, Verdict
from runtime.doctor import clock, database, do_not_call, open_files, prompts, smpp
from runtime.health import serve_health
from runtime.settings import Settings, StoreSettings
from runtime.settings_load import load_settings
from store import do_not_call as lists
from store.engine import Store, open_store
from store.migrate import migrate
from tests.command_line import TSTN, Tstn, make_directory, no_metrics
from tests.rows import make_campaign

OK, WARN, FAIL = Verdict.OK, Verdict.WARN, Verdict.FAIL
Line = dict[str, Any]


@pytest.fixture
def tstn(tmp_path: Path) -> Tstn:
    """Only a settings file, whose server is nowhere."""
    made = make_directory(tmp_path)
    made.environment["TSTN_HEALTH_PORT"] = str(free_ports(1)[0])
    return made


def settings_of(tstn: Tstn, **environment: str) -> Settings:
    return load_settings(
        tstn.directory / "config" / "tstn.toml", {**tstn.environment, **environment}
    )


def examined(tstn: Tstn, prefix: Sequence[str] = (), **environment: str) -> dict[str, Line]:
    """The lines of the command as a program, by name; `prefix` runs before it."""
    ran = subprocess.run(
        [*prefix, str(TSTN), "--config", "config/tstn.toml", "doctor", "--json"],
        cwd=tstn.directory,
        env={**tstn._environment(), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stdout, ran.stderr
    answer = json.loads(ran.stdout)
    failed = any(line["verdict"] == "fail" for line in answer["lines"])
    assert (answer["ok"], ran.returncode) == (not failed, int(failed))
    return {line["name"]: line for line in answer["lines"]}


async def of_database(url: str) -> dict[str, CheckLine]:
    settings = Settings(Path(), store=StoreSettings(url))
    async with database.looked_at(settings) as (lines, store):
        assert (store is not None) == all(line.verdict is OK for line in lines)
        return {line.name: line for line in lines}


async def test_a_database_that_is_well(store: Store, store_url: str) -> None:
    lines = await of_database(store_url)
    assert [line.verdict for line in lines.values()] == [OK, OK]
    assert "answers in" in lines["database"].says
    assert lines.keys() == {"database", "schema"}


async def test_a_database_without_tables(store_url: str) -> None:
    made = open_store(store_url)
    await made.read(lambda connection: None)
    await made.close()
    lines = await of_database(store_url)
    assert (lines["database"].verdict, lines["schema"].verdict) == (OK, FAIL)
    assert "tstn migrate" in lines["schema"].todo


async def test_a_database_of_a_newer_version(store: Store, store_url: str) -> None:
    def set_revision(connection: Any, revision: str) -> None:
        connection.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": revision})

    await store.write(set_revision, "9999")
    lines = await of_database(store_url)
    await migrate_back(store)
    assert lines["schema"].verdict is FAIL
    assert "newer" in lines["schema"].says


async def migrate_back(store: Store) -> None:
    """The database is used again by other tests."""
    from store.revision import head

    await store.write(
        lambda connection: connection.execute(
            text("UPDATE alembic_version SET version_num = :to"), {"to": head()}
        )
    )
    await migrate(store)


async def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    [port] = free_ports(1)
    lines = await of_database(f"postgresql://tstn:secret-word@127.0.0.1:{port}/tstn")
    assert lines["database"].verdict is FAIL
    assert "start the database" in lines["database"].todo
    lines = await of_database(f"sqlite:///{tmp_path}/none.sqlite")
    assert lines["database"].verdict is FAIL
    assert not (tmp_path / "none.sqlite").exists()  # a look makes nothing


async def test_a_store_that_can_not_be_one() -> None:
    lines = await of_database("mysql://tstn@127.0.0.1/tstn")
    assert (lines["database"].verdict, lines["database"].todo) == (FAIL, "correct [store] url")


async def test_a_password_is_not_shown(postgres: Postgres) -> None:
    url = postgres.create_database("doctor")
    lines = await of_database(url)
    assert lines["database"].verdict is OK
    assert url.split(":")[2].partition("@")[0] not in str(lines)


async def test_the_clock_of_the_database(store: Store) -> None:
    for shift, verdict in ((0, OK), (2, WARN), (3600, FAIL)):
        *_, line = await clock.look(store, lambda: utc_now() + timedelta(seconds=shift))  # noqa: B023
        is_sqlite = "SQLite" in line.says
        assert line.verdict is (OK if is_sqlite else verdict)
    *_, line = await clock.look(None, utc_now)
    assert line.verdict is WARN


async def test_do_not_call_lists(store: Store) -> None:
    now = utc_now()
    assert (await do_not_call.look(None, 30, now)).verdict is WARN
    assert (await do_not_call.look(store, 30, now)).verdict is WARN
    await make_campaign(store, purpose=Purpose.ADVERTISING, state=CampaignState.RUNNING)
    assert (await do_not_call.look(store, 30, now)).verdict is FAIL
    scope = ContactScope.ALL
    made = await store.write(lists.begin, scope, "list.csv", "lan", now)
    await store.write(lists.add, made, scope, ["+84901234567"])
    await store.write(lists.complete, made, scope, 1, now)
    assert (await do_not_call.look(store, 30, now)).verdict is OK
    later = now + timedelta(days=31)
    assert (await do_not_call.look(store, 30, later)).verdict is FAIL


def test_prompts(tstn: Tstn) -> None:
    [absent] = prompts.look(settings_of(tstn))
    assert (absent.verdict, absent.todo) == (FAIL, "run `tstn prompts build`")
    tstn("prompts", "build")
    [built] = prompts.look(settings_of(tstn))
    assert (built.name, built.verdict) == ("prompts vi-1", OK)
    folder = tstn.directory / "var" / "prompts" / "vi-1"
    (folder / "offer.alaw").write_bytes(b"")
    (folder / "close.wav").unlink()
    [spoilt] = prompts.look(settings_of(tstn))
    assert spoilt.verdict is FAIL
    assert "close.wav is missing" in spoilt.says
    assert "offer.alaw is empty" in spoilt.says
    assert "run `" not in spoilt.says
    [wrong] = prompts.look(settings_of(tstn, TSTN_IVR_SCRIPT="none.toml"))
    assert (wrong.name, wrong.verdict) == ("prompts", FAIL)


def test_a_host_whose_zone_is_another_one(tstn: Tstn) -> None:
    assert examined(tstn)["time zone"]["verdict"] == "ok"
    zones = tstn.directory / "zones"
    (zones / "Asia").mkdir(parents=True)
    shutil.copy("/usr/share/zoneinfo/UTC", zones / "Asia" / "Ho_Chi_Minh")
    assert examined(tstn, PYTHONTZPATH=str(zones))["time zone"]["verdict"] == "fail"


def test_a_host_without_zones_is_told_so_by_every_command(tstn: Tstn) -> None:
    tstn.environment["PYTHONTZPATH"] = "/nowhere"
    process = tstn.start("doctor")
    assert process.communicate(timeout=60) == (
        "",
        "tstn: this host knows no time zones: apt-get install tzdata\n",
    )
    assert process.returncode == 1


def test_limits_of_open_files(tstn: Tstn) -> None:
    lines = examined(tstn, ["prlimit", "--nofile=5000"])
    assert lines["open files"]["verdict"] == "ok"
    lines = examined(tstn, ["prlimit", "--nofile=1024"])
    assert lines["open files"]["verdict"] == "warn"
    lines = examined(tstn, ["prlimit", "--nofile=256"])
    assert lines["open files"]["verdict"] == "fail"


def test_the_limit_of_another_process() -> None:
    with subprocess.Popen(["prlimit", "--nofile=777", "cat"], stdin=subprocess.PIPE) as process:
        while Path(f"/proc/{process.pid}/comm").read_text() != "cat\n":
            pass
        assert open_files.limit_of(process.pid) == 777
        assert process.stdin is not None
        process.stdin.close()
    assert open_files.limit_of(process.pid) is None


def test_disks(tstn: Tstn) -> None:
    """Each place on a disk of its own: small, full, read-only."""
    for place in ("spool", "uploads"):
        (tstn.directory / place).mkdir()
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    mounts = (
        "mount -t tmpfs -o size=1500m tmpfs var && mount -t tmpfs -o size=1m tmpfs spool && "
        'mount -t tmpfs -o ro tmpfs uploads && exec "$@"'
    )
    (tstn.directory / "var").mkdir()
    lines = examined(
        tstn,
        ["unshare", *as_root, "--mount", "--propagation=private", "sh", "-c", mounts, "sh"],
        TSTN_SPOOL_PATH="spool/spool.sqlite",
        TSTN_CONSOLE_UPLOADS="uploads",
    )
    places = ("store", "spool", "uploads")
    verdicts = [lines[f"disk of the {place}"]["verdict"] for place in places]
    assert verdicts == ["warn", "fail", "fail"]
    assert "can't be written to" in lines["disk of the uploads"]["says"]
    well = examined(tstn)
    if shutil.disk_usage(tstn.directory).free > 2_000_000_000:
        assert well["disk of the store"]["verdict"] == "ok"


async def test_an_smsc_that_nobody_is_bound_to_is_tried(tstn: Tstn) -> None:
    settings = settings_of(tstn)
    [none] = await smpp.look(settings, None)
    assert (none.verdict, "no texts" in none.says) == (OK, True)
    file = settings.sms.smsc_file
    with SmscProcess(tstn.directory / "smsc") as lab:
        write_account_file(file, lab)
        [bound] = await smpp.look(settings, None)
        assert (bound.name, bound.verdict) == ("bind node1:lab:1", OK)
        assert bound.says == "bound, and unbound again"
        assert lab.control.ask("binds") == []
        (tstn.directory / "config" / "smsc.password").write_text("wrong")
        [refused] = await smpp.look(settings, None)
        assert refused.verdict is FAIL
        assert "refuses our bind" in refused.says
    [gone] = await smpp.look(settings, None)
    assert gone.verdict is FAIL
    (tstn.directory / "config" / "smsc.password").unlink()
    [unknown] = await smpp.look(settings, None)
    assert (unknown.name, unknown.verdict) == ("SMSC accounts", FAIL)


async def test_a_running_server_is_asked_for_its_binds(tstn: Tstn) -> None:
    settings = settings_of(tstn)
    with SmscProcess(tstn.directory / "smsc") as lab:
        write_account_file(settings.sms.smsc_file, lab)
        waiting = {"state": "waiting", "trouble": "refused"}
        binds = {"node1:lab:1": waiting}
        report = {"ok": True, "calls": 0, "binds": binds, "open_files_limit": 300}
        runner = await serve_health("127.0.0.1", settings.health.port, lambda: report, no_metrics)
        process = tstn.start("doctor", "--json")
        out, _ = await asyncio.to_thread(process.communicate)
        await runner.cleanup()
    lines = {line["name"]: line for line in json.loads(out)["lines"]}
    assert lines["server"]["verdict"] == "ok"
    assert lines["open files"]["says"].startswith("300 may be open")
    assert (lines["bind node1:lab:1"]["verdict"], lines["bind node1:lab:1"]["says"]) == (
        "fail",
        "refused",
    )


def test_people_get_a_table(tstn: Tstn) -> None:
    out, _ = tstn.run("doctor", status=1)
    first, todo, *_ = out.splitlines()
    assert first.split()[:2] == ["fail", "database"]
    assert todo.strip() == "→ `tstn migrate` makes it; or check [store] url"
