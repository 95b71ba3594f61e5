"""What an import is told to do, and what came of its rows. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from domain.places import Places
from runtime.audience_answers import Head

TWICE_IN_FILE = "the number stands twice in this file"
IN_CAMPAIGN = "the number is in the campaign already"
IN_OTHER_CAMPAIGN = "another campaign has the number"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """How a file is brought in.

    Attributes:
        by: who does it.
        file_name: what the file was called before it came here, if not what it is called now.
        extracted_at: when rows that do not say so themselves were true.
        require_eligibility: every rule is to be met; a file that lacks a column is refused.
        skip_other_campaigns: refuse numbers that another campaign has, a draft or one at work.
        dry_run: count, and write nothing.
        places: gives the official codes.
        erasure_key: finds the refusals of numbers that were taken out; empty where there are none.
    """

    by: str = "tstn"
    file_name: str | None = None
    extracted_at: datetime | None = None
    require_eligibility: bool = False
    skip_other_campaigns: bool = False
    dry_run: bool = False
    places: Places = field(default_factory=Places)
    erasure_key: str = ""


class Verdict(StrEnum):
    """What becomes of a row that can be read and is eligible."""

    ADDED = "added"
    TWICE_IN_FILE = "twice_in_file"
    IN_CAMPAIGN = "in_campaign"
    IN_OTHER_CAMPAIGN = "in_other_campaign"


REASONS = {
    Verdict.TWICE_IN_FILE: TWICE_IN_FILE,
    Verdict.IN_CAMPAIGN: IN_CAMPAIGN,
    Verdict.IN_OTHER_CAMPAIGN: IN_OTHER_CAMPAIGN,
}


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """What a batch brings to the report, by the names it has there."""

    verdicts: Counter[Verdict]
    also_in_other_campaigns: int
    unknown_province: int
    unknown_district: int


@dataclass(slots=True)
class ImportReport:
    """How many rows were added, and how many refused for which reason.

    Attributes:
        head: what stands at the beginning of the file.
        rejects: the file that lists the refused ones; it does not exist where there are none.
        import_id: None for a dry run.
        unreadable: rows that could not be read, a bad number for instance.
        verdicts: the others, but for those that are not eligible.
        ineligible: by the rule that was not met.
        also_in_other_campaigns: added, though another campaign has the number too.
        unknown_province: added without a code; so is `unknown_district`.
    """

    rejects: Path | None
    head: Head | None = None
    import_id: int | None = None
    unreadable: int = 0
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    ineligible: Counter[str] = field(default_factory=Counter)
    also_in_other_campaigns: int = 0
    unknown_province: int = 0
    unknown_district: int = 0

    @property
    def added(self) -> int:
        """Numbers that are in the campaign now."""
        return self.verdicts[Verdict.ADDED]

    @property
    def twice_in_file(self) -> int:
        """Rows whose number an earlier row of the file has brought in."""
        return self.verdicts[Verdict.TWICE_IN_FILE]

    @property
    def in_campaign(self) -> int:
        """Rows whose number the campaign had before this file."""
        return self.verdicts[Verdict.IN_CAMPAIGN]

    @property
    def in_other_campaign(self) -> int:
        """Rows refused for the sake of another campaign, since that was asked for."""
        return self.verdicts[Verdict.IN_OTHER_CAMPAIGN]

    @property
    def rejected(self) -> int:
        """All refused rows."""
        return self.unreadable + self.verdicts.total() - self.added + self.ineligible.total()

    def add(self, batch: BatchCounts) -> None:
        """Count a batch in."""
        self.verdicts += batch.verdicts
        self.also_in_other_campaigns += batch.also_in_other_campaigns
        self.unknown_province += batch.unknown_province
        self.unknown_district += batch.unknown_district

    def with_batch(self, batch: BatchCounts) -> "ImportReport":
        """What the report will be."""
        whole = replace(self, verdicts=self.verdicts.copy())
        whole.add(batch)
        return whole

    def counts(self) -> dict[str, Any]:
        """The rows by verdict, for the row of the import and for programs."""
        return {
            **{verdict.value: self.verdicts[verdict] for verdict in Verdict},
            "unreadable": self.unreadable,
            "ineligible": dict(self.ineligible),
            "rejected": self.rejected,
            "also_in_other_campaigns": self.also_in_other_campaigns,
            "unknown_province": self.unknown_province,
            "unknown_district": self.unknown_district,
        }


def sort_out(
    msisdns: Iterable[str],
    added: Collection[str],
    known: Collection[str],
    elsewhere: Collection[str],
) -> list[Verdict]:
    """The verdict on each row of a batch, in its order, by the numbers of the rows.

    `added` are the batch's new numbers, `known` those that the campaign had before this file and
    that come for the first time, `elsewhere` those that are refused for another campaign's sake.
    Any other row brings a number that the file has brought before.
    """
    new, old = set(added), set(known)
    verdicts: list[Verdict] = []
    for msisdn in msisdns:
        if msisdn in elsewhere:
            verdicts.append(Verdict.IN_OTHER_CAMPAIGN)
        elif msisdn in new:
            verdicts.append(Verdict.ADDED)
            new.remove(msisdn)
        elif msisdn in old:
            verdicts.append(Verdict.IN_CAMPAIGN)
            old.remove(msisdn)
        else:
            verdicts.append(Verdict.TWICE_IN_FILE)
    return verdicts
