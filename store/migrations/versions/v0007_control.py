"""Priority of campaigns, brakes, and the indexes that they are judged by. I/O."""

import sqlalchemy as sa
from alembic import op

from store.columns import UtcDateTime

revision = "0007"
down_revision = "0006"

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Utc = UtcDateTime()
_OF_NOBODY = "msisdn IS NULL"
_ENDED = "state = 'ended'"


def upgrade() -> None:
    """Every campaign begins with the middle priority; no brake is drawn."""
    op.add_column(
        "campaigns",
        sa.Column(
            "priority",
            sa.Integer(),
            # Beside the column, because SQLite adds no rule to a table that stands.
            sa.CheckConstraint(
                "priority >= 1 AND priority <= 9", name=op.f("ck_campaigns_priority_in_range")
            ),
            server_default=sa.text("5"),
            nullable=False,
        ),
    )
    _create_brakes()
    _create_partial("ix_attempts_trunk_ended", "attempts", ["trunk", "ended_at"], _ENDED)
    _create_partial("ix_events_of_campaign", "events", ["campaign_id", "id"], _OF_NOBODY)


def downgrade() -> None:
    """Drop what `upgrade` made."""
    op.drop_index("ix_events_of_campaign", table_name="events")
    op.drop_index("ix_attempts_trunk_ended", table_name="attempts")
    op.drop_table("brakes")
    op.drop_column("campaigns", "priority")


def _create_brakes() -> None:
    op.create_table(
        "brakes",
        sa.Column("id", BigId, nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=True),
        sa.Column("trunk", sa.String(length=40), nullable=True),
        sa.Column("node", sa.String(length=40), nullable=False),
        sa.Column("cause", sa.String(length=24), nullable=False),
        sa.Column("factor", sa.Double(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", Utc, nullable=False),
        sa.Column("until", Utc, nullable=True),
        sa.Column("trips", sa.Integer(), nullable=False),
        sa.Column("overridden_by", sa.Text(), nullable=True),
        sa.Column("override_until", Utc, nullable=True),
        sa.CheckConstraint(
            "cause IN ('promise', 'queue', 'congestion')", name=op.f("ck_brakes_cause_is_known")
        ),
        sa.CheckConstraint(
            "(campaign_id IS NULL) <> (trunk IS NULL)", name=op.f("ck_brakes_one_scope")
        ),
        sa.CheckConstraint("factor >= 0 AND factor <= 1", name=op.f("ck_brakes_factor_in_range")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_brakes_campaign_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brakes")),
    )
    for name, columns, where in (
        ("uq_brakes_campaign", ["campaign_id", "cause"], "campaign_id IS NOT NULL"),
        ("uq_brakes_trunk", ["trunk", "cause", "node"], "trunk IS NOT NULL"),
    ):
        _create_partial(name, "brakes", columns, where, unique=True)


def _create_partial(
    name: str, table: str, columns: list[str], condition: str, *, unique: bool = False
) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)
