"""What this process has seen of texts since its start, counted where it happens. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from domain.latency import Latency
from sms.esme import listener
from sms.pdu.codes import Refusal, refusal
from store.messages import NewText
from store.receipts import NewReceipt


class Seen(NamedTuple):
    """A text that was read: what it was taken for, when it came, whether it has an answer."""

    verdict: str
    received_at: datetime
    is_answered: bool


@dataclass
class TextTally:
    """Counts and waits of the texts.

    Attributes:
        arrived: what SMSCs delivered and we have stored: texts (or parts), receipts by state.
        put_off: what SMSCs were asked to deliver again.
        verdicts: texts that were read, by what they were taken for.
        submits: by bind and by what became of them (accepted, throttled, refused …).
        intake: seconds from a delivery to its commit.
        answering: seconds from a text's arrival until its answer is committed.
    """

    arrived: Counter[str] = field(default_factory=Counter)
    put_off: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    submits: Counter[tuple[str, str]] = field(default_factory=Counter)
    intake: Latency = field(default_factory=Latency)
    answering: Latency = field(default_factory=Latency)

    def take_in(self, rows: Sequence[NewText | NewReceipt], now: datetime) -> None:
        """Count what was stored and is acknowledged now."""
        for row in rows:
            self.arrived["text" if isinstance(row, NewText) else f"receipt_{row.state}"] += 1
            self.intake.add((now - row.received_at).total_seconds())

    def read(self, seen: Sequence[Seen], now: datetime) -> None:
        """Count texts that were understood, and how long their senders waited."""
        for text in seen:
            self.verdicts[text.verdict] += 1
            if text.is_answered:
                self.answering.add((now - text.received_at).total_seconds())

    def submitted(self, bind: str, told: listener.Outcome) -> None:
        """Count what became of a submit."""
        self.submits[bind, outcome_of(told)] += 1


def outcome_of(told: listener.Outcome) -> str:
    """One word for what the session tells of a submit."""
    match told:
        case listener.Refused(status=status):
            return "throttled" if refusal(status) is Refusal.THROTTLED else "refused"
        case _:
            return type(told).__name__.lower()
