"""Takes the good rows of an audience file, batch after batch: into the store, or only weighed. I/O.

A dry run asks the store what it holds and gives the same verdicts in the same order; nothing but a
write shows that another import was faster.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import compress, starmap
from typing import Protocol

from sqlalchemy import Connection

from domain.clock import Clock
from runtime.audience_report import BatchCounts, ImportOptions, ImportReport, Verdict, sort_out
from runtime.audience_sieve import Batch
from runtime.seen_numbers import SeenNumbers
from store import audience, imports
from store.audience import Known, Newcomer
from store.engine import Store


class Taker(Protocol):
    """What is done with the rows of a batch that can be read and are eligible."""

    async def take(self, batch: Batch, report: ImportReport) -> list[Verdict]:
        """Give each of those rows its verdict, and count it in the report."""


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

    async def take(self, batch: Batch, report: ImportReport) -> list[Verdict]:
        """In a short transaction, so that a server that is dialling never waits for long."""
        judged = await self._store.write(self._add, _newcomers(batch), report, self._clock())
        report.add(judged.counts)
        self._seen.add(judged.before)
        return judged.verdicts

    def _add(
        self,
        connection: Connection,
        newcomers: Sequence[Newcomer],
        report: ImportReport,
        now: datetime,
    ) -> "_Judged":
        imports.require_loading(connection, self._import_id, self._campaign_id)
        msisdns = [each.msisdn for each in newcomers]
        known = audience.known(connection, self._campaign_id, msisdns)
        refused = _refused(known, self._options)
        before = {msisdn for msisdn, by in known.held.items() if by != self._import_id}
        new = set(msisdns) - known.held.keys() - refused
        before = self._seen.unseen(before)
        verdicts = sort_out(msisdns, new, before, refused)
        added = _added(newcomers, verdicts)
        same = (self._campaign_id, self._import_id, added, now, self._options.erasure_key)
        audience.add_new(connection, *same)
        judged = _Judged(verdicts, _counted(verdicts, added, known), before)
        imports.count(connection, self._import_id, report.with_batch(judged.counts).counts())
        return judged


@dataclass(frozen=True, slots=True)
class _Judged:
    """What a transaction, which may be run twice, leaves to be noted once it is committed."""

    verdicts: list[Verdict]
    counts: BatchCounts
    before: set[str]


class Weigher:
    """Says what would be added, and writes nothing."""

    def __init__(
        self, store: Store, campaign_id: int, options: ImportOptions, seen: SeenNumbers
    ) -> None:
        self._store = store
        self._campaign_id = campaign_id
        self._options = options
        self._seen = seen

    async def take(self, batch: Batch, report: ImportReport) -> list[Verdict]:
        """Compare with what the campaign holds, and with the rows before."""
        newcomers = _newcomers(batch)
        msisdns = [each.msisdn for each in newcomers]
        known = await self._store.read(audience.known, self._campaign_id, msisdns)
        refused = _refused(known, self._options)
        first = self._seen.unseen(set(msisdns) - refused)
        self._seen.add(first)
        held = known.held.keys()
        verdicts = sort_out(msisdns, first - held, first & held, refused)
        report.add(_counted(verdicts, _added(newcomers, verdicts), known))
        return verdicts


def _newcomers(batch: Batch) -> list[Newcomer]:
    return list(starmap(Newcomer, zip(*batch.columns, strict=True)))


def _refused(known: Known, options: ImportOptions) -> set[str]:
    """Numbers that another campaign's having them keeps out."""
    return known.elsewhere if options.skip_other_campaigns else set()


def _added(newcomers: Sequence[Newcomer], verdicts: Sequence[Verdict]) -> list[Newcomer]:
    return list(compress(newcomers, [verdict is Verdict.ADDED for verdict in verdicts]))


def _counted(verdicts: Sequence[Verdict], added: Sequence[Newcomer], known: Known) -> BatchCounts:
    return BatchCounts(
        Counter(verdicts),
        sum(new.msisdn in known.elsewhere for new in added),
        sum(new.province is not None and new.province_code is None for new in added),
        sum(new.district is not None and new.district_code is None for new in added),
    )
