"""SMSCs with faults: no text lost, none acted on twice, every sender answered once. I/O.

Each case also proves that its fault has happened: by a count of the SMSC's journal, or by what the
store says of it.
"""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select
from sqlalchemy.engine import make_url

from domain.states import MessageOutState, ReceiptMatch
from lab.smsc.codec import RMSGQFUL, RSYSERR
from lab.smsc.control_client import SmscControl
from lab.smsc.garbage import Garbage
from store.models import MessageOut, Receipt
from tests.acceptance.rehearsal import until
from tests.acceptance.texts_rehearsal import Figures, TextRehearsal
from tests.acceptance.texts_senders import FORMS, senders

TSTN, LONG = FORMS[0], FORMS[7]
Counts = Mapping[str, int]


def _nothing(rehearsal: TextRehearsal) -> None:
    """The fault alone is enough."""


@dataclass(frozen=True)
class Case:
    """One fault. `happened`: whether the counts prove it; `act` is what is done meanwhile.

    `resends`: whether a submit may end without an answer, so that the policy sends it again.
    """

    name: str
    faults: Mapping[str, Any]
    happened: Callable[[Counts, Figures], bool]
    resends: bool = False
    count: int = 400
    account: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    binds: int = 1
    act: Callable[[TextRehearsal], None] = _nothing


def until_passed(rehearsal: TextRehearsal, mts: int) -> None:
    """Return once so many answers have gone out."""
    rehearsal.smscs[0].control.until(lambda counts: counts["mt"] >= mts, 60)


def until_bound_anew(control: SmscControl, end_link: Callable[[], None]) -> None:
    """End the link; return once there is another bind, which can be ended in its turn."""
    binds = control.counts()["bind"]
    end_link()
    control.until(lambda counts: counts["bind"] > binds, 20)


def cut_again_and_again(rehearsal: TextRehearsal) -> None:
    control = rehearsal.smscs[0].control
    for progress in (30, 100, 170, 240, 310):
        until_passed(rehearsal, progress)
        until_bound_anew(control, control.cut)


def unbind_again_and_again(rehearsal: TextRehearsal) -> None:
    control = rehearsal.smscs[0].control
    for progress in (30, 140, 250):
        until_passed(rehearsal, progress)
        until_bound_anew(control, control.unbind)


def refuse_binds_after_a_cut(rehearsal: TextRehearsal) -> None:
    until_passed(rehearsal, 50)
    control = rehearsal.smscs[0].control
    control.set_faults(refuse_binds=4, refuse_binds_status=RSYSERR)
    control.cut()


def put_unframed_garbage(rehearsal: TextRehearsal) -> None:
    """After these no PDU can be found any more: the link must be built anew."""
    control = rehearsal.smscs[0].control
    for progress, kind in ((60, Garbage.SHORT_LENGTH), (200, Garbage.HUGE_LENGTH)):
        until_passed(rehearsal, progress)
        until_bound_anew(control, partial(control.put_garbage, kind))


