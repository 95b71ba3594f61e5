"""The gate in the claim: campaigns by phase, targets counted by outcome and by reason. I/O."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_INDEXES = (
    ("ix_targets_done", ["campaign_id", "outcome"], "state = 'done'"),
    ("ix_targets_held", ["campaign_id", "held_by", "not_before"], "held_by IS NOT NULL"),
)
_COLUMNS = (("campaigns", "by_phase"), ("do_not_call_lists", "is_complete"))


def upgrade() -> None:
    """Add two columns, both false in rows that stand, and the indexes of the counts."""
    for table, name in _COLUMNS:
        op.add_column(
            table, sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
        )
    for name, columns, condition in _INDEXES:
        where = sa.text(condition)
        op.create_index(name, "targets", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Drop what `upgrade` made."""
    for name, _, _ in _INDEXES:
        op.drop_index(name, table_name="targets")
    for table, name in _COLUMNS:
        op.drop_column(table, name)
