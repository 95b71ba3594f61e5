"""What an SMSC is like while it is in order: its accounts, window and patience. Pure."""

from dataclasses import dataclass
from pathlib import Path

from lab.ports import LOOPBACK


@dataclass(frozen=True, slots=True)
class Account:
    """An ESME that may bind."""

    system_id: str
    password: str
    most_binds: int = 100


TSTN = Account("tstn", "rehearse")


@dataclass(frozen=True, slots=True)
class Setting:
    """How the SMSC behaves where no fault is set."""

    accounts: tuple[Account, ...] = (TSTN,)
    host: str = LOOPBACK
    port: int = 0  # 0: any free one
    window: int = 10  # unanswered MO a bind
    response_seconds: float = 30.0  # then an MO is delivered again
    retry_seconds: float = 0.5  # from a temporary error to the next delivery of that MO
    enquire_seconds: float = 0.0  # between our own enquire_link; 0: none
    unbind_seconds: float = 5.0  # the longest wait for an unbind_resp
    journal: Path | None = None  # JSON lines, appended