CASES = [
    Case(
        "links cut after a few PDUs",
        {"cut_after": 20, "cut_after_most": 120},
        lambda counts, _: counts["link_end"] >= 5 and counts["mo_sent_again"] > 0,
        resends=True,
        account={"retry_seconds": 0.05, "longest_retry_seconds": 0.1},
    ),
    Case(
        "links reset on demand",
        {"cut_by_reset": True, "latency_seconds": 0.01},
        lambda counts, _: counts["link_end"] >= 5,
        resends=True,
        act=cut_again_and_again,
    ),
    Case(
        "acknowledged texts delivered again",
        {"redeliver_every": 2},
        lambda counts, figures: counts["mo_sent_again"] > 100 and figures.repeats > 100,
    ),
    Case(
        "late answers",
        {"latency_seconds": 0.15, "answers_shuffled": True},
        lambda counts, _: counts["most_in_flight"] > 1,
        count=150,
    ),
    Case(
        "answers later than we wait",
        {"latency_seconds": 1.0},
        lambda _, figures: figures.seen_twice <= figures.resent > 0,  # taken late counts
        resends=True,
        count=8,
        account={"response_timeout_seconds": 0.5},
    ),
    Case(
        "submits taken and never answered",
        {"unanswered_every": 20},
        lambda counts, figures: counts["mt_unanswered"] > 5 and figures.seen_twice > 5,
        resends=True,
        account={"response_timeout_seconds": 0.5},
    ),
    Case(
        "throttled",
        {"tps": 120.0},
        lambda counts, _: counts["mt_refused"] > 0,
        count=80,
    ),
    Case(
        "queue full",
        {"refuse_submits": 20, "refuse_submits_every": 9, "refuse_submits_status": RMSGQFUL},
        lambda counts, _: counts["mt_refused"] == 20,
    ),
    Case(
        "unbound by the SMSC",
        {},
        lambda counts, _: counts["unbind"] >= 3 and counts["bind"] >= 4,
        act=unbind_again_and_again,
    ),
    Case(
        "binds refused",
        {},
        lambda counts, _: counts["bind_refused"] == 4,
        resends=True,
        act=refuse_binds_after_a_cut,
    ),
    Case(
        "PDUs in pieces",
        {"chunk_bytes": 13, "chunk_seconds": 0.001, "receipts": False},
        lambda counts, _: counts["mo_acked"] >= 100,
        count=100,
    ),
    Case(
        "a PDU takes seconds",
        {"chunk_bytes": 4, "chunk_seconds": 0.1, "receipts": False},
        lambda counts, _: counts["mo_acked"] >= 2,
        count=2,
    ),
    Case(
        "garbage between good PDUs",
        {"garbage_every": 3},
        lambda counts, _: counts["garbage"] > 100 and counts["links"] == 1,
    ),
    Case(
        "garbage after which nothing can be read",
        {},
        lambda counts, _: counts["garbage"] == 2 and counts["links"] >= 3,
        resends=True,
        act=put_unframed_garbage,
    ),
    Case(
        "receipts before the response, on the other bind",
        {"receipt_before_response": True, "receipt_on_other_bind": True, "latency_seconds": 0.02},
        lambda counts, _: counts["receipt_acked"] >= 400,
        account={"binds": 2},
        binds=2,
    ),
    Case(
        "receipts twice, in another form, with orphans",
        {
            "id_form": "hex_upper",
            "receipt_id_form": "decimal_zeros",
            "receipt_copies": 2,
            "receipt_orphans_every": 50,
            "receipt_tlvs": True,
        },
        lambda counts, _: counts["receipt_acked"] >= 800,
    ),
    Case(
        "the answer to a text is lost, redelivery and cuts together, on three binds",
        {"redeliver_every": 3, "cut_after": 40, "cut_after_most": 200, "latency_seconds": 0.005},
        lambda counts, figures: counts["link_end"] >= 5 and figures.repeats > 50,
        resends=True,
        account={"binds": 3, "retry_seconds": 0.05, "longest_retry_seconds": 0.1},
        binds=3,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_texts_survive_the_smsc(tmp_path: Path, case: Case) -> None:
    subscribers = senders(case.count)
    with TextRehearsal(tmp_path, account=case.account, options=case.options) as rehearsal:
        control = rehearsal.smscs[0].control
        rehearsal.invite(subscribers)
        rehearsal.serve()
        rehearsal.until_bound(case.binds)
        control.set_faults(**case.faults)
        rehearsal.send(subscribers)
        case.act(rehearsal)
        rehearsal.until_settled(40)
        figures = rehearsal.check(subscribers, may_resend=case.resends)
        counts = dict(control.counts())
        print(f"\n{case.name}: {figures}; {counts}")
        assert case.happened({**dict.fromkeys(_COUNTS, 0), **counts}, figures)
        if case.faults.get("receipts", True):
            until(
                lambda: rehearsal.read(_without_receipt) == 0,
                15,
                lambda: f"{rehearsal.read(_without_receipt)} without their receipt",
            )


_COUNTS = (
    *("link_end", "mo_sent_again", "mt_unanswered", "mt_refused", "unbind", "bind_refused"),
    *("garbage", "receipt_acked", "mo_acked", "links", "bind", "most_in_flight"),
)


def test_one_smsc_of_two_is_down(tmp_path: Path) -> None:
    here, there = senders(300), senders(300, first=84910000000)
    with TextRehearsal(tmp_path, smscs=2) as rehearsal:
        up, down = (smsc.control for smsc in rehearsal.smscs)
        rehearsal.invite([*here, *there])
        rehearsal.serve()
        rehearsal.until_bound()
        rehearsal.send(there, smsc=1)
        down.until(lambda counts: counts["mt"] >= 40)
        down.shut_port()
        down.cut()
        rehearsal.send(here, smsc=0)
        up.until(lambda counts: counts["mt"] >= len(here), 20)
        assert down.counts()["mt"] < len(there)
        down.open_port()
        rehearsal.until_settled(30)
        print(f"\n{rehearsal.check([*here, *there])}")


def test_a_bind_that_is_down_keeps_no_answer_to_itself(tmp_path: Path) -> None:
    """What a bind is claiming when its link ends goes out by its neighbour."""
    subscribers = senders(600, forms=[TSTN])
    with TextRehearsal(
        tmp_path, account={"binds": 2, "retry_seconds": 60.0, "longest_retry_seconds": 60.0}
    ) as rehearsal:
        control = rehearsal.smscs[0].control
        rehearsal.invite(subscribers)
        rehearsal.serve()
        rehearsal.until_bound(2)
        control.set_faults(latency_seconds=0.1)
        rehearsal.send(subscribers)
        control.until(lambda counts: counts["mt"] >= 100, 30)
        file = make_url(rehearsal.url).database or ""
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            until_nothing_is_left_to_send(rehearsal)  # now both binds wait for their claims
            control.cut(control.binds()[0]["bind"])
            control.until(lambda counts: counts["bound"] == 1)
            other.execute("ROLLBACK")
        rehearsal.until_settled(20)  # the first bind does not come back so soon
        print(f"\n{rehearsal.check(subscribers)}")
        assert control.counts()["bound"] == 1


def until_nothing_is_left_to_send(rehearsal: TextRehearsal) -> None:
    """Return once no answer has gone out for a while."""
    seen: list[int] = []

    def stands_still() -> bool:
        seen.append(rehearsal.smscs[0].control.counts()["mt"])
        return len(seen) > 3 and seen[-1] == seen[-4]

    until(stands_still, 4, lambda: f"{seen}", every=0.25)


def test_long_texts_do_not_wait_for_a_pause_of_the_short_ones(tmp_path: Path) -> None:
    """Short texts come and come: a long one in the midst of them is answered in its turn."""
    short, long = senders(3000, forms=[TSTN]), senders(5, first=84950000000, forms=[LONG])
    with TextRehearsal(tmp_path, account={"window": 100}, options={"window": 100}) as rehearsal:
        control = rehearsal.smscs[0].control
        rehearsal.invite([*short, *long])
        rehearsal.serve()
        rehearsal.until_bound()
        rehearsal.send([*short[:500], *long, *short[500:]])
        rehearsal.until_settled(40)
        rehearsal.check([*short, *long])
        numbers = {sender.number for sender in long}
        turns = [turn for turn, row in enumerate(control.mts()) if row["destination"] in numbers]
        print(f"\nanswers {turns} of {len(short) + len(long)} were those to long texts")
        assert max(turns) < 1500


def _without_receipt(connection: Connection) -> int:
    """Texts that the SMSC took, whose receipt has not been found."""
    chosen = select(func.count()).where(MessageOut.state == MessageOutState.ACCEPTED)
    waiting = select(func.count()).where(
        Receipt.matching == ReceiptMatch.ORPHAN, Receipt.message_id.is_(None)
    )
    return connection.execute(chosen).scalar_one() + connection.execute(waiting).scalar_one()
