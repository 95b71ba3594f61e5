"""Texts rehearsed over real sockets: simulated SMSCs, the real server, its own store. I/O.

No Asterisk: texts need none. The judges are the SMSCs' own journals and the rows of the store.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
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
from runtime.cli.main import main
from store import audience, campaigns
from store.audience import NewTarget
from store.engine import Operation, open_store
from store.models import Campaign, MessageIn, MessageOut
from tests.acceptance.rehearsal import until
from tests.acceptance.texts_checks import Row, check_acknowledged, check_acts, check_answers
from tests.acceptance.texts_senders import Sender

T = TypeVar("T")
GARBAGE_NUMBER = "+84900000000"
"""The sender of lab.smsc.garbage: what can be read of it is a text as any other."""
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
class Figures:
    """What a rehearsal came to, to be printed; counts of texts."""

    senders: int
    received: int
    repeats: int
    resent: int
    seen_twice: int
    unknown: int


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
        check_acts(self.read, subscribers, incoming)
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
