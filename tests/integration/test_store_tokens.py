"""Tokens on both databases: whose they are, when they end; answers kept once. I/O."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from domain.errors import InputError
from domain.roles import Role
from store import tokens, users
from store.engine import Store
from store.tokens import Answer, Asked, KeyReused, KeyTaken
from tests.consoles import add_users
from tests.rows import NOW

HASH = "a" * 64


async def test_a_token_is_of_a_role_until_it_is_revoked(store: Store) -> None:
    await store.write(tokens.add, "nightly", HASH, NOW, role=Role.OPERATOR)
    found = await store.read(tokens.bearer, HASH)
    assert found is not None
    assert (found.name, found.role, found.user_id) == ("nightly", Role.OPERATOR, None)
    assert await store.read(tokens.bearer, "b" * 64) is None
    assert await store.write(tokens.revoke, "nightly", NOW)
    assert not await store.write(tokens.revoke, "nightly", NOW + timedelta(1))
    assert await store.read(tokens.bearer, HASH) is None
    [row] = await store.read(tokens.all_of)
    assert row["revoked_at"] == NOW
    assert HASH not in str(row)


async def test_a_token_of_an_account_may_what_the_account_may_while_it_is_active(
    store: Store,
) -> None:
    ids = await add_users(store)
    user = ids[Role.SPECIALIST]
    await store.write(tokens.add, "province", HASH, NOW, user_id=user)
    found = await store.read(tokens.bearer, HASH)
    assert found is not None
    assert (found.role, found.province, found.user_id) == (Role.SPECIALIST, "Vĩnh Long", user)
    await store.write(users.set_active, user, NOW, is_active=False)
    assert await store.read(tokens.bearer, HASH) is None


async def test_what_no_token_may_be(store: Store) -> None:
    await store.write(tokens.add, "nightly", HASH, NOW, role=Role.OPERATOR)
    with pytest.raises(InputError, match="exists already"):
        await store.write(tokens.add, "nightly", "b" * 64, NOW, role=Role.AUDITOR)
    with pytest.raises(InputError, match="needs an account"):
        await store.write(tokens.add, "province", "b" * 64, NOW, role=Role.SPECIALIST)
    with pytest.raises(InputError, match="there is no token"):
        await store.write(tokens.revoke, "weekly", NOW)


@pytest.mark.parametrize("whose", ["NULL, NULL", "'operator', 1", "'specialist', NULL"])
async def test_the_database_refuses_a_token_of_nobody_or_of_two(store: Store, whose: str) -> None:
    await add_users(store)

    def add(connection: Connection) -> None:
        connection.exec_driver_sql(
            "INSERT INTO api_tokens (name, token_hash, role, user_id, created_at) "  # noqa: S608
            f"VALUES ('x', 'x', {whose}, '2021-04-01 03:00:00.000000')"
        )

    with pytest.raises(IntegrityError):
        await store.write(add)


async def test_an_answer_is_kept_with_the_work_or_neither(store: Store) -> None:
    token_id = await store.write(tokens.add, "nightly", HASH, NOW, role=Role.OPERATOR)
    asked = Asked(token_id, "k", "f" * 64)
    done: list[int] = []

    def work(connection: Connection) -> Answer:
        done.append(1)
        if len(done) == 1:
            raise InputError("not yet")
        return Answer(201, '{"id":1}')

    with pytest.raises(InputError):
        await store.write(tokens.once, asked, NOW, work)
    assert await store.read(tokens.answer_of, asked) is None
    await store.write(tokens.once, asked, NOW, work)
    with pytest.raises(KeyTaken):
        await store.write(tokens.once, asked, NOW, work)
    assert len(done) == 2
    assert await store.read(tokens.answer_of, asked) == Answer(201, '{"id":1}')
    with pytest.raises(KeyReused):
        await store.read(tokens.answer_of, Asked(token_id, "k", "e" * 64))
