"""Texts: in, out, receipts, references, opt-outs. I/O."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from store.columns import UtcDateTime

revision = "0002"
down_revision = "0001"

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
Utc = UtcDateTime()

_TABLES = ["messages_in", "opt_outs", "sms_references", "messages_out", "receipts"]
_RULES_ON_SQLITE = (
    """
    CREATE TRIGGER opt_outs_refuse_update BEFORE UPDATE ON opt_outs
    BEGIN SELECT RAISE(ABORT, 'opt-outs are append-only'); END
    """,
    """
    CREATE TRIGGER opt_outs_refuse_delete BEFORE DELETE ON opt_outs
    BEGIN SELECT RAISE(ABORT, 'opt-outs are append-only'); END
    """,
    """
    CREATE TRIGGER messages_out_final BEFORE UPDATE OF state ON messages_out
    WHEN OLD.state IN ('delivered', 'undelivered', 'expired', 'failed') AND NEW.state <> OLD.state
    BEGIN SELECT RAISE(ABORT, 'a final state never goes back'); END
    """,
)
_RULES_ON_POSTGRESQL = (
    """
    CREATE FUNCTION opt_outs_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'opt-outs are append-only'; END $$
    """,
    """
    CREATE TRIGGER opt_outs_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON opt_outs
    FOR EACH STATEMENT EXECUTE FUNCTION opt_outs_refuse()
    """,
    """
    CREATE FUNCTION messages_out_final() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'a final state never goes back'; END $$
    """,
    """
    CREATE TRIGGER messages_out_final BEFORE UPDATE ON messages_out FOR EACH ROW
    WHEN (OLD.state IN ('delivered', 'undelivered', 'expired', 'failed')
          AND NEW.state <> OLD.state)
    EXECUTE FUNCTION messages_out_final()
    """,
)


def upgrade() -> None:
    """Make the tables, and the rules that no CHECK can tell."""
    _create_tables()
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _RULES_ON_SQLITE if is_sqlite else _RULES_ON_POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    """Drop what `upgrade` made."""
    for table in reversed(_TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION opt_outs_refuse()")
        op.execute("DROP FUNCTION messages_out_final()")


def _create_tables() -> None:
    op.create_table(
        "messages_in",
        sa.Column("id", BigId, nullable=False),
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("bind", sa.String(length=80), nullable=False),
        sa.Column("received_at", Utc, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("msisdn", sa.String(length=16), nullable=True),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("data_coding", sa.SmallInteger(), nullable=False),
        sa.Column("esm_class", sa.SmallInteger(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("part_reference", sa.Integer(), nullable=True),
        sa.Column("part_bits", sa.SmallInteger(), nullable=True),
        sa.Column("part_total", sa.SmallInteger(), nullable=True),
        sa.Column("part_number", sa.SmallInteger(), nullable=True),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("read_at", Utc, nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("fold", sa.Text(), nullable=True),
        sa.Column("verdict", sa.String(length=24), nullable=True),
        sa.Column("answer", sa.String(length=24), nullable=True),
        sa.Column("repeat_of", BigId, nullable=True),
        sa.Column("joined_into", BigId, nullable=True),
        sa.CheckConstraint(
            "(state = 'read') = (read_at IS NOT NULL)", name=op.f("ck_messages_in_read_has_time")
        ),
        sa.CheckConstraint(
            "(state = 'received' OR state = 'waiting' OR state = 'read')",
            name=op.f("ck_messages_in_state_is_known"),
        ),
        sa.CheckConstraint(
            "joined_into IS NULL OR state = 'read'", name=op.f("ck_messages_in_joined_is_read")
        ),
        sa.CheckConstraint(
            "state <> 'waiting' OR part_number IS NOT NULL",
            name=op.f("ck_messages_in_waits_for_parts"),
        ),
        sa.CheckConstraint(
            "(part_reference IS NULL) = (part_number IS NULL) AND (part_bits IS NULL) = (part_number IS NULL) AND (part_total IS NULL) = (part_number IS NULL)",
            name=op.f("ck_messages_in_part_is_whole"),
        ),
        sa.CheckConstraint(
            "part_number BETWEEN 1 AND part_total", name=op.f("ck_messages_in_part_is_one_of_total")
        ),
        sa.ForeignKeyConstraint(
            ["joined_into"], ["messages_in.id"], name=op.f("fk_messages_in_joined_into")
        ),
        sa.ForeignKeyConstraint(
            ["repeat_of"], ["messages_in.id"], name=op.f("fk_messages_in_repeat_of")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages_in")),
    )
    op.create_index(
        "ix_messages_in_msisdn",
        "messages_in",
        ["msisdn", "received_at"],
        unique=False,
        sqlite_where=sa.text("state = 'read'"),
        postgresql_where=sa.text("state = 'read'"),
    )
    op.create_index(
        "ix_messages_in_received",
        "messages_in",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state = 'received'"),
        postgresql_where=sa.text("state = 'received'"),
    )
    op.create_index(
        "ix_messages_in_waiting",
        "messages_in",
        [
            "account",
            "source",
            "destination",
            "part_reference",
            "part_bits",
            "part_total",
            "part_number",
            "received_at",
        ],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "opt_outs",
        sa.Column("id", BigId, nullable=False),
        sa.Column("msisdn", sa.String(length=16), nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.Column("applied_at", Utc, nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opt_outs")),
        sa.UniqueConstraint("source_id", name=op.f("uq_opt_outs_source_id")),
    )
    op.create_index("ix_opt_outs_msisdn", "opt_outs", ["msisdn"], unique=False)
    op.create_table(
        "sms_references",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("reference", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "reference BETWEEN 0 AND 65535", name=op.f("ck_sms_references_reference_is_16_bit")
        ),
        sa.PrimaryKeyConstraint("source", "destination", name=op.f("pk_sms_references")),
    )
    op.create_table(
        "messages_out",
        sa.Column("id", BigId, nullable=False),
        sa.Column("head_id", BigId, nullable=True),
        sa.Column("part_number", sa.SmallInteger(), nullable=False),
        sa.Column("part_total", sa.SmallInteger(), nullable=False),
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("msisdn", sa.String(length=16), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("data_coding", sa.SmallInteger(), nullable=False),
        sa.Column("esm_class", sa.SmallInteger(), nullable=False),
        sa.Column("tlvs", sa.LargeBinary(), nullable=True),
        sa.Column("once", sa.String(length=80), nullable=True),
        sa.Column("in_reply_to", BigId, nullable=True),
        sa.Column("campaign_id", sa.Integer(), nullable=True),
        sa.Column("posted_at", Utc, nullable=False),
        sa.Column("not_before", Utc, nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("unanswered", sa.SmallInteger(), nullable=False),
        sa.Column("bind", sa.String(length=80), nullable=True),
        sa.Column("sending_at", Utc, nullable=True),
        sa.Column("unanswered_at", Utc, nullable=True),
        sa.Column("responded_at", Utc, nullable=True),
        sa.Column("status", BigId, nullable=True),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("done_at", Utc, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'reply' OR kind = 'manual' OR kind = 'invitation')",
            name=op.f("ck_messages_out_kind_is_known"),
        ),
        sa.CheckConstraint(
            "(state = 'delivered' OR state = 'undelivered' OR state = 'expired') = (done_at IS NOT NULL)",
            name=op.f("ck_messages_out_done_has_time"),
        ),
        sa.CheckConstraint(
            "(state = 'queued' OR state = 'sending' OR state = 'accepted' OR state = 'delivered' OR state = 'undelivered' OR state = 'expired' OR state = 'failed' OR state = 'unknown')",
            name=op.f("ck_messages_out_state_is_known"),
        ),
        sa.CheckConstraint(
            "NOT (state = 'accepted' OR (state = 'delivered' OR state = 'undelivered' OR state = 'expired')) OR responded_at IS NOT NULL",
            name=op.f("ck_messages_out_accepted_has_response"),
        ),
        sa.CheckConstraint(
            "kind <> 'reply' OR in_reply_to IS NOT NULL AND (once IS NULL OR once = 'reply:' || in_reply_to)",
            name=op.f("ck_messages_out_text_is_answered_once"),
        ),
        sa.CheckConstraint(
            "message_id IS NULL OR (state = 'accepted' OR (state = 'delivered' OR state = 'undelivered' OR state = 'expired'))",
            name=op.f("ck_messages_out_id_comes_with_acceptance"),
        ),
        sa.CheckConstraint(
            "state <> 'queued' AND state <> 'sending' OR unanswered = 0 OR unanswered = 1 AND kind = 'reply'",
            name=op.f("ck_messages_out_only_replies_are_resent"),
        ),
        sa.CheckConstraint(
            "state <> 'sending' OR bind IS NOT NULL AND sending_at IS NOT NULL",
            name=op.f("ck_messages_out_sending_has_bind"),
        ),
        sa.CheckConstraint(
            "(head_id IS NULL) = (part_number = 1) AND (head_id IS NULL) = (once IS NOT NULL) AND (head_id IS NULL) = (text IS NOT NULL)",
            name=op.f("ck_messages_out_head_is_first_part"),
        ),
        sa.CheckConstraint(
            "part_number BETWEEN 1 AND part_total",
            name=op.f("ck_messages_out_part_is_one_of_total"),
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_messages_out_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["head_id"], ["messages_out.id"], name=op.f("fk_messages_out_head_id")
        ),
        sa.ForeignKeyConstraint(
            ["in_reply_to"], ["messages_in.id"], name=op.f("fk_messages_out_in_reply_to")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages_out")),
    )
    op.create_index(
        "ix_messages_out_message_id",
        "messages_out",
        ["message_id"],
        unique=False,
        sqlite_where=sa.text("message_id IS NOT NULL"),
        postgresql_where=sa.text("message_id IS NOT NULL"),
    )
    op.create_index("ix_messages_out_msisdn", "messages_out", ["msisdn"], unique=False)
    op.create_index(
        "ix_messages_out_queued",
        "messages_out",
        ["account", "kind", "not_before", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "ix_messages_out_sending",
        "messages_out",
        ["bind"],
        unique=False,
        sqlite_where=sa.text("state = 'sending'"),
        postgresql_where=sa.text("state = 'sending'"),
    )
    op.create_index(
        "uq_messages_out_head_id_part_number",
        "messages_out",
        ["head_id", "part_number"],
        unique=True,
        sqlite_where=sa.text("head_id IS NOT NULL"),
        postgresql_where=sa.text("head_id IS NOT NULL"),
    )
    op.create_index(
        "uq_messages_out_once",
        "messages_out",
        ["once"],
        unique=True,
        sqlite_where=sa.text("once IS NOT NULL"),
        postgresql_where=sa.text("once IS NOT NULL"),
    )
    op.create_table(
        "receipts",
        sa.Column("id", BigId, nullable=False),
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("received_at", Utc, nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("msisdn", sa.String(length=16), nullable=True),
        sa.Column("forms", Json, nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("stat", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("matching", sa.String(length=24), nullable=False),
        sa.Column("message_out_id", BigId, nullable=True),
        sa.Column("again_at", Utc, nullable=True),
        sa.CheckConstraint(
            "(matching = 'matched' OR matching = 'orphan' OR matching = 'given_up')",
            name=op.f("ck_receipts_matching_is_known"),
        ),
        sa.CheckConstraint(
            "(matching = 'matched') = (message_out_id IS NOT NULL)",
            name=op.f("ck_receipts_matched_has_text"),
        ),
        sa.CheckConstraint(
            "(matching = 'orphan') = (again_at IS NOT NULL)",
            name=op.f("ck_receipts_orphan_comes_again"),
        ),
        sa.CheckConstraint(
            "(state = 'delivered' OR state = 'expired' OR state = 'deleted' OR state = 'undeliverable' OR state = 'accepted' OR state = 'enroute' OR state = 'rejected' OR state = 'unknown')",
            name=op.f("ck_receipts_state_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["message_out_id"], ["messages_out.id"], name=op.f("fk_receipts_message_out_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
    )
    op.create_index(
        "ix_receipts_orphan",
        "receipts",
        ["again_at"],
        unique=False,
        sqlite_where=sa.text("matching = 'orphan'"),
        postgresql_where=sa.text("matching = 'orphan'"),
    )
