"""What stands for one number: where it is listed, what it asked for, what it was promised. I/O."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, select

from domain.places import same_province
from store.models import Callback, Campaign, Import, OptOut, Registration, Target, table
from store.registrations import LATE


@dataclass(frozen=True, slots=True)
class Standing:
    """Rows of a number, the newest first, as mappings by column."""

    targets: Sequence[RowMapping]
    """With `campaign`, its name, and the file that brought it: `file_name` and `imported_at`."""
    registrations: Sequence[RowMapping]
    """With `late_since`, the last day of the phase where they came after that."""
    callbacks: Sequence[RowMapping]
    has_opted_out: bool

    @property
    def provinces(self) -> set[str]:
        """Where the audience lists say that the subscriber lives."""
        return {row["province"] for row in self.targets if row["province"]}

    def is_in(self, province: str | None) -> bool:
        """Whether one of the lists has it in that province, however the file writes the name."""
        return any(same_province(each, province or "") for each in self.provinces)


def standing(connection: Connection, msisdn: str) -> Standing:
    """All that stands for a number; nothing where it is not known."""
    target, registration, callback = (table(row).c for row in (Target, Registration, Callback))
    targets = (
        select(
            *(target.province, target.district, target.list_no, Campaign.name.label("campaign")),
            *(Import.file_name, Import.imported_at),
        )
        .join(Campaign, Campaign.id == target.campaign_id)
        .outerjoin(Import, Import.id == target.import_id)
        .where(target.msisdn == msisdn)
        .order_by(target.id.desc())
    )
    registrations = (
        select(
            *(registration.state, registration.channel, registration.registered_at),
            registration.evidence[LATE].as_string().label(LATE),
        )
        .where(registration.msisdn == msisdn)
        .order_by(registration.id.desc())
    )
    callbacks = (
        select(callback.kind, callback.state, callback.target_at, callback.promise_at)
        .where(callback.msisdn == msisdn)
        .order_by(callback.id.desc())
    )
    refused = select(OptOut.id).where(OptOut.msisdn == msisdn).limit(1)
    return Standing(
        connection.execute(targets).mappings().all(),
        connection.execute(registrations).mappings().all(),
        connection.execute(callbacks).mappings().all(),
        connection.execute(refused).first() is not None,
    )
