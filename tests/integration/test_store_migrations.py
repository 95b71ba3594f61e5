"""The migrations and the models tell the same story, upwards, downwards and again. I/O."""

from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from domain.errors import ConfigError
from store import migrate as migrations
from store.engine import Store, open_store
from store.migrate import migrate
from store.models import Base
from store.revision import current_revision, head, require_current, revisions

Schema = dict[str, dict[str, Any]]


def schema(connection: Connection) -> Schema:
    """What the database knows of each table; names and rules, not only columns."""
    seen = inspect(connection)
    found: Schema = {}
    for table in sorted(set(seen.get_table_names()) - {"alembic_version"}):
        found[table] = {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"])
                for column in seen.get_columns(table)
            },
            "key": seen.get_pk_constraint(table),
            "checks": {rule["name"]: rule["sqltext"] for rule in seen.get_check_constraints(table)},
            "unique": {rule["name"]: rule["column_names"] for rule in unique(seen, table)},
            "foreign": {
                rule["name"]: (rule["referred_table"], rule["constrained_columns"])
                for rule in seen.get_foreign_keys(table)
            },
            "indexes": {
                index["name"]: (index["column_names"], index["unique"], where(index))
                for index in seen.get_indexes(table)
            },
        }
    return found


def unique(seen: Any, table: str) -> list[Any]:
    return list(seen.get_unique_constraints(table))


def where(index: Any) -> str:
    options = index.get("dialect_options", {})
    return " ".join(str(value) for key, value in options.items() if key.endswith("_where"))


def down(connection: Connection) -> None:
    config: Config = migrations._config()
    config.attributes["connection"] = connection
    command.downgrade(config, "base")


def test_the_steps_that_are_named_are_those_of_alembic() -> None:
    known = ScriptDirectory.from_config(migrations._config())
    assert [step.revision for step in known.walk_revisions()] == revisions()[::-1]
    assert known.get_current_head() == head()


async def test_autogenerate_finds_nothing_to_migrate(store: Store) -> None:
    differences = await store.read(
        lambda connection: compare_metadata(
            MigrationContext.configure(connection, opts={"compare_server_default": True}),
            Base.metadata,
        )
    )
    assert differences == []


async def test_a_database_made_of_the_models_is_the_migrated_one(store: Store) -> None:
    """Autogenerate looks at no CHECK rule and at no WHERE of an index: compare all of it."""
    migrated = await store.read(schema)
    await store.write(down)
    await store.write(Base.metadata.create_all)
    assert await store.read(schema) == migrated
    await store.write(Base.metadata.drop_all)
    await migrate(store)


async def test_up_down_and_up_again(store: Store) -> None:
    first = await store.read(schema)
    assert set(first) == set(Base.metadata.tables)
    await store.write(down)
    assert await store.read(schema) == {}
    with pytest.raises(ConfigError, match="run `tstn migrate`"):
        await require_current(store)
    await migrate(store)
    assert await store.read(schema) == first
    await require_current(store)


async def test_migrating_again_changes_nothing(store: Store) -> None:
    stands = await current_revision(store)
    before = await store.read(schema)
    assert await migrate(store) == stands
    assert await store.read(schema) == before


async def test_an_empty_database_is_told_to_be_migrated(store_url: str) -> None:
    empty = open_store(store_url)
    try:
        assert await current_revision(empty) is None
        with pytest.raises(ConfigError, match=r"revision none.*run `tstn migrate`"):
            await require_current(empty)
    finally:
        await empty.close()


async def test_call_backs_of_the_version_before_are_carried_over(store: Store) -> None:
    """Closed ones had no time of their own: the history has it."""
    await store.write(lambda connection: _to(connection, "downgrade", "0002"))
    await store.write(_old_call_backs)
    await migrate(store)
    rows = await store.read(
        lambda connection: connection.exec_driver_sql(
            "SELECT source_id, state, closed_at IS NOT NULL, attempts_made, ready_at IS NULL, "
            "outcome FROM callbacks ORDER BY id"
        ).all()
    )
    assert [tuple(row) for row in rows] == [
        ("a", "open", False, 0, True, None),
        ("b", "cancelled", True, 0, True, None),
        ("c", "done", True, 0, True, "confirmed"),
    ]
    await store.write(lambda connection: _to(connection, "downgrade", "0002"))
    kept = await store.read(
        lambda connection: (
            connection.exec_driver_sql("SELECT state FROM callbacks ORDER BY id").scalars().all()
        )
    )
    assert kept == ["open", "cancelled", "done"]
    await migrate(store)


def _to(connection: Connection, way: str, revision: str) -> None:
    config: Config = migrations._config()
    config.attributes["connection"] = connection
    getattr(command, way)(config, revision)


def _old_call_backs(connection: Connection) -> None:
    for number, state in enumerate(("open", "cancelled", "done")):
        connection.exec_driver_sql(
            "INSERT INTO callbacks (kind, msisdn, source_id, requested_at, target_at, promise_at, "  # noqa: S608
            f"state) VALUES ('advice', '+8490000000{number}', '{'abc'[number]}', "
            "'2021-04-01 03:00:00', '2021-04-02 14:00:00', '2021-04-03 03:00:00', "
            f"'{state}')"
        )
