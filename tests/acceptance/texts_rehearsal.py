"""Texts rehearsed over real sockets: simulated SMSCs, the real server, its own store. I/O.

No Asterisk: texts need none. The judges are the SMSCs' own journals and the rows of the store.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from sqlalchemy import Connection, func, select

from domain.clock import utc_now
from domain.msisdn import parse_msisdn
from domain.states import MessageInState, MessageOutState
from lab.child import Child, Part
from lab.network import CHECKOUT, Sections, Server
from lab.ports import free_ports
from lab.smsc.process import SmscProcess
from lab.smsc.setting import TSTN
from lab.smsc.subscribers import MO, parts_of
from lab.smsc.texts import LongStyle
from runtime.cli.main import main
from sms.replies import ReplyKind
from store import audience, campaigns
from store.audience import NewTarget
from store.engine import Operation, open_store
from store.models import Callback, Campaign, Event, MessageIn, MessageOut, OptOut, Registration
from tests.acceptance.rehearsal import until

T = TypeVar("T")
Row = dict[str, Any]
FIRST_NUMBER = 84930000000
GARBAGE_NUMBER = "+84900000000"
"""The sender of lab.smsc.garbage: what can be read of it is a text as any other."""
ADDRESS = " Số nhà 12 ngõ 34, phường Nguyễn Du, quận Hai Bà Trưng, Hà Nội, gọi sau 18 giờ." * 2
_CAMPAIGN: Row = {
    "name": "nobody-is-called",
    "purpose": "customer_care",
    "script_version": "vi-1",
    "cps": 1.0,
    "max_channels": 1,
    "ring_timeout_seconds": 30,
    "max_attempts": 1,
    "retry": {},
    "windows": ["00:00-24:00"],
    "call_on_holidays": True,
}


@dataclass(frozen=True)
class Form:
    """One way to write a text, and what must come of it. `style`: of a long one's parts."""

    words: str
    verdict: str
    answer: ReplyKind
    style: LongStyle | None = None
    by_data_sm: bool = False
    data_coding: int | None = None
    is_shuffled: bool = False

    @property
    def registers(self) -> bool:
        return self.verdict == "register"


FORMS = [
    Form("TSTN", "register", ReplyKind.OK),
    Form("tstn", "register", ReplyKind.OK, by_data_sm=True),
    Form("T S T N !", "register", ReplyKind.OK),
    Form("Soạn TSTN gửi 9231", "register", ReplyKind.OK),
    Form("Đăng ký TSTN", "register", ReplyKind.OK),
    Form("TSTN", "register", ReplyKind.OK, data_coding=8),
    Form("TSTN 12 Le Loi, Hue", "register", ReplyKind.OK),
    Form(f"TSTN{ADDRESS}", "register", ReplyKind.OK, LongStyle.UDH8),
    Form(f"TSTN{ADDRESS}", "register", ReplyKind.OK, LongStyle.UDH16, is_shuffled=True),
    Form(f"TSTN{ADDRESS}", "register", ReplyKind.OK, LongStyle.SAR),
    Form("HUY", "cancel", ReplyKind.NONE_STANDING),
    Form("Hủy TSTN", "cancel", ReplyKind.NONE_STANDING),
    Form("KT", "status", ReplyKind.NONE_STANDING),
    Form("HD", "help", ReplyKind.HELP),
    Form("TC", "opt_out", ReplyKind.OPTED_OUT),
    Form("TSNT", "near_miss", ReplyKind.SYNTAX),
    Form("TTSTN", "near_miss", ReplyKind.SYNTAX),
    Form("bao giờ có SIM?", "unknown", ReplyKind.SYNTAX),
]


@dataclass(frozen=True)
class Sender:
    """A subscriber who sends one text; `mos` are its parts."""

    number: str
    form: Form
    mos: tuple[MO, ...]

    @property
    def msisdn(self) -> str:
        return parse_msisdn(self.number)


@dataclass(frozen=True)
class Figures:
    """What a rehearsal came to, to be printed; counts of texts."""

    senders: int
    received: int
    repeats: int
    resent: int
    seen_twice: int
    unknown: int


def senders(
    count: int,
    first: int = FIRST_NUMBER,
    forms: Sequence[Form] = FORMS,
    account: str | None = None,
) -> list[Sender]:
    """So many subscribers, one after the other in the forms given, each from another number."""
    chosen = islice(cycle(forms), count)
    return [
        Sender(str(first + step), form, _mos(str(first + step), form, step, account))
        for step, form in enumerate(chosen)
    ]


