"""The JSON API: tokens, answers kept for repeats, the token in the audit. I/O."""

import sqlalchemy as sa
from alembic import op

from store.columns import UtcDateTime

revision = "0010"
down_revision = "0009"

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Utc = UtcDateTime()


def upgrade() -> None:
    """Make the tables; add the audit's column, empty in all rows that stand."""
    op.create_table(
        "api_tokens",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=24), nullable=True),
        sa.Column("user_id", BigId, nullable=True),
        sa.Column("created_at", Utc, nullable=False),
        sa.Column("last_used_at", Utc, nullable=True),
        sa.Column("revoked_at", Utc, nullable=True),
        sa.CheckConstraint(
            "role IN ('agent', 'supervisor', 'operator', 'specialist', 'verifier', 'administrator', 'auditor')",
            name=op.f("ck_api_tokens_role_is_known"),
        ),
        sa.CheckConstraint(
            "(role IS NULL) <> (user_id IS NULL)", name=op.f("ck_api_tokens_role_or_user")
        ),
        sa.CheckConstraint("role <> 'specialist'", name=op.f("ck_api_tokens_specialist_has_user")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_tokens_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("name", name=op.f("uq_api_tokens_name")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
    )
    op.create_table(
        "api_answers",
        sa.Column("token_id", BigId, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("asked", sa.String(length=64), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", Utc, nullable=False),
        sa.ForeignKeyConstraint(
            ["token_id"], ["api_tokens.id"], name=op.f("fk_api_answers_token_id")
        ),
        sa.PrimaryKeyConstraint("token_id", "key", name=op.f("pk_api_answers")),
    )
    op.create_index("ix_api_answers_created_at", "api_answers", ["created_at"])
    op.add_column("audit", sa.Column("token_id", BigId, nullable=True))


def downgrade() -> None:
    """Drop what `upgrade` made."""
    op.drop_column("audit", "token_id")
    op.drop_table("api_answers")
    op.drop_table("api_tokens")
