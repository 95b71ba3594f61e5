"""Campaigns, targets, attempts, key presses, registrations, call-backs, history, limits. I/O."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from store.columns import UtcDateTime

revision = "0001"
down_revision = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
Utc = UtcDateTime()

_TABLES = [
    "campaigns",
    "events",
    "limits",
    "registrations",
    "targets",
    "attempts",
    "callbacks",
    "key_presses",
]
_REFUSE_ON_SQLITE = """
CREATE TRIGGER events_refuse_{action} BEFORE {action} ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END
"""
_REFUSE_ON_POSTGRESQL = (
    """
    CREATE FUNCTION events_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'events are append-only'; END $$
    """,
    """
    CREATE TRIGGER events_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION events_refuse()
    """,
)


def upgrade() -> None:
    """Make the tables, and the rule that history is only added to."""
    _create_tables()
    if op.get_bind().dialect.name == "sqlite":
        for action in ("UPDATE", "DELETE"):
            op.execute(_REFUSE_ON_SQLITE.format(action=action))
    else:
        for statement in _REFUSE_ON_POSTGRESQL:
            op.execute(statement)


def downgrade() -> None:
    """Drop everything."""
    for table in reversed(_TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION events_refuse()")


def _create_tables() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("purpose", sa.String(length=24), nullable=True),
        sa.Column("script_version", sa.String(length=40), nullable=False),
        sa.Column("cps", sa.Double(), nullable=False),
        sa.Column("max_channels", sa.Integer(), nullable=False),
        sa.Column("ring_timeout_seconds", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("retry", Json, nullable=False),
        sa.Column("windows", Json, nullable=False),
        sa.Column("call_on_holidays", sa.Boolean(), nullable=False),
        sa.Column("created_at", Utc, nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("started_at", Utc, nullable=True),
        sa.CheckConstraint(
            "purpose IN ('advertising', 'customer_care', 'transactional')",
            name=op.f("ck_campaigns_purpose_is_known"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'stopped') OR purpose IS NOT NULL",
            name=op.f("ck_campaigns_started_has_purpose"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'running', 'paused', 'stopped', 'finished')",
            name=op.f("ck_campaigns_state_is_known"),
        ),
        sa.CheckConstraint(
            "cps > 0 AND max_channels > 0 AND max_attempts > 0",
            name=op.f("ck_campaigns_knobs_positive"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
        sa.UniqueConstraint("name", name=op.f("uq_campaigns_name")),
    )
    op.create_table(
        "events",
        sa.Column("id", BigId, nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("msisdn", sa.String(length=16), nullable=True),
        sa.Column("campaign_id", sa.Integer(), nullable=True),
        sa.Column("data", Json, nullable=False),
        sa.Column("once", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("once", name=op.f("uq_events_once")),
    )
    op.create_index("ix_events_msisdn_at", "events", ["msisdn", "at"], unique=False)
    op.create_table(
        "limits",
        sa.Column("scope", sa.String(length=60), nullable=False),
        sa.Column("cps", sa.Double(), nullable=False),
        sa.Column("max_channels", sa.Integer(), nullable=False),
        sa.CheckConstraint("cps > 0 AND max_channels >= 0", name=op.f("ck_limits_limits_positive")),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_limits")),
    )
    op.create_table(
        "registrations",
        sa.Column("id", BigId, nullable=False),
        sa.Column("msisdn", sa.String(length=16), nullable=False),
        sa.Column("channel", sa.String(length=24), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=True),
        sa.Column("registered_at", Utc, nullable=False),
        sa.Column("evidence", Json, nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.CheckConstraint(
            "channel IN ('ivr', 'sms', 'web', 'agent')",
            name=op.f("ck_registrations_channel_is_known"),
        ),
        sa.CheckConstraint(
            "state IN ('open', 'cancelled', 'completed')",
            name=op.f("ck_registrations_state_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_registrations_campaign_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registrations")),
        sa.UniqueConstraint(
            "source_id", "channel", name=op.f("uq_registrations_source_id_channel")
        ),
    )
    op.create_index("ix_registrations_campaign_id", "registrations", ["campaign_id"], unique=False)
    op.create_index("ix_registrations_msisdn", "registrations", ["msisdn"], unique=False)
    op.create_index(
        "uq_registrations_open_msisdn",
        "registrations",
        ["msisdn"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "targets",
        sa.Column("id", BigId, nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("msisdn", sa.String(length=16), nullable=False),
        sa.Column("province", sa.Text(), nullable=True),
        sa.Column("district", sa.Text(), nullable=True),
        sa.Column("list_no", sa.SmallInteger(), nullable=True),
        sa.Column("attributes", Json, nullable=False),
        sa.Column("not_before", Utc, nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("attempts_made", sa.SmallInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=24), nullable=True),
        sa.CheckConstraint(
            "(state = 'done') = (outcome IS NOT NULL)", name=op.f("ck_targets_done_has_outcome")
        ),
        sa.CheckConstraint(
            "state IN ('ready', 'claimed', 'done')", name=op.f("ck_targets_state_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_targets_campaign_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_targets")),
        sa.UniqueConstraint("campaign_id", "msisdn", name=op.f("uq_targets_campaign_id_msisdn")),
    )
    op.create_index("ix_targets_msisdn", "targets", ["msisdn"], unique=False)
    op.create_index(
        "ix_targets_ready",
        "targets",
        ["campaign_id", "not_before", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'ready'"),
        postgresql_where=sa.text("state = 'ready'"),
    )
    op.create_index(
        "ix_targets_claimed",
        "targets",
        ["campaign_id"],
        unique=False,
        sqlite_where=sa.text("state = 'claimed'"),
        postgresql_where=sa.text("state = 'claimed'"),
    )
    op.create_table(
        "attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("target_id", BigId, nullable=False),
        sa.Column("msisdn", sa.String(length=16), nullable=False),
        sa.Column("node", sa.String(length=40), nullable=False),
        sa.Column("trunk", sa.String(length=40), nullable=False),
        sa.Column("script_version", sa.String(length=40), nullable=False),
        sa.Column("started_at", Utc, nullable=False),
        sa.Column("ring_timeout_seconds", sa.SmallInteger(), nullable=False),
        sa.Column("deadline_at", Utc, nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("ringing_at", Utc, nullable=True),
        sa.Column("answered_at", Utc, nullable=True),
        sa.Column("ended_at", Utc, nullable=True),
        sa.Column("disposition", sa.String(length=24), nullable=True),
        sa.Column("hangup_cause", sa.SmallInteger(), nullable=True),
        sa.Column("tech_cause", sa.SmallInteger(), nullable=True),
        sa.Column("adoptions", sa.SmallInteger(), nullable=False),
        sa.Column("settled_at", Utc, nullable=True),
        sa.CheckConstraint(
            "(state = 'ended') = (ended_at IS NOT NULL AND disposition IS NOT NULL)",
            name=op.f("ck_attempts_ended_has_disposition"),
        ),
        sa.CheckConstraint(
            "disposition IN ('answered', 'no_answer', 'busy', 'rejected', 'invalid_number', 'unreachable', 'congestion', 'not_dialled', 'unknown', 'unexpected_cause')",
            name=op.f("ck_attempts_disposition_is_known"),
        ),
        sa.CheckConstraint(
            "settled_at IS NULL OR state = 'ended'", name=op.f("ck_attempts_settled_has_ended")
        ),
        sa.CheckConstraint(
            "state <> 'answered' OR answered_at IS NOT NULL",
            name=op.f("ck_attempts_answered_has_time"),
        ),
        sa.CheckConstraint(
            "state IN ('dialling', 'answered', 'ended')", name=op.f("ck_attempts_state_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_attempts_campaign_id")
        ),
        sa.ForeignKeyConstraint(["target_id"], ["targets.id"], name=op.f("fk_attempts_target_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    op.create_index("ix_attempts_campaign_id", "attempts", ["campaign_id"], unique=False)
    op.create_index("ix_attempts_msisdn", "attempts", ["msisdn"], unique=False)
    op.create_index("ix_attempts_target_id", "attempts", ["target_id"], unique=False)
    op.create_index(
        "ix_attempts_unsettled",
        "attempts",
        ["ended_at"],
        unique=False,
        sqlite_where=sa.text("state = 'ended' AND settled_at IS NULL"),
        postgresql_where=sa.text("state = 'ended' AND settled_at IS NULL"),
    )
    op.create_index(
        "uq_attempts_open_msisdn",
        "attempts",
        ["msisdn"],
        unique=True,
        sqlite_where=sa.text("state <> 'ended'"),
        postgresql_where=sa.text("state <> 'ended'"),
    )
    op.create_table(
        "callbacks",
        sa.Column("id", BigId, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("msisdn", sa.String(length=16), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=True),
        sa.Column("source_id", sa.String(length=72), nullable=False),
        sa.Column("requested_at", Utc, nullable=False),
        sa.Column("target_at", Utc, nullable=False),
        sa.Column("promise_at", Utc, nullable=False),
        sa.Column("registration_id", BigId, nullable=True),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.CheckConstraint(
            "kind <> 'confirm' OR registration_id IS NOT NULL",
            name=op.f("ck_callbacks_confirm_has_why"),
        ),
        sa.CheckConstraint(
            "kind IN ('confirm', 'advice')", name=op.f("ck_callbacks_kind_is_known")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'done', 'cancelled')", name=op.f("ck_callbacks_state_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_callbacks_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registrations.id"], name=op.f("fk_callbacks_registration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callbacks")),
        sa.UniqueConstraint("source_id", "kind", name=op.f("uq_callbacks_source_id_kind")),
    )
    op.create_index("ix_callbacks_campaign_id", "callbacks", ["campaign_id"], unique=False)
    op.create_index(
        "uq_callbacks_open_msisdn_kind",
        "callbacks",
        ["msisdn", "kind"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "key_presses",
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("pressed_at", Utc, nullable=False),
        sa.Column("key", sa.String(length=1), nullable=False),
        sa.Column("script_state", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["attempts.id"], name=op.f("fk_key_presses_attempt_id")
        ),
        sa.PrimaryKeyConstraint("attempt_id", "pressed_at", "key", name=op.f("pk_key_presses")),
    )
