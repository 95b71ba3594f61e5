"""A line of a check: `tstn doctor` of the system, `tstn install-check` of this host. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

_SHOWN = 4


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


def some_of(names: Sequence[str]) -> str:
    """The first few of many names, and how many more there are."""
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
