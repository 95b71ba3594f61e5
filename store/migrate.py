"""Brings the database to the schema of this version, and says where it stands. I/O."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from domain.errors import ConfigError
from store.engine import Store


async def migrate(store: Store) -> str:
    """Apply what is missing; give the revision that stands now. Harmless when run again."""
    await store.write(_upgrade)
    return await current_revision(store) or ""


def bring_up(connection: Connection, revision: str) -> None:
    """Bring tables of `revision` to this version, also where the database does not know that."""
    context = MigrationContext.configure(connection)
    if context.get_current_revision() is None:
        context.stamp(ScriptDirectory.from_config(_config()), revision)
    _upgrade(connection)


async def current_revision(store: Store) -> str | None:
    """The revision of the database, or None where it is empty."""
    return await store.read(_revision)


def head() -> str:
    """The revision that this version needs."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def is_known(revision: str) -> bool:
    """Whether this version can bring a database of that revision to its own."""
    steps = ScriptDirectory.from_config(_config()).walk_revisions()
    return any(step.revision == revision for step in steps)


def require_known(revision: str) -> None:
    """Raises ConfigError for the revision of a newer version."""
    if not is_known(revision):
        raise ConfigError(
            f"the database is at revision {revision}, that of a newer version than this one, which "
            f"has {head()}: install that version again"
        )


async def require_current(store: Store) -> None:
    """Raises ConfigError unless the database has the schema that this version needs."""
    stands, needed = await current_revision(store), head()
    if stands != needed:
        raise ConfigError(
            f"the database is at revision {stands or 'none'}, this version needs {needed}: "
            "run `tstn migrate`"
        )


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
