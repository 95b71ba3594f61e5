"""Attempts of a campaign by their start: what the pages count of the last hour. I/O."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the index, and drop the one that it begins with."""
    op.create_index("ix_attempts_campaign_id_started_at", "attempts", ["campaign_id", "started_at"])
    op.drop_index("ix_attempts_campaign_id", "attempts")


def downgrade() -> None:
    """Undo `upgrade`."""
    op.create_index("ix_attempts_campaign_id", "attempts", ["campaign_id"])
    op.drop_index("ix_attempts_campaign_id_started_at", "attempts")
