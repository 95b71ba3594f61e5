"""Key 3: what came of the waiting for an agent, on the attempt. I/O."""

import sqlalchemy as sa
from alembic import op

from store.columns import UtcDateTime

revision = "0005"
down_revision = "0004"

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OUTCOMES = "queue_outcome IN ('connected', 'abandoned', 'timed_out', 'no_agent', 'closed')"


def upgrade() -> None:
    """Add the columns, each without a value."""
    for column in (
        sa.Column("queue_joined_at", UtcDateTime(), nullable=True),
        sa.Column("queue_agent_id", BigId, nullable=True),
        sa.Column("queue_connected_at", UtcDateTime(), nullable=True),
        sa.Column("queue_left_at", UtcDateTime(), nullable=True),
        sa.Column(
            "queue_outcome",
            sa.String(length=24),
            # Beside the column, because SQLite adds no rule to a table that stands.
            sa.CheckConstraint(_OUTCOMES, name=op.f("ck_attempts_queue_outcome_is_known")),
            nullable=True,
        ),
    ):
        op.add_column("attempts", column)


def downgrade() -> None:
    """Drop them."""
    for name in ("outcome", "left_at", "connected_at", "agent_id", "joined_at"):
        op.drop_column("attempts", f"queue_{name}")
