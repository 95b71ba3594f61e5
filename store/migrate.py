"""Brings the database to the schema of this version. I/O."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from store.engine import Store
from store.revision import current_revision, revision_of


async def migrate(store: Store) -> str:
    """Apply what is missing; give the revision that stands now. Harmless when run again."""
    await store.write(_upgrade)
    return await current_revision(store) or ""


def bring_up(connection: Connection, revision: str) -> None:
    """Bring tables of `revision` to this version, also where the database does not know that."""
    if revision_of(connection) is None:
        MigrationContext.configure(connection).stamp(_scripts(), revision)
    _upgrade(connection)


def _scripts() -> ScriptDirectory:
    """The steps, as alembic knows them."""
    return ScriptDirectory.from_config(_config())


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
