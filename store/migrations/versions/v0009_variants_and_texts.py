"""Script variants, text campaigns, and campaigns that follow them. I/O."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from store.columns import UtcDateTime

revision = "0009"
down_revision = "0008"

Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

_UNSETTLED = (
    "campaign_id IS NOT NULL AND state <> 'queued' AND state <> 'sending'"
    " AND coalesce(settled_as, '') <> state"
)


def upgrade() -> None:
    """Add the columns: campaigns that stand are calls without variants, told of all their texts."""
    for column in (
        sa.Column("variants", Json, nullable=False, server_default=sa.text("'{}'")),
        sa.Column(
            "kind",
            sa.String(length=24),
            # Beside the column, because SQLite adds no rule to a table that stands.
            sa.CheckConstraint("kind IN ('call', 'text')", name=op.f("ck_campaigns_kind_is_known")),
            nullable=False,
            server_default="call",
        ),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("account", sa.String(length=80), nullable=True),
        sa.Column(
            "source",
            sa.Text(),
            sa.CheckConstraint(
                "(kind = 'text') = (text IS NOT NULL AND account IS NOT NULL"
                " AND source IS NOT NULL)",
                name=op.f("ck_campaigns_text_has_words"),
            ),
            nullable=True,
        ),
        sa.Column("text_due_at", UtcDateTime(), nullable=True),
        sa.Column("follows", sa.String(length=80), nullable=True),
        sa.Column(
            "follow_after_hours",
            sa.Double(),
            sa.CheckConstraint(
                "(follows IS NULL) = (follow_after_hours IS NULL)",
                name=op.f("ck_campaigns_follows_after_hours"),
            ),
            nullable=True,
        ),
    ):
        op.add_column("campaigns", column)
    op.add_column("messages_out", sa.Column("settled_as", sa.String(length=24), nullable=True))
    for name, columns, condition in (
        (
            "ix_messages_out_campaign",
            ["campaign_id", "state", "responded_at"],
            "campaign_id IS NOT NULL",
        ),
        ("ix_messages_out_unsettled", ["id"], _UNSETTLED),
    ):
        where = sa.text(condition)
        op.create_index(name, "messages_out", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Drop what `upgrade` made."""
    for name in ("unsettled", "campaign"):
        op.drop_index(f"ix_messages_out_{name}", table_name="messages_out")
    op.drop_column("messages_out", "settled_as")
    for name in (
        *("follow_after_hours", "follows", "text_due_at", "source", "account", "text"),
        *("kind", "variants"),
    ):
        op.drop_column("campaigns", name)
