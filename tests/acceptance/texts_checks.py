"""None lost, none acted on twice, every one answered once: what the rows must say. Pure.

`Row` is a row of the store or of an SMSC's journal.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from domain.states import MessageOutState
from store.models import Callback, Event, OptOut, Registration
from tests.acceptance.texts_senders import Sender

Row = dict[str, Any]


def check_acknowledged(mos: Sequence[Row], incoming: Sequence[Row]) -> None:
    """Every text that the SMSC saw acknowledged is in the store, octet by octet."""
    stored = Counter((row["source"], row["body"]) for row in incoming)
    for mo in mos:
        assert mo["status"] in {None, 0}, mo
        if mo["status"] == 0:
            assert stored[mo["source"], _body(mo)] >= mo["acks"], (mo, "is not in the store")


def _body(mo: Row) -> bytes:
    payload = bytes.fromhex(mo["payload"])
    return payload[1 + payload[0] :] if mo["esm_class"] & 0x40 else payload


def check_acts(
    read: Callable[..., list[str]], subscribers: Sequence[Sender], incoming: Sequence[Row]
) -> None:
    """Each text was understood once, as it should be; and done was what it asked for, once."""
    firsts = [
        row
        for row in incoming
        if row["joined_into"] is None and row["repeat_of"] is None and row["msisdn"]
    ]
    understood = {row["msisdn"]: (row["text"], row["verdict"], row["answer"]) for row in firsts}
    wanted = {s.msisdn: (s.form.words, s.form.verdict, s.form.answer) for s in subscribers}
    assert_same(understood, wanted)
    assert len(firsts) == len(subscribers), _twice(row["msisdn"] for row in firsts)
    registering = [sender.msisdn for sender in subscribers if sender.form.registers]
    assert_once(read(_column, Registration.msisdn), registering)
    assert_once(read(_column, Callback.msisdn), registering)
    assert_once(read(_promised), registering)
    opting_out = [s.msisdn for s in subscribers if s.form.verdict == "opt_out"]
    assert_once(read(_column, OptOut.msisdn), opting_out)


def check_answers(
    subscribers: Sequence[Sender],
    incoming: Sequence[Row],
    outgoing: Sequence[Row],
    seen: Mapping[str, int],
) -> None:
    """One answer each in the store; the SMSC saw it once, or as often as the row says at most."""
    assert_once([row["msisdn"] for row in outgoing], [sender.msisdn for sender in subscribers])
    assert seen.keys() <= {row["msisdn"] for row in outgoing}, "an answer that nobody posted"
    answers = {row["id"]: row["answer"] for row in incoming}
    for row in outgoing:
        assert answers[row["in_reply_to"]] is not None, row
        count = seen.get(row["msisdn"], 0)
        if row["unanswered"] == 0:
            assert (count, row["state"]) in {
                (1, MessageOutState.ACCEPTED),
                (1, MessageOutState.DELIVERED),
            }, (row, count)
        elif row["unanswered"] == 1:  # sent once more by policy
            assert 1 <= count <= 2, (row, count)
            assert row["state"] in {MessageOutState.ACCEPTED, MessageOutState.DELIVERED}, row
        else:  # twice nobody told what became of it: it is given up, and said to be unknown
            assert row["unanswered"] == 2, row
            assert count <= 2, (row, count)


def assert_once(found: Iterable[str], wanted: Iterable[str]) -> None:
    """Each of the wanted once, and no other."""
    counts, once = Counter(found), set(wanted)
    lost = sorted(once - counts.keys())
    assert not lost, f"{len(lost)} lost: {lost[:10]}"
    strange = sorted(counts.keys() - once)
    assert not strange, f"{len(strange)} not wanted: {strange[:10]}"
    assert not _twice(counts.elements()), _twice(counts.elements())


def assert_same(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Two tables by number, without pages of difference."""
    keys = found.keys() | wanted.keys()
    other = [(key, found.get(key), wanted.get(key)) for key in sorted(keys)]
    other = [each for each in other if each[1] != each[2]]
    assert not other, f"{len(other)} differ (number, found, wanted): {other[:5]}"


def _twice(numbers: Iterable[str]) -> list[tuple[str, int]]:
    return [(number, count) for number, count in Counter(numbers).items() if count > 1][:10]


def _column(connection: Connection, column: Any) -> list[str]:
    return list(connection.execute(select(column)).scalars())


def _promised(connection: Connection) -> list[str]:
    chosen = select(Event.msisdn).where(Event.kind == "callback_promised")
    return [str(msisdn) for msisdn in connection.execute(chosen).scalars()]
