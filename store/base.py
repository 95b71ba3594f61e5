"""What all rows have in common: the base class, its names for rules, the types of ids. Pure."""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import BigInteger, Integer, MetaData, String, Table
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass

from store.columns import Json, UtcDateTime

BigId = BigInteger().with_variant(Integer, "sqlite")
Msisdn = String(16)


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
    """Every row is a dataclass; times are aware UTC."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime(), dict[str, Any]: Json, list[str]: Json}  # noqa: RUF012


def table(row: type[Base]) -> Table:
    """The table of a row class, for statements that are made once and run often."""
    return cast(Table, row.__table__)
