"""`tstn user`: accounts from the command line, each write in the audit. I/O."""

import asyncio
from pathlib import Path

import pytest

from runtime.cli.acts import operator
from store.engine import open_store
from store.models import Audit, User
from tests.command_line import Tstn, make_directory
from tests.rows import all_rows


@pytest.fixture
def tstn(tmp_path: Path) -> Tstn:
    made = make_directory(tmp_path)
    made("migrate")
    made.write("password", "một mật khẩu dài\n")
    return made


def add(tstn: Tstn, login: str = "lan", *more: str) -> str:
    named = ("--role", "agent", "--name", "Nguyễn Thị Lan", "--password-file", "password")
    return tstn("user", "add", login, *named, *more)


def test_an_account_is_added_listed_and_switched_off(tstn: Tstn) -> None:
    assert add(tstn, "Lan", "--phone", "agent1") == "lan (agent) may log in now\n"
    listed = {
        "login": "lan",
        "name": "Nguyễn Thị Lan",
        "role": "agent",
        "province": None,
        "phone": "agent1",
        "state": "active",
    }
    assert tstn.json("user", "list") == [listed]
    tstn("user", "disable", "lan")
    assert tstn.json("user", "list") == [listed | {"state": "switched off", "phone": None}]
    assert add(tstn, "mai", "--phone", "agent1") == "mai (agent) may log in now\n"


def correct(tstn: Tstn) -> None:
    """Provinces as the list spells them; what is not named stays, and "" is no phone."""
    add(tstn, "lan", "--phone", "agent1", "--province", "tinh vinh long")
    named = ("--name", "Lê Thị Lan", "--phone", "agent2", "--province", "CAN THO")
    assert tstn("user", "change", "lan", *named) == "lan is changed\n"
    assert tstn("user", "change", "Lan", "--phone", "agent2") == "lan stands so already\n"
    [row] = tstn.json("user", "list")
    assert (row["name"], row["province"], row["phone"]) == ("Lê Thị Lan", "Cần Thơ", "agent2")
    tstn("user", "change", "lan", "--phone", "")
    error = tstn.error("user", "change", "lan", "--province", "Vinh")
    assert 'no province is called "Vinh"' in error


async def test_an_account_is_corrected_and_the_audit_has_what_stood_before(tstn: Tstn) -> None:
    await asyncio.to_thread(correct, tstn)
    store = open_store(f"sqlite:///{tstn.directory}/var/tstn.sqlite")
    rows = [row["data"] for row in await all_rows(store, Audit) if row["action"] == "user_changed"]
    await store.close()
    before = "Nguyễn Thị Lan, Vĩnh Long, agent1"
    first = {"name": "Lê Thị Lan", "province": "Cần Thơ", "phone": "agent2", "before": before}
    assert rows == [first, {"phone": None, "before": "agent2"}]


async def test_a_password_is_kept_as_argon2_and_each_write_is_in_the_audit(tstn: Tstn) -> None:
    await asyncio.to_thread(add, tstn)
    await asyncio.to_thread(tstn, "user", "password", "lan", "--password-file", "password")
    store = open_store(f"sqlite:///{tstn.directory}/var/tstn.sqlite")
    [user] = await all_rows(store, User)
    rows = await all_rows(store, Audit)
    await store.close()
    assert user["password_hash"].startswith("$argon2id$")
    assert [(row["action"], row["subject"]) for row in rows] == [
        ("user_added", "lan"),
        ("password_reset", "lan"),
    ]
    assert "mật khẩu" not in str(rows)


def test_what_is_refused_says_why(tstn: Tstn) -> None:
    add(tstn)
    tstn.write("short", "ngắn\n")
    named = ("--role", "agent", "--name", "Lan", "--password-file")
    assert "another account" in tstn.error("user", "add", "lan", *named, "password")
    assert "10 to 200" in tstn.error("user", "add", "mai", *named, "short")
    assert "nothing: No such file" in tstn.error("user", "add", "mai", *named, "nothing")
    (tstn.directory / "latin").write_bytes("mật khẩu rất dài".encode("utf-16"))
    assert "latin is no UTF-8 text" in tstn.error("user", "add", "mai", *named, "latin")
    assert "small letters" in tstn.error("user", "add", "M N", *named, "password")
    assert "see `tstn user list`" in tstn.error("user", "disable", "mai")
    assert [row["login"] for row in tstn.json("user", "list")] == ["lan"]


def test_a_password_may_come_by_stdin(tstn: Tstn) -> None:
    process = tstn.start(*("user", "add", "mai", "--role", "auditor", "--name", "Mai"), stdin=-1)
    out, err = process.communicate("một mật khẩu dài\n", timeout=60)
    assert (process.returncode, out) == (0, "mai (auditor) may log in now\n"), err


def test_octets_by_stdin_that_are_no_text_are_refused(tstn: Tstn) -> None:
    (tstn.directory / "octets").write_bytes(b"\xff\xfe123456789\n")
    with (tstn.directory / "octets").open("rb") as octets:
        process = tstn.start("user", "add", "mai", "--role=auditor", "--name=Mai", stdin=octets)
        _, told = process.communicate()
    assert (process.returncode, told) == (1, "tstn: a password is UTF-8 text\n")


def test_who_has_no_account_on_the_host_is_named_by_number(
    tstn: Tstn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container that runs under any number, whatever it says of itself."""
    monkeypatch.setattr("os.getuid", lambda: 54321)
    monkeypatch.setenv("LOGNAME", "somebody-else")
    assert operator() == "uid 54321"
