"""What tests believe: all that came and went, in memory and as JSON lines. I/O on one file.

Lines are written as they come, a few milliseconds later at most, and before anything is answered: a
reader in another process need not ask, and the next SMSC may go on by them (`past`). Each has an
`event` and its time `at` (epoch seconds).
"""

from collections import Counter
from io import BufferedWriter
from pathlib import Path
from typing import Any

import orjson

from lab.smsc.past import Past
from lab.smsc.records import Delivery, Event, Mt, Text, is_accepted, now
from lab.smsc.texts import Joiner, body_of, decode, place_of


class Journal:
    """`mos`, `receipts`, `mts`, `events`: all, in the order of arrival. `counts`: figures."""

    def __init__(self, file: Path | None) -> None:
        self.counts: Counter[str] = Counter()
        self.mos: list[Delivery] = []
        self.receipts: list[Delivery] = []
        self.mts: list[Mt] = []
        self.events: list[Event] = []
        self._texts: list[Text] = []
        self._joiner = Joiner()
        self._parts: dict[object, list[int]] = {}
        self._joined = self._mts_written = self._texts_written = 0
        self._lines: list[dict[str, Any]] = []
        self._file: BufferedWriter | None = file.open("ab") if file else None

    def resume(self, past: Past) -> None:
        """Know what stands in the file already."""
        self.mos, self.receipts, self.mts = past.mos, past.receipts, past.mts
        self._mts_written, self._texts_written = len(self.mts), len(self.texts)

    @property
    def texts(self) -> list[Text]:
        """What subscribers have read so far; parts of a long text once they are all here."""
        while self._joined < len(self.mts):
            self._join(self.mts[self._joined])
            self._joined += 1
        return self._texts

    @property
    def unjoined(self) -> int:
        """Long texts of which parts are missing still."""
        _ = self.texts  # joins what has come
        return len(self._joiner.open)

    def queued(self, delivery: Delivery) -> None:
        """A subscriber has sent an MO, or a receipt is made."""
        kind = "mo" if delivery.receipt_for is None else "receipt"
        (self.mos if kind == "mo" else self.receipts).append(delivery)
        self.counts[f"{kind}_queued"] += 1
        if self._file:
            self._lines.append({"event": kind, "at": delivery.queued_at, **delivery.row()})

    def delivered(self, delivery: Delivery, bind: int, sequence: int, at: float) -> None:
        """It goes out, not for the first time perhaps."""
        kind = "mo" if delivery.receipt_for is None else "receipt"
        self.counts[f"{kind}_sent"] += 1
        if delivery.times > 1:
            self.counts[f"{kind}_sent_again"] += 1
        if self._file:
            self._note("deliver", delivery, bind, sequence, at, times=delivery.times)

    def answered(self, delivery: Delivery, bind: int, sequence: int, status: int) -> None:
        """An answer to it came, a temporary error perhaps."""
        if self._file:
            self._note("ack", delivery, bind, sequence, now(), status=status)

    def took(self, mt: Mt) -> None:
        """An MT came; refused, perhaps."""
        self.mts.append(mt)
        self.counts["mt" if is_accepted(mt) else "mt_refused"] += 1
        if not mt.answered:
            self.counts["mt_unanswered"] += 1

    def note(self, event: str, bind: int, **about: Any) -> None:
        """Anything else; counted under its own name."""
        self.counts[event] += 1
        self.events.append(Event(event, now(), bind, about))
        if self._file:
            self._lines.append(self.events[-1].row())

    def flush(self) -> None:
        """Write what is not in the file yet."""
        if not self._file:
            return
        mts, texts = self.mts[self._mts_written :], self.texts[self._texts_written :]
        self._mts_written, self._texts_written = len(self.mts), len(self._texts)
        self._lines += [{"event": "mt", **mt.row()} for mt in mts]
        self._lines += [{"event": "text", **text._asdict()} for text in texts]
        lines, self._lines = self._lines, []
        for line in lines:
            self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        if lines:
            self._file.flush()

    def forget(self) -> None:
        """Drop what is finished from memory, as between two measurements; the file keeps all."""
        self.flush()
        self.counts.clear()
        self.mos = [one for one in self.mos if one.status is None]
        self.receipts = [one for one in self.receipts if one.status is None]
        self.mts, self.events, self._texts = [], [], []
        self._joined = self._mts_written = self._texts_written = 0

    def close(self) -> None:
        """Write the rest, and close the file."""
        self.flush()
        if self._file:
            self._file.close()
            self._file = None

    def _note(
        self, event: str, delivery: Delivery, bind: int, sequence: int, at: float, **about: int
    ) -> None:
        line = {"event": event, "at": at, "id": delivery.id, "bind": bind, "sequence": sequence}
        self._lines.append({**line, "receipt_for": delivery.receipt_for, **about})

    def _join(self, mt: Mt) -> None:
        if not is_accepted(mt):
            return
        message = mt.message
        key = (mt.account, message.source.digits, message.destination.digits)
        place, body = place_of(message), body_of(message)
        mts: tuple[int, ...] = (mt.id,)
        if place is not None and place.total > 1:
            whole = (*key, place.reference, place.total)
            self._parts.setdefault(whole, []).append(mt.id)
            joined = self._joiner.add(key, place, body)
            if joined is None:
                return
            body, mts = joined, tuple(self._parts.pop(whole))
        self._texts.append(Text(mt.at, *key, decode(body, message.data_coding), mts))
