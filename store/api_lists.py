"""What the API lists, a page by key, and finds by id. I/O.

A page begins after a row by its id: rows that come or change meanwhile make none appear twice.
"""

from sqlalchemy import Connection, RowMapping, select

from store.callback_views import Place
from store.models import Callback, Campaign, Import, Target, table

_campaigns, _imports = table(Campaign), table(Import)
_callback, _target = table(Callback).c, table(Target).c


def campaigns_after(connection: Connection, after: int, limit: int) -> list[RowMapping]:
    """The campaigns that follow one, the oldest first."""
    identity = _campaigns.c.id
    chosen = select(_campaigns).where(identity > after).order_by(identity).limit(limit)
    return list(connection.execute(chosen).mappings())


def imports_after(
    connection: Connection, campaign_id: int, after: int, limit: int
) -> list[RowMapping]:
    """The files of a campaign that follow one, the oldest first."""
    identity = _imports.c.id
    chosen = select(_imports).where(_imports.c.campaign_id == campaign_id, identity > after)
    return list(connection.execute(chosen.order_by(identity).limit(limit)).mappings())


def place_of(connection: Connection, callback_id: int) -> Place | None:
    """Where a call-back stands in the queue, open or not."""
    columns = (_callback.target_at, _callback.promise_at, _callback.id)
    row = connection.execute(select(*columns).where(_callback.id == callback_id)).first()
    return None if row is None else (row.target_at, row.promise_at, row.id)


def targets_of(connection: Connection, msisdn: str) -> list[RowMapping]:
    """The number in each campaign that has it, the newest first.

    With the `campaign`'s name and the `file_name` of the import that brought it.
    """
    columns = (
        *(_target.state, _target.outcome, _target.attempts_made, _target.not_before),
        *(_target.held_by, _target.province, _target.district, _target.list_no),
        *(_target.import_id, _imports.c.file_name),
    )
    chosen = (
        select(*columns, _campaigns.c.name.label("campaign"))
        .join(_campaigns, _campaigns.c.id == _target.campaign_id)
        .outerjoin(_imports, _imports.c.id == _target.import_id)
        .where(_target.msisdn == msisdn)
    )
    return list(connection.execute(chosen.order_by(_target.id.desc())).mappings())
