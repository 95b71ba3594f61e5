"""Imports, places of targets, do-not-call lists, phases. I/O."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from store.columns import UtcDateTime

revision = "0006"
down_revision = "0005"

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
Utc = UtcDateTime()

_TABLES = ["imports", "do_not_call_lists", "do_not_call", "phases"]
_SCOPES = "scope IN ('all', 'sms', 'voice')"


def upgrade() -> None:
    """Make the tables; add the columns of targets, each without a value."""
    _create_tables()
    for column in (
        sa.Column("import_id", BigId, nullable=True),
        sa.Column("province_code", sa.String(length=8), nullable=True),
        sa.Column("district_code", sa.String(length=8), nullable=True),
        sa.Column("held_by", sa.String(length=24), nullable=True),
    ):
        op.add_column("targets", column)
    op.create_index(
        "ix_targets_import_id",
        "targets",
        ["import_id"],
        sqlite_where=sa.text("import_id IS NOT NULL"),
        postgresql_where=sa.text("import_id IS NOT NULL"),
    )


def downgrade() -> None:
    """Drop what `upgrade` made."""
    op.drop_index("ix_targets_import_id", table_name="targets")
    for name in ("held_by", "district_code", "province_code", "import_id"):
        op.drop_column("targets", name)
    for table in reversed(_TABLES):
        op.drop_table(table)


def _create_tables() -> None:
    op.create_table(
        "imports",
        sa.Column("id", BigId, nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("extracted_at", Utc, nullable=True),
        sa.Column("imported_at", Utc, nullable=False),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.Column("counts", Json, nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.CheckConstraint(
            "state IN ('loading', 'done', 'undone')", name=op.f("ck_imports_state_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_imports_campaign_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    op.create_index("ix_imports_campaign_id", "imports", ["campaign_id"])
    op.create_table(
        "do_not_call_lists",
        sa.Column("id", BigId, nullable=False),
        sa.Column("scope", sa.String(length=24), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("loaded_at", Utc, nullable=False),
        sa.Column("loaded_by", sa.Text(), nullable=False),
        sa.Column("numbers", sa.Integer(), nullable=False),
        sa.CheckConstraint(_SCOPES, name=op.f("ck_do_not_call_lists_scope_is_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_do_not_call_lists")),
    )
    op.create_table(
        "do_not_call",
        sa.Column("msisdn", sa.String(length=16), nullable=False),
        sa.Column("scope", sa.String(length=24), nullable=False),
        sa.Column("list_id", BigId, nullable=False),
        sa.CheckConstraint(_SCOPES, name=op.f("ck_do_not_call_scope_is_known")),
        sa.ForeignKeyConstraint(
            ["list_id"], ["do_not_call_lists.id"], name=op.f("fk_do_not_call_list_id")
        ),
        sa.PrimaryKeyConstraint("msisdn", "scope", name=op.f("pk_do_not_call")),
    )
    op.create_table(
        "phases",
        sa.Column("id", BigId, nullable=False),
        sa.Column("scheme", sa.String(length=24), nullable=False),
        sa.Column("province_code", sa.String(length=8), nullable=False),
        sa.Column("district_code", sa.String(length=8), nullable=True),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "scheme IN ('vn-2021', 'vn-2025')", name=op.f("ck_phases_scheme_is_known")
        ),
        sa.CheckConstraint(
            "closes_on IS NULL OR closes_on >= opens_on",
            name=op.f("ck_phases_opens_before_it_closes"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phases")),
    )
    for name, columns, condition in (
        ("uq_phases_district", ["scheme", "province_code", "district_code"], "IS NOT NULL"),
        ("uq_phases_province", ["scheme", "province_code"], "IS NULL"),
    ):
        where = sa.text(f"district_code {condition}")
        op.create_index(
            name, "phases", columns, unique=True, sqlite_where=where, postgresql_where=where
        )
