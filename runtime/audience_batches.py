"""Takes the good rows of an audience file, batch after batch: into the store, or only weighed. I/O.

A dry run asks the store what it holds and gives the same verdicts in the same order; nothing but a
write shows that another import was faster.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from dialer.audience_columns import AudienceRow
from domain.clock import Clock
from domain.places import Places
from runtime.audience_report import ImportOptions, ImportReport, Judged, Verdict, sort_out
from runtime.seen_numbers import SeenNumbers
from store import audience, imports
from store.audience import Newcomer
from store.engine import Store

Rows = Sequence[AudienceRow]


class Taker(Protocol):
    """What is done with the rows of a batch that can be read and are eligible."""

    async def take(self, rows: Rows, report: ImportReport) -> list[Judged]:
        """Give each row its verdict, and count it in the report."""


class Writer:
    """Adds what is new. A batch is one transaction, and with it the counts up to there."""

    def __init__(
        self,
        store: Store,
        campaign_id: int,
        import_id: int,
        options: ImportOptions,
        seen: SeenNumbers,
        clock: Clock,
    ) -> None:
        self._store = store
        self._seen = seen
        self._campaign_id = campaign_id
        self._import_id = import_id
        self._options = options
        self._clock = clock

    async def take(self, rows: Rows, report: ImportReport) -> list[Judged]:
        """In a short transaction, so that a server that is dialling never waits for long."""
        return await self._store.write(self._add, rows, report, self._clock())

    def _add(
        self, connection: Connection, rows: Rows, report: ImportReport, now: datetime
    ) -> list[Judged]:
        imports.require_loading(connection, self._import_id, self._campaign_id)
        firsts = _firsts(rows)
        elsewhere = audience.in_other_running(connection, self._campaign_id, list(firsts))
        refused = elsewhere if self._options.skip_other_campaigns else set[str]()
        newcomers = _newcomers(firsts, refused, self._options.places)
        same = (self._campaign_id, self._import_id, newcomers, now, self._options.erasure_key)
        added = audience.add_new(connection, *same)
        rest = [msisdn for msisdn in firsts if msisdn not in added]
        held = audience.held(connection, self._campaign_id, rest)
        known = {msisdn for msisdn, by in held.items() if by != self._import_id}
        judged = sort_out(rows, added, self._seen.first_time(known), refused)
        _count(report, judged, elsewhere, self._options.places)
        imports.count(connection, self._import_id, report.counts())
        return judged


class Weigher:
    """Says what would be added, and writes nothing."""

    def __init__(
        self, store: Store, campaign_id: int, options: ImportOptions, seen: SeenNumbers
    ) -> None:
        self._store = store
        self._campaign_id = campaign_id
        self._options = options
        self._seen = seen

    async def take(self, rows: Rows, report: ImportReport) -> list[Judged]:
        """Compare with what the campaign holds, and with the rows before."""
        known, elsewhere = await self._store.read(self._look_up, list(_firsts(rows)))
        refused = elsewhere if self._options.skip_other_campaigns else set[str]()
        first = self._seen.first_time({row.msisdn for row in rows} - refused)
        judged = sort_out(rows, first - known, first & known, refused)
        _count(report, judged, elsewhere, self._options.places)
        return judged

    def _look_up(self, connection: Connection, msisdns: Sequence[str]) -> tuple[set[str], set[str]]:
        known = audience.held(connection, self._campaign_id, msisdns)
        return set(known), audience.in_other_running(connection, self._campaign_id, msisdns)


def _firsts(rows: Rows) -> dict[str, AudienceRow]:
    """The first row of each number, in the order of the file."""
    firsts: dict[str, AudienceRow] = {}
    for row in rows:
        firsts.setdefault(row.msisdn, row)
    return firsts


def _newcomers(
    firsts: Mapping[str, AudienceRow], refused: set[str], places: Places
) -> list[Newcomer]:
    return [_newcomer(row, places) for row in firsts.values() if row.msisdn not in refused]


def _newcomer(row: AudienceRow, places: Places) -> Newcomer:
    place = places.locate(row.province, row.district)
    return Newcomer(
        msisdn=row.msisdn,
        province=row.province,
        district=row.district,
        list_no=row.list_no,
        attributes=row.attributes,
        province_code=place.province_code,
        district_code=place.district_code,
    )


def _count(
    report: ImportReport, judged: Iterable[Judged], elsewhere: set[str], places: Places
) -> None:
    for row, verdict in judged:
        report.verdicts[verdict] += 1
        if verdict is not Verdict.ADDED:
            continue
        report.also_in_other_campaigns += row.msisdn in elsewhere
        place = places.locate(row.province, row.district)
        report.unknown_province += place.province_is_unknown
        report.unknown_district += place.district_is_unknown
