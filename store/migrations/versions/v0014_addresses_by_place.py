"""Addresses by their place: the wards of a district that an agent is offered. I/O."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_addresses_place", "addresses", ["province", "district", "ward"])


def downgrade() -> None:
    """Undo `upgrade`."""
    op.drop_index("ix_addresses_place", "addresses")
