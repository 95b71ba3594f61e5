"""The real `tstn` on SQLite: answers, files, exit statuses, one-line errors. I/O.

What a process adds (pipes, signals, terminals, quick start) is tested on a process; the rest calls
the same entry point, for a process needs a second to import the database library.
"""

import asyncio
import json
import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.dispositions import Disposition
from lab.ports import free_ports
from runtime.health import serve_health
from store.apply import apply
from store.engine import open_store
from store.facts import Fact
from tests.command_line import ROOT, Tstn, make_directory, no_metrics
from tests.rows import (
    BY_NINE,
    NOW,
    answered,
    asked,
    claim_some,
    ended,
    make_campaign,
    numbers,
    pressed,
)

EXAMPLE = ROOT / "config" / "campaigns" / "example.toml"
NAME = "phase-1-list-1"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory whose store is migrated and whose prompts are built."""
    made = make_directory(tmp_path_factory.mktemp("template"))
    made("migrate")
    made("prompts", "build")
    return made.directory


@pytest.fixture
def empty(tmp_path: Path) -> Tstn:
    """Only a settings file."""
    return make_directory(tmp_path)


@pytest.fixture
def tstn(template: Path, tmp_path: Path) -> Tstn:
    """A migrated store without campaigns, and built prompts."""
    return Tstn(shutil.copytree(template, tmp_path / "tstn"))


def test_help_is_quick_because_it_imports_little() -> None:
    code = (
        "import contextlib, sys; from runtime.cli.main import main\n"
        "with contextlib.suppress(SystemExit): main(['campaign', 'tune', '--help'])\n"
        "slow = {'sqlalchemy', 'alembic', 'aiohttp', 'rich', 'orjson'} & set(sys.modules)\n"
        "assert not slow, slow"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_the_server_imports_neither_migrations_nor_tables_for_people() -> None:
    code = (
        "import sys, runtime.serve, runtime.cli.opened_store\n"
        "slow = {'alembic', 'rich', 'openpyxl'} & set(sys.modules)\n"
        "assert not slow, slow"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_the_installed_command(tstn: Tstn) -> None:
    process = tstn.start("campaign", "create", EXAMPLE)
    assert process.communicate(timeout=60) == (
        f"campaign {NAME} is a draft; now: tstn audience import FILE.csv --campaign {NAME}\n",
        "",
    )
    process = tstn.start("campaign", "show", "none")
    assert process.communicate(timeout=60) == (
        "",
        "tstn: there is no campaign 'none': see `tstn campaign list`\n",
    )
    assert process.returncode == 1


def test_wrong_usage_has_status_2(empty: Tstn) -> None:
    _, err = empty.run("campaign", "shwo", status=2)
    assert "invalid choice: 'shwo'" in err


def test_a_store_is_migrated_once_and_then_left_alone(empty: Tstn) -> None:
    assert "run `tstn migrate`" in empty.error("campaign", "list")
    revision = empty.json("migrate")["revision"]
    assert empty("migrate") == f"the database is at revision {revision}\n"
    assert empty.json("campaign", "list") == []


def test_a_campaign_from_its_file_to_its_end(tstn: Tstn) -> None:
    made = tstn.json("campaign", "create", EXAMPLE)
    assert (made["name"], made["state"], made["started_at"]) == (NAME, "draft", None)
    assert tstn.json("campaign", "list") == [made]
    assert tstn("campaign", "list").splitlines()[1].split() == [
        *("1", NAME, "draft", "customer_care", "5", "50", "not", "set")
    ]
    out, err = tstn.run("campaign", "start", NAME)
    assert out == f"campaign {NAME} is running\n"
    assert "warning: no number is left to dial" in err
    assert tstn.json("campaign", "start", 1)["changed"] is False
    assert tstn.json("campaign", "pause", 1) == {"name": NAME, "state": "paused", "changed": True}
    assert tstn("campaign", "stop", NAME) == f"campaign {NAME} is stopped\n"
    assert tstn.error("campaign", "start", NAME) == (
        f"campaign '{NAME}' is stopped, it can't be running"
    )


def test_a_campaign_is_shown_with_knobs_and_counts(tstn: Tstn) -> None:
    tstn("campaign", "create", EXAMPLE)
    tstn("audience", "import", tstn.write("a.csv", "sdt\n0901234567\n"), "--campaign", NAME)
    shown = tstn.json("campaign", "show", NAME)
    assert (shown["targets"], shown["outcomes"], shown["attempts"]) == ({"ready": 1}, {}, {})
    assert shown["retry"]["busy"] == {"max": 3, "delay_seconds": 900.0, "factor": 1.0}
    lines = [line.split() for line in tstn("campaign", "show", NAME).splitlines()]
    assert ["state", "draft"] in lines
    assert ["retry.busy", "max", "3,", "after", "900", "s"] in lines
    assert ["targets", "ready", "1"] in lines


def test_a_campaign_does_not_start_without_a_purpose(tstn: Tstn) -> None:
    name = tstn.create('name = "a"')
    assert "purpose=customer_care" in tstn.error("campaign", "start", name)
    tstn("campaign", "tune", name, "purpose=customer_care")
    tstn("campaign", "start", name)


def test_a_campaign_does_not_start_without_its_prompts(tstn: Tstn) -> None:
    tstn("campaign", "create", EXAMPLE)
    tstn.environment["TSTN_IVR_PROMPTS_DIR"] = "nowhere"
    assert "run `tstn prompts build`" in tstn.error("campaign", "start", NAME)
    del tstn.environment["TSTN_IVR_PROMPTS_DIR"]
    tstn("campaign", "tune", NAME, "script_version=vi-2")
    assert "script_version=vi-1" in tstn.error("campaign", "start", NAME)
    assert tstn.json("campaign", "show", NAME)["state"] == "draft"


def test_knobs_are_tuned(tstn: Tstn) -> None:
    tstn("campaign", "create", EXAMPLE)
    answer = tstn.json(
        *("campaign", "tune", NAME, "cps=8", "retry.busy.delay_seconds=600"),
        "windows=08:00-11:30,13:30-17:00",
    )
    assert answer["before"]["cps"] == 5.0
    assert answer["after"]["windows"] == ["08:00-11:30", "13:30-17:00"]
    shown = tstn.json("campaign", "show", NAME)
    assert (shown["cps"], shown["windows"]) == (8.0, ["08:00-11:30", "13:30-17:00"])
    assert shown["retry"]["busy"] == {"max": 3, "delay_seconds": 600.0, "factor": 1.0}
    assert tstn("campaign", "tune", NAME, "cps=9").split() == ["cps", "8", "→", "9"]
    assert tstn.error("campaign", "tune", NAME, "cps=0", "windws=x") == (
        "cps: must be a number from 0.01 to 1000, not 0; unknown key windws: did you mean windows?"
    )


def test_what_is_wrong_with_a_campaign_is_said(tstn: Tstn) -> None:
    tstn("campaign", "create", EXAMPLE)
    assert tstn.error("campaign", "create", EXAMPLE) == f"a campaign named '{NAME}' exists already"
    assert tstn.error("campaign", "create", "none.toml") == (
        "cannot read none.toml: No such file or directory"
    )
    assert "config: Is a directory" in tstn.error("campaign", "create", "config")
    (tstn.directory / "bad.toml").write_bytes(b'name = "\xff"')
    assert tstn.error("campaign", "create", "bad.toml") == "bad.toml is not UTF-8 text"
    assert "no campaign 'b'" in tstn.error("campaign", "show", "b")
    assert "no campaign '7'" in tstn.error("export", "attempts", "--campaign", "7")


def test_limits(tstn: Tstn) -> None:
    default = {"cps": 10.0, "channels": 200, "is_set": False}
    assert tstn.json("limits", "show") == {"global": default, "trunk:carrier": default}
    assert tstn("limits", "set", "global", "cps=20") == "global: 20 calls/s, 200 channels\n"
    answer = tstn.json("limits", "set", "trunk:carrier", "channels=5", "cps=2.5")
    assert answer == {"scope": "trunk:carrier", "cps": 2.5, "channels": 5}
    assert tstn.json("limits", "set", "trunk:carrier", "channels=0")["cps"] == 2.5
    assert tstn.json("limits", "show")["trunk:carrier"]["is_set"] is True
    assert "trunk:carrier" in tstn.run("limits", "set", "trunk:other", "cps=1")[1]
    assert "global or trunk:NAME" in tstn.error("limits", "set", "trunk", "cps=1")
    assert "did you mean channels?" in tstn.error("limits", "set", "global", "chanels=1")


def test_limits_are_undone_step_by_step(tstn: Tstn) -> None:
    tstn("limits", "set", "trunk:carrier", "channels=5")
    tstn("limits", "set", "trunk:carrier", "channels=9", "cps=3")
    tstn("limits", "set", "global", "cps=20")
    back = tstn.json("limits", "revert", "trunk:carrier")
    assert back == {"scope": "trunk:carrier", "cps": 10.0, "channels": 5, "is_set": True}
    told = tstn("limits", "revert", "trunk:carrier")
    assert told == "trunk:carrier: 10 calls/s, 200 channels again, from the settings\n"
    assert "have no change to undo" in tstn.error("limits", "revert", "trunk:carrier")
    shown = tstn.json("limits", "show")
    assert (shown["trunk:carrier"]["is_set"], shown["global"]["cps"]) == (False, 20.0)


AUDIENCE = "Số thuê bao,Tỉnh\n0901234567,Cần Thơ\n12,\n84901234567,Cần Thơ\n"


def test_an_audience_is_imported_and_a_second_run_adds_nothing(tstn: Tstn) -> None:
    tstn("campaign", "create", EXAMPLE)
    words = ("audience", "import", tstn.write("a.csv", AUDIENCE), "--campaign", NAME)
    first = {"added": 1, "rejected": 2, "unreadable": 1, "twice_in_file": 1, "in_campaign": 0}
    once = tstn.json(*words)
    assert {name: once[name] for name in [*first, "rejects"]} == first | {
        "rejects": "a.rejects.csv"
    }
    second = first | {"added": 0, "rejected": 3, "in_campaign": 1}
    again = tstn.json(*words, "--rejects", "b.csv")
    assert {name: again[name] for name in [*second, "rejects"]} == second | {"rejects": "b.csv"}
    assert (tstn.directory / "a.rejects.csv").read_text("utf-8-sig").count("\n") == 3
    assert tstn.json("campaign", "show", NAME)["targets"] == {"ready": 1}
    assert tstn(*words).splitlines()[0].split() == ["added", "0"]
    assert "cannot read none.csv" in tstn.error("audience", "import", "none.csv", "--campaign", 1)


def test_an_audience_is_weighed_imported_listed_and_undone(tstn: Tstn) -> None:
    tstn("campaign", "create", EXAMPLE)
    words = ("audience", "import", tstn.write("a.csv", AUDIENCE), "--campaign", NAME)
    dry = tstn.json(*words, "--dry-run")
    assert (dry["added"], dry["import_id"], dry["rejects"]) == (1, None, None)
    assert not (tstn.directory / "a.rejects.csv").exists()
    assert "would be added" in tstn(*words, "--dry-run")
    assert tstn.json("audience", "imports", "--campaign", NAME) == []
    number = tstn.json(*words, "--extracted-at", "26/03/2021")["import_id"]
    [listed] = tstn.json("audience", "imports", "--campaign", NAME)
    assert (listed["id"], listed["state"], listed["file_name"]) == (number, "done", "a.csv")
    assert listed["extracted_at"] == "2021-03-25T17:00:00+00:00"
    assert "26/03/2021 00:00" in tstn("audience", "imports", "--campaign", NAME)
    assert "lies in the future" in tstn.error(*words, "--extracted-at", "2999-01-01")
    assert "the file lacks: subscriber_type" in tstn.error(*words, "--require-eligibility")
    assert (
        tstn("audience", "undo", number) == f"import {number} is undone: 1 numbers were removed\n"
    )
    assert "is undone already" in tstn.error("audience", "undo", number)
    assert tstn.json("campaign", "show", NAME)["targets"] == {}


def test_an_import_shows_its_progress_on_a_terminal(tstn: Tstn) -> None:
    tstn("campaign", "create", EXAMPLE)
    tstn.environment["TERM"] = "xterm"  # whatever these tests are started from
    ours, theirs = pty.openpty()
    words = ("audience", "import", tstn.write("a.csv", AUDIENCE), "--campaign", NAME)
    with tstn.start(*words, stderr=theirs) as process:
        os.close(theirs)
        shown = b"".join(iter(lambda: read_terminal(ours), b""))
        os.close(ours)
    assert process.returncode == 0
    assert b"a.csv" in shown
    assert b"100%" in shown


def read_terminal(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux's way to say that the other side is closed
        return b""


@pytest.fixture
def called(tstn: Tstn) -> Tstn:
    """A campaign "mekong" of 2000 numbers: three were called, one of these pressed 1."""

    async def seed() -> None:
        store = open_store(f"sqlite:///{tstn.directory}/var/tstn.sqlite")
        campaign = await make_campaign(store, numbers(2000))
        one, two, _ = await claim_some(store, campaign, limit=3)
        facts: list[Fact] = [
            answered(one, NOW),
            pressed(one, "1", NOW),
            asked(one.msisdn, NOW, one.attempt_id, campaign_id=campaign.id),
            ended(one, Disposition.ANSWERED, NOW, cause=16, tech_cause=200, answered_at=NOW),
            ended(two, Disposition.BUSY, NOW, cause=17, tech_cause=486),
        ]
        await store.write(apply, facts, BY_NINE)
        await store.close()

    asyncio.run(seed())
    return tstn


def test_records_are_exported_one_a_line(called: Tstn) -> None:
    one, two, three = called.lines("export", "attempts", "--campaign", "mekong")
    assert [row["disposition"] for row in (one, two, three)] == ["answered", "busy", None]
    assert [key["key"] for key in one["keys"]] == ["1"]
    assert (two["hangup_cause"], two["tech_cause"], two["keys"]) == (17, 486, [])
    [registration] = called.lines("export", "registrations", "--campaign", "mekong", "--json")
    assert registration["source_id"] == one["attempt_id"]
    [callback] = called.lines("export", "callbacks", "--campaign", "mekong")
    assert callback["registration_id"] == registration["registration_id"]


def test_an_export_whose_reader_goes_away_is_quiet(called: Tstn) -> None:
    async def claim_all() -> None:
        store = open_store(f"sqlite:///{called.directory}/var/tstn.sqlite")
        campaign = await make_campaign(store, numbers(2000, first=5000), name="many")
        await claim_some(store, campaign, limit=2000)
        await store.close()

    asyncio.run(claim_all())  # more than a pipe holds
    with called.start("export", "attempts", "--campaign", "many") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


def test_an_answer_that_a_full_disk_refuses_is_told(called: Tstn) -> None:
    with Path("/dev/full").open("w") as full:
        process = called.start("export", "attempts", "--campaign", "mekong", stdout=full)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (
        1,
        "tstn: the answer can't be written: No space left on device\n",
    )


@pytest.mark.parametrize("form", ["0900000000", "0900 000 000", "+84 90 000 0000", "900000000"])
def test_the_timeline_of_a_number_in_any_form(called: Tstn, form: str) -> None:
    entries = called.lines("timeline", *form.split(), "--json")
    assert {entry["kind"] for entry in entries} >= {
        *("attempt_dialled", "attempt_answered", "key_pressed"),
        *("registered", "callback_promised", "attempt_ended"),
    }
    assert {entry["at"] for entry in entries} == {"2021-04-01T03:00:00+00:00"}


def test_a_timeline_for_people_is_in_local_time(called: Tstn) -> None:
    heading, *lines = called("timeline", "0900000000").splitlines()
    assert heading.split() == ["when", "what", "details"]
    assert all(line.startswith("01/04/2021 10:00:00.000  ") for line in lines)
    [promised] = [line for line in lines if "callback promised" in line]
    assert "target_at=02/04/2021 21:00:00.000" in promised
    assert called("timeline", "0912345678") == "nothing has happened to 0912 345 678 yet\n"
    assert "not a mobile number" in called.error("timeline", "123")


def test_prompts_are_built_where_they_changed(tstn: Tstn) -> None:
    kept = tstn.json("prompts", "build", "--if-changed")
    assert {prompt["is_new"] for prompt in kept} == {False}
    (tstn.directory / "var" / "prompts" / "vi-1" / "close.alaw").unlink()
    lines = tstn("prompts", "build", "--if-changed").splitlines()
    assert [line.split()[:2] for line in lines if line.endswith("new")] == [["vi-1", "close"]]


def test_asterisk_is_rendered_with_passwords_that_stay(tstn: Tstn) -> None:
    answer = tstn.json("asterisk", "render", "out")
    files = {Path(file).name for file in answer["files"]}
    assert files == {path.name for path in (tstn.directory / "out").iterdir()}
    secrets = Path(answer["secrets"])
    made = secrets.read_text()
    assert secrets.stat().st_mode & 0o777 == 0o600
    assert "out/pjsip.conf" in tstn("asterisk", "render", "out")
    assert secrets.read_text() == made
    assert "config/tstn.toml" in tstn.error("asterisk", "render", "config/tstn.toml")


def test_the_settings_in_force_hide_their_secrets(tstn: Tstn) -> None:
    tstn("asterisk", "render", "out")
    tstn.environment |= {
        "TSTN_TRUNK_HOST": "192.0.2.7",
        "TSTN_STORE_URL": "postgresql://tstn:hunter2@db/tstn",
    }
    settings = tstn.json("check-config")
    assert settings["asterisk"]["ari_password"] == "********"
    assert settings["trunk"]["host"] == "192.0.2.7"
    readable = tstn("check-config")
    assert ["trunk.host", "192.0.2.7"] in [line.split() for line in readable.splitlines()]
    assert "hunter2" not in readable + json.dumps(settings)


def test_settings_that_are_wrong_are_named(tstn: Tstn) -> None:
    tstn.environment["TSTN_TRUNK_HOSST"] = "x"
    assert "did you mean TSTN_TRUNK_HOST?" in tstn.error("check-config")
    del tstn.environment["TSTN_TRUNK_HOSST"]
    assert "no settings file" in tstn.error("campaign", "list", "--config", "none.toml")
    assert "is not TOML" in tstn.error("check-config", "--config", "var/tstn.sqlite")


def test_a_server_without_passwords_does_not_start(tstn: Tstn) -> None:
    process = tstn.start("serve")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert "tstn asterisk render" in err
    assert err.count("\n") == 1


@pytest.fixture
def health_port(tstn: Tstn) -> int:
    [port] = free_ports(1)
    tstn.environment["TSTN_HEALTH_PORT"] = str(port)
    return port


@pytest.mark.parametrize(("ok", "status"), [(True, 0), (False, 1)])
async def test_health_is_what_the_server_says(
    tstn: Tstn, health_port: int, ok: bool, status: int
) -> None:
    report = {"ok": ok, "asterisk": {"ready": ok, "trouble": None}, "calls": 3, "why_idle": {}}
    server = await serve_health("127.0.0.1", health_port, lambda: report, no_metrics)
    asked_for_json = tstn.start("health", "--json")
    asked_by_people = tstn.start("health")
    out, _ = await asyncio.to_thread(asked_for_json.communicate)
    assert (json.loads(out), asked_for_json.returncode) == (report, status)
    out, _ = await asyncio.to_thread(asked_by_people.communicate)
    assert out.splitlines()[1].split() == ["asterisk.ready", json.dumps(ok)]
    assert asked_by_people.returncode == status
    await server.cleanup()


@pytest.mark.usefixtures("health_port")
def test_no_server_to_be_asked(tstn: Tstn) -> None:
    assert "start it by `tstn serve`" in tstn.error("health")


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    """What a shell starts in the background ignores Ctrl-C, and so would its children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_ends_a_command_without_a_traceback(tstn: Tstn, health_port: int) -> None:
    with socket.create_server(("127.0.0.1", health_port)) as never_answers:
        process = tstn.start("health")
        connection, _ = never_answers.accept()
        assert connection.recv(1)  # asked, so it waits: asyncio is not sound while it connects
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        connection.close()
    assert (process.returncode, out, err) == (130, "", "")
