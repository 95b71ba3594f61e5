"""What happens to an MT: taken or refused, its message id, its receipts. Pure."""

from itertools import count

from domain.pacing import TokenBucket
from lab.smsc.codec import ROK, RTHROTTLED, Message, command_and_body
from lab.smsc.faults import Faults, spend
from lab.smsc.journal import Journal
from lab.smsc.message_ids import write_id
from lab.smsc.past import Past
from lab.smsc.receipts import is_wanted, receipt
from lab.smsc.records import Delivery, Mt, is_accepted, now

FIRST_ID = 0xA00F000001
"""Hexadecimal with letters, and more digits than 32 bits hold: as unlike its decimal as can be."""
FIRST_ORPHAN_ID = 0xDEAD00000001


class Desk:
    """Takes the submits of all accounts."""

    def __init__(self, faults: Faults, journal: Journal) -> None:
        self._faults = faults
        self._journal = journal
        self._ids = count(FIRST_ID)
        self._orphans = count(FIRST_ORPHAN_ID)
        self._mts = count(1)
        self._deliveries = count(1)
        self._asked = self._receipted = 0
        self._buckets: dict[str, TokenBucket] = {}

    def resume(self, past: Past) -> None:
        """Number on from there: an id that was given out is never given again."""
        self._ids = count(FIRST_ID + sum(map(is_accepted, past.mts)))
        self._mts = count(1 + len(past.mts))
        self._deliveries = count(1 + len(past.mos) + len(past.receipts))

    def next_delivery(self) -> int:
        """The next MO's or receipt's own number."""
        return next(self._deliveries)

    def take(
        self, account: str, bind: int, sequence: int, message: Message, *, answered: bool
    ) -> Mt:
        """Judge a submit, and journal it."""
        status = self._judge(account)
        number = next(self._ids) if status == ROK else 0
        message_id = write_id(number, self._faults.id_form) if number else ""
        at, own = now(), next(self._mts)
        mt = Mt(own, at, account, bind, sequence, message, status, number, message_id, answered)
        self._journal.took(mt)
        return mt

    def receipts(self, mt: Mt) -> list[tuple[Delivery, float]]:
        """The receipts for an MT, with the seconds to wait before each is sent."""
        faults = self._faults
        asked = mt.message.registered_delivery
        if not faults.receipts or not asked & 3 or mt.status != ROK:
            return []
        states = [state for state in faults.receipt_states if is_wanted(asked, state)]
        made = [
            (self._receipt(mt, mt.number, state), self._delay(place))
            for place, state in enumerate(states, 1)
            for _ in range(faults.receipt_copies)
        ]
        self._receipted += 1
        if faults.receipt_orphans_every and self._receipted % faults.receipt_orphans_every == 0:
            made.append((self._receipt(mt, next(self._orphans), "DELIVRD"), self._delay(1)))
        return made

    def _judge(self, account: str) -> int:
        faults = self._faults
        self._asked += 1
        if faults.refuse_submits and self._asked % faults.refuse_submits_every == 0:
            faults.refuse_submits = spend(faults.refuse_submits)
            return faults.refuse_submits_status
        if faults.tps > 0 and not self._may_pass(account):
            return RTHROTTLED
        return ROK

    def _may_pass(self, account: str) -> bool:
        bucket = self._buckets.get(account)
        if bucket is None:
            bucket = self._buckets[account] = TokenBucket(self._faults.tps, now)
        bucket.rate = self._faults.tps
        if bucket.available() < 1:
            return False
        bucket.take(1)
        return True

    def _receipt(self, mt: Mt, number: int, state: str) -> Delivery:
        message = receipt(mt, number, state, self._faults, now())
        by_data_sm = self._faults.receipt_by_data_sm
        command, body = command_and_body(message, by_data_sm=by_data_sm)
        message_id = write_id(number, self._faults.receipt_id_form or self._faults.id_form)
        own, at = self.next_delivery(), now()
        return Delivery(own, mt.account, message, command, body, at, receipt_for=message_id)

    def _delay(self, place: int) -> float:
        """A receipt comes after the answer, and the one of the next state later than the last."""
        if self._faults.receipt_before_response:
            return 0.0
        return self._faults.latency_seconds + self._faults.receipt_seconds * place
