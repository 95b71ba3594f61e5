"""What all sessions of one SMSC share, and what they may ask of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from lab.smsc.codec import BindRequest
from lab.smsc.faults import Faults
from lab.smsc.journal import Journal
from lab.smsc.link import Link
from lab.smsc.setting import Setting
from lab.smsc.submits import Desk
from lab.smsc.subscribers import Queue


class Kind(StrEnum):
    """What a bind may do."""

    TRX = "trx"
    TX = "tx"
    RX = "rx"


class Registry(Protocol):
    """Who is there."""

    window: int
    """Unanswered MO a bind."""

    def judge(self, bind: BindRequest) -> int:
        """The status that a bind is answered with."""

    def queue(self, system_id: str) -> Queue:
        """What is on its way to an account that may bind."""

    def began(self, link: Link) -> int:
        """A link began; its number."""

    def ended(self, link: Link) -> None:
        """A link is gone."""


@dataclass(frozen=True, slots=True)
class House:
    """One SMSC."""

    setting: Setting
    faults: Faults
    journal: Journal
    desk: Desk
    registry: Registry
