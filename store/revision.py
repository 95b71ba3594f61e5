"""At which revision of its schema a database is, and which one this version needs. I/O.

Asked at each start, so without alembic, which takes a tenth of that to import: `store.migrate` has
the steps. A step's file is named by its revision: v0001_first_tables.py.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from domain.errors import ConfigError
from store.engine import Store

_STEPS = Path(__file__).parent / "migrations" / "versions"
_KEPT_IN = "alembic_version"


async def current_revision(store: Store) -> str | None:
    """The revision of the database, or None where it is empty."""
    return await store.read(revision_of)


def revision_of(connection: Connection) -> str | None:
    """The same, on a connection."""
    if not inspect(connection).has_table(_KEPT_IN):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {_KEPT_IN}"))  # noqa: S608
    return found.scalar_one_or_none()


def revisions() -> list[str]:
    """All that this version has steps for, the oldest first."""
    return sorted(step.name[1:5] for step in _STEPS.glob("v[0-9][0-9][0-9][0-9]_*.py"))


def head() -> str:
    """The revision that this version needs."""
    return revisions()[-1]


def is_known(revision: str) -> bool:
    """Whether this version can bring a database of that revision to its own."""
    return revision in revisions()


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
