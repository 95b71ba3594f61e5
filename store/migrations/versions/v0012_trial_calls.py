"""Calls that try a script out. I/O."""

import sqlalchemy as sa
from alembic import op

from store.columns import UtcDateTime

revision = "0012"
down_revision = "0011"

Utc = UtcDateTime()
_OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    """Make the table; nothing has been tried out yet."""
    op.create_table(
        "trial_calls",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("msisdn", sa.String(length=16), nullable=False),
        sa.Column("script_version", sa.String(length=40), nullable=False),
        sa.Column("ring_timeout_seconds", sa.SmallInteger(), nullable=False),
        sa.Column("may_refuse", sa.Boolean(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", Utc, nullable=False),
        sa.Column("node", sa.String(length=40), nullable=True),
        sa.Column("trunk", sa.String(length=40), nullable=True),
        sa.Column("started_at", Utc, nullable=True),
        sa.Column("deadline_at", Utc, nullable=True),
        sa.Column("answered_at", Utc, nullable=True),
        sa.Column("keys", sa.Text(), nullable=False),
        sa.Column("ended_at", Utc, nullable=True),
        sa.Column("disposition", sa.String(length=24), nullable=True),
        sa.Column("hangup_cause", sa.SmallInteger(), nullable=True),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (disposition IS NULL)",
            name=op.f("ck_trial_calls_ended_has_disposition"),
        ),
        sa.CheckConstraint(
            "(node IS NULL) = (started_at IS NULL) AND (node IS NULL) = (deadline_at IS NULL)",
            name=op.f("ck_trial_calls_taken_has_start"),
        ),
        sa.CheckConstraint(
            "disposition IN ('answered', 'no_answer', 'busy', 'rejected', 'invalid_number', "
            "'unreachable', 'congestion', 'not_dialled', 'unknown', 'unexpected_cause')",
            name=op.f("ck_trial_calls_disposition_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_trial_calls_campaign_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trial_calls")),
    )
    op.create_index(
        "uq_trial_calls_open_msisdn",
        "trial_calls",
        ["msisdn"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index("ix_trial_calls_asked_at", "trial_calls", ["asked_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("trial_calls")
