"""The one exception of what is only added to: a number is taken out of it. I/O.

An event may lose its number to its own name ('#' and its id) and the evidence that its data quotes,
an opt-out its number to a keyed name ('#' and fifteen characters). Nothing else changes, and no
row goes.
"""

import sqlalchemy as sa
from alembic import op

from store.columns import UtcDateTime

revision = "0013"
down_revision = "0012"

_NAMES = {
    "events": "events are append-only",
    "opt_outs": "opt-outs are append-only",
}
_SAME = {
    "events": ("id", "at", "kind", "campaign_id", "once"),
    "opt_outs": ("id", "at", "applied_at", "source_id"),
}
_KEYED_ON_SQLITE = "NEW.msisdn GLOB '#" + "[-A-Za-z0-9_]" * 15 + "'"
_MAY_ON_SQLITE = {
    "events": "NEW.msisdn = '#' || OLD.id AND NEW.data = json_remove(OLD.data, '$.evidence')",
    "opt_outs": _KEYED_ON_SQLITE,
}
_MAY_ON_POSTGRESQL = {
    "events": "NEW.msisdn = '#' || CAST(OLD.id AS text) AND NEW.data = OLD.data - 'evidence'",
    "opt_outs": "NEW.msisdn ~ '^#[-A-Za-z0-9_]{15}$'",
}


def upgrade() -> None:
    """Make the table of keys, and let the number alone be replaced."""
    op.create_table(
        "erasure_keys",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_erasure_keys")),
    )
    for table in _NAMES:
        if op.get_bind().dialect.name == "sqlite":
            op.execute(f"DROP TRIGGER {table}_refuse_update")
            _refuse_on_sqlite(table, f"WHEN ({_may(table, _MAY_ON_SQLITE)}) IS NOT TRUE")
        else:
            op.execute(f"DROP TRIGGER {table}_refuse ON {table}")
            _refuse_on_postgresql(table, f"{table}_refuse", "DELETE OR TRUNCATE", "STATEMENT")
            may = _may(table, _MAY_ON_POSTGRESQL)
            when = f"ROW WHEN (({may}) IS NOT TRUE)"
            _refuse_on_postgresql(table, f"{table}_refuse_update", "UPDATE", when)


def downgrade() -> None:
    """Undo `upgrade`."""
    for table in _NAMES:
        if op.get_bind().dialect.name == "sqlite":
            op.execute(f"DROP TRIGGER {table}_refuse_update")
            _refuse_on_sqlite(table, "")
        else:
            op.execute(f"DROP TRIGGER {table}_refuse_update ON {table}")
            op.execute(f"DROP TRIGGER {table}_refuse ON {table}")
            every = "UPDATE OR DELETE OR TRUNCATE"
            _refuse_on_postgresql(table, f"{table}_refuse", every, "STATEMENT")
    op.drop_table("erasure_keys")


def _may(table: str, how: dict[str, str]) -> str:
    """What the row before and the row after must be to each other."""
    same = " AND ".join(f"NEW.{name} IS NOT DISTINCT FROM OLD.{name}" for name in _SAME[table])
    return f"OLD.msisdn LIKE '+%' AND {how[table]} AND {same}"


def _refuse_on_sqlite(table: str, when: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_refuse_update BEFORE UPDATE ON {table} {when} "
        f"BEGIN SELECT RAISE(ABORT, '{_NAMES[table]}'); END"
    )


def _refuse_on_postgresql(table: str, name: str, acts: str, each: str) -> None:
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {acts} ON {table} "
        f"FOR EACH {each} EXECUTE FUNCTION {table}_refuse()"
    )
