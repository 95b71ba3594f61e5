"""What is known of numbers that were taken out. Pure."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base


class ErasureKey(Base):
    """The name of a key under which refusals are kept; never the key (domain.erasure).

    A server with another key must not bring numbers in: it could not tell who has refused.
    """

    __tablename__ = "erasure_keys"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    since: Mapped[datetime]
