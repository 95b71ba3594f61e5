"""`tstn token`: made, shown once, listed, revoked, each write in the audit. I/O."""

import asyncio
from pathlib import Path

import pytest

from console.cookies import hashed
from domain.roles import Role
from store import tokens
from store.engine import open_store
from store.models import ApiToken, Audit
from tests.command_line import Tstn, make_directory
from tests.rows import all_rows


@pytest.fixture
def tstn(tmp_path: Path) -> Tstn:
    made = make_directory(tmp_path)
    made("migrate")
    return made


async def test_a_token_is_printed_once_and_only_its_hash_is_kept(tstn: Tstn) -> None:
    made = await asyncio.to_thread(tstn.json, "token", "create", "nightly", "--role", "operator")
    token = made["token"]
    assert made == {"name": "nightly", "role": "operator", "token": token}
    assert token.startswith("tstn_")
    assert len(token) > 40
    store = open_store(f"sqlite:///{tstn.directory}/var/tstn.sqlite")
    found = await store.read(tokens.bearer, hashed(token))
    kept = str(await all_rows(store, ApiToken)) + str(await all_rows(store, Audit))
    acts = [(row["action"], row["subject"]) for row in await all_rows(store, Audit)]
    await store.close()
    assert found is not None
    assert found.role is Role.OPERATOR
    assert token not in kept
    assert acts == [("token_created", "nightly")]


def test_tokens_are_listed_and_revoked(tstn: Tstn) -> None:
    plain = tstn("token", "create", "weekly", "--role", "auditor")
    assert plain.startswith("tstn_")
    assert plain.count("\n") == 1
    [row] = tstn.json("token", "list")
    assert (row["name"], row["role"], row["login"], row["revoked_at"]) == (
        *("weekly", "auditor"),
        *(None, None),
    )
    assert "weekly" in tstn("token", "list")
    assert tstn("token", "revoke", "weekly") == "weekly opens nothing any more\n"
    assert tstn.json("token", "revoke", "weekly") == {"name": "weekly", "changed": False}
    assert tstn.json("token", "list")[0]["revoked_at"] is not None


def test_a_token_of_an_account(tstn: Tstn) -> None:
    tstn.write("password", "một mật khẩu dài\n")
    named = ("--role", "operator", "--name", "Lan", "--password-file", "password")
    tstn("user", "add", "lan", *named)
    made = tstn.json("token", "create", "lan-laptop", "--user", "Lan")
    assert (made["login"], tstn.json("token", "list")[0]["login"]) == ("lan", "lan")


def test_what_is_refused_says_why(tstn: Tstn) -> None:
    tstn("token", "create", "weekly", "--role", "auditor")
    again = tstn.error("token", "create", "weekly", "--role", "auditor")
    assert "exists already" in again
    assert "small letters" in tstn.error("token", "create", "0901234567", "--role", "auditor")
    assert "see `tstn user list`" in tstn.error("token", "create", "mai", "--user", "mai")
    assert "see `tstn token list`" in tstn.error("token", "revoke", "daily")
    assert "required" in tstn.run("token", "create", "x", status=2)[1]
    assert "invalid choice" in tstn.run("token", "create", "x", "--role", "specialist", status=2)[1]
