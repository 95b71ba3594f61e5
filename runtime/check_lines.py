"""A line of a check: `tstn doctor` of the system, `tstn install-check` of this host. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a check came out: `warn` works today, `fail` must be mended first."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class CheckLine:
    """What was looked at, how it stands, and what to do where it is not well."""

    name: str
    verdict: Verdict
    says: str
    todo: str = ""


def fails(lines: Iterable[CheckLine]) -> bool:
    """Whether anything must be mended."""
    return any(line.verdict is Verdict.FAIL for line in lines)