def _mos(number: str, form: Form, reference: int, account: str | None) -> tuple[MO, ...]:
    whole = MO(
        number,
        text=form.words,
        by_data_sm=form.by_data_sm,
        data_coding=form.data_coding,
        account=account,
    )
    if form.style is None:
        return (whole,)
    parts = list(parts_of(whole, form.style, reference & 0xFF))
    if form.is_shuffled:
        Random(reference).shuffle(parts)
    return tuple(parts)


class TextRehearsal(Part):
    """An empty store, `smscs` SMSCs, and the server that is bound to each as `smsc0`, `smsc1` …

    `account` are settings of each account, `options` those of SmscProcess; `join_seconds` is how
    long parts wait for each other.
    """

    def __init__(
        self,
        directory: Path,
        *,
        store_url: str | None = None,
        smscs: int = 1,
        account: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        join_seconds: float = 2.0,
    ) -> None:
        self.log_file = directory / "serve.log"
        self.smscs = [
            SmscProcess(directory / f"smsc{no}", **{"keeps_journal": False, **(options or {})})
            for no in range(smscs)
        ]
        self.url = store_url or f"sqlite:///{directory}/store.sqlite"
        accounts = directory / "smsc.toml"
        password = directory / "password"
        password.write_text(TSTN.password)
        accounts.write_text(
            "".join(
                f"[smsc{no}]\n"
                + "".join(
                    f"{key} = {json.dumps(value)}\n"
                    for key, value in {
                        "host": smsc.host,
                        "port": smsc.port,
                        "system_id": TSTN.system_id,
                        "password_file": str(password.absolute()),
                        "retry_seconds": 0.1,
                        "longest_retry_seconds": 0.5,
                        **(account or {}),
                    }.items()
                )
                for no, smsc in enumerate(self.smscs)
            )
        )
        own: Sections = {
            "store": {"url": self.url},
            # A part that was sent again after its text was read waits so long for others.
            "sms": {"smsc_file": str(accounts.absolute()), "join_seconds": join_seconds},
        }
        server = Server(directory / "server", trunk_port=free_ports(1)[0], sections=own)
        self.settings_file = server.settings_file
        self._child: Child | None = None

    # -- its parts

    def start(self) -> None:
        """The SMSCs are up, the store is migrated; nothing serves yet."""
        for smsc in self.smscs:
            smsc.start()
        assert main(["--config", str(self.settings_file), "migrate"]) == 0

    def stop(self) -> None:
        """Whatever of it still runs."""
        self.kill()
        for smsc in self.smscs:
            smsc.stop()

    def invite(self, subscribers: Iterable[Sender]) -> None:
        """Put them into the audience of a campaign that calls nobody."""
        self.write(_add_audience, [sender.msisdn for sender in subscribers])

    def serve(self) -> None:
        """Start the server; it need not be bound yet when this returns."""
        # Not the installed `tstn`: that may be of another checkout.
        program = "import sys; from runtime.cli.main import main; sys.exit(main())"
        python = ["env", f"PYTHONPATH={CHECKOUT}", sys.executable, "-c", program]
        self._child = Child(
            "tstn serve", [*python, "--config", self.settings_file, "serve"], self.log_file
        )

    def kill(self) -> None:
        """kill -9 of the server."""
        if self._child is not None:
            self._child.kill()

    def is_running(self) -> bool:
        return self._child is not None and self._child.is_running()

    def until_bound(self, binds: int = 1, seconds: float = 30.0) -> None:
        """Return once every SMSC has so many links."""
        for smsc in self.smscs:
            smsc.control.until(lambda counts: counts["bound"] >= binds, seconds)

    def send(self, subscribers: Iterable[Sender], smsc: int = 0, rate: float = 0.0) -> None:
        """They send their texts; with a rate, this returns after the last."""
        mos = [mo for sender in subscribers for mo in sender.mos]
        self.smscs[smsc].control.send(*mos, rate=rate)

    # -- the store

    def read(self, operation: Operation[..., T], *args: Any) -> T:
        """The answer of a store operation, on a connection of its own."""

        async def answer() -> T:
            store = open_store(self.url)
            try:
                return await store.read(operation, *args)
            finally:
                await store.close()

        return asyncio.run(answer())

    def write(self, operation: Operation[..., T], *args: Any) -> T:
        """The same, as a transaction that writes."""

        async def answer() -> T:
            store = open_store(self.url)
            try:
                return await store.write(operation, *args)
            finally:
                await store.close()

        return asyncio.run(answer())

    def log(self) -> str:
        """What the server has said."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    # -- what came of it

    def until_settled(self, seconds: float, *, smscs: Iterable[int] | None = None) -> None:
        """Return once all that was sent is acknowledged, read, answered and told of."""
        for no in range(len(self.smscs)) if smscs is None else smscs:
            self.smscs[no].control.until_idle(seconds)
        until(lambda: self.read(_is_settled), seconds, self._told, every=0.25)

    def _told(self) -> str:
        return f"{self.read(_states)}; {self.log()[-2000:]}"

    def check(self, subscribers: Sequence[Sender], *, may_resend: bool = True) -> Figures:
        """None lost, none acted on twice, every one answered once.

        With `may_resend`, a reply whose submit had no answer was sent once more: the SMSC may have
        seen it twice then, and the row says so (`unanswered`).
        """
        mos = [row for smsc in self.smscs for row in smsc.control.mos()]
        mts = [row for smsc in self.smscs for row in smsc.control.mts() if row["status"] == 0]
        mts = [row for row in mts if parse_msisdn(row["destination"]) != GARBAGE_NUMBER]
        seen = Counter(parse_msisdn(row["destination"]) for row in mts)
        assert self.is_running(), self.log()[-3000:]
        assert "Traceback" not in self.log(), self.log()[-5000:]
        incoming = self.read(_incoming)
        check_acknowledged(mos, incoming)
        check_acts(self, subscribers, incoming)
        outgoing = self.read(_outgoing)
        check_answers(subscribers, incoming, outgoing, seen)
        words = {(parse_msisdn(row["destination"]), row["text"]) for row in mts}
        assert len(words) == len(seen), "somebody got two different answers"
        if not may_resend:
            assert {row["unanswered"] for row in outgoing} <= {0}
            assert set(seen.values()) <= {1}
        return Figures(
            senders=len(subscribers),
            received=len(incoming),
            repeats=sum(row["repeat_of"] is not None for row in incoming),
            resent=sum(row["unanswered"] > 0 for row in outgoing),
            seen_twice=sum(count == 2 for count in seen.values()),
            unknown=sum(row["state"] == MessageOutState.UNKNOWN for row in outgoing),
        )


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
    rehearsal: TextRehearsal, subscribers: Sequence[Sender], incoming: Sequence[Row]
) -> None:
    """Each text was understood once, as it should be; and done was what it asked for, once."""
    firsts = [
        row
        for row in incoming
        if row["joined_into"] is None and row["repeat_of"] is None and row["msisdn"]
    ]
    read = {row["msisdn"]: (row["text"], row["verdict"], row["answer"]) for row in firsts}
    wanted = {s.msisdn: (s.form.words, s.form.verdict, s.form.answer) for s in subscribers}
    assert_same(read, wanted)
    assert len(firsts) == len(subscribers), _twice(row["msisdn"] for row in firsts)
    registering = [sender.msisdn for sender in subscribers if sender.form.registers]
    assert_once(rehearsal.read(_column, Registration.msisdn), registering)
    assert_once(rehearsal.read(_column, Callback.msisdn), registering)
    assert_once(rehearsal.read(_promised), registering)
    opting_out = [s.msisdn for s in subscribers if s.form.verdict == "opt_out"]
    assert_once(rehearsal.read(_column, OptOut.msisdn), opting_out)


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


# -- operations


def _add_audience(connection: Connection, msisdns: Sequence[str]) -> None:
    campaign = connection.execute(select(Campaign.id)).scalar()
    if campaign is None:
        campaign = campaigns.create(connection, _CAMPAIGN, utc_now()).id
    targets = [
        NewTarget(msisdn=msisdn, province=None, district=None, list_no=None, attributes={})
        for msisdn in msisdns
    ]
    audience.add(connection, campaign, targets, utc_now())


def _incoming(connection: Connection) -> list[Row]:
    rows = connection.execute(select(MessageIn.__table__)).mappings()
    return [dict(row) for row in rows if row["msisdn"] != GARBAGE_NUMBER]


def _outgoing(connection: Connection) -> list[Row]:
    rows = connection.execute(select(MessageOut.__table__)).mappings()
    return [dict(row) for row in rows if row["msisdn"] != GARBAGE_NUMBER]


def _column(connection: Connection, column: Any) -> list[str]:
    return list(connection.execute(select(column)).scalars())


def _promised(connection: Connection) -> list[str]:
    chosen = select(Event.msisdn).where(Event.kind == "callback_promised")
    return [str(msisdn) for msisdn in connection.execute(chosen).scalars()]


def _states(connection: Connection) -> dict[str, int]:
    states: dict[str, int] = {}
    for name, row in (("in", MessageIn), ("out", MessageOut)):
        counted = connection.execute(select(row.state, func.count()).group_by(row.state))
        states.update({f"{name} {state}": count for state, count in counted})
    return states


_UNDER_WAY = (
    f"in {MessageInState.RECEIVED}",
    f"in {MessageInState.WAITING}",
    f"out {MessageOutState.QUEUED}",
    f"out {MessageOutState.SENDING}",
)


def _is_settled(connection: Connection) -> bool:
    states = _states(connection)
    return not any(states.get(name) for name in _UNDER_WAY)
