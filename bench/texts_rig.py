"""An SMSC on one core, the process under test on another, and a store on disk. I/O."""

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Self

from sqlalchemy import Connection, func, select

from bench.claims import fill
from bench.texts_process import Role
from domain.clock import utc_now
from domain.msisdn import parse_msisdn
from domain.states import MessageOutState, PostKind
from lab.child import Child, LabError
from lab.smsc.control_client import SmscControl
from lab.smsc.load import FIRST_SOURCE, FloodReport
from lab.smsc.process import ROOT, SmscProcess
from lab.smsc.subscribers import MO
from sms import replies
from sms.segments import LongStyle, split
from store import outbox
from store.columns import fixed
from store.engine import open_store
from store.migrate import migrate
from store.models import Callback, MessageOut, Registration
from store.outbox import PartRow, Post

AUDIENCE = 100_000
_WARM_UP = 300
_START_SECONDS = 30.0
_LIMIT_SECONDS = 60.0
"""For anything that is measured."""


@dataclass(frozen=True)
class Measured:
    """What a run came to: texts a second, and our CPU in milliseconds per text."""

    rate: float
    cpu_ms: float


class Rig(AbstractContextManager["Rig"]):
    """A process of `role` with one bind, up inside the block; `url` is a store of `make_store`.

    It has one core for itself and shares the other with the SMSC; where PostgreSQL runs is for the
    kernel to choose. Each flood has subscribers of its own.
    """

    def __init__(
        self,
        directory: Path,
        role: Role,
        url: str | None = None,
        *,
        window: int = 10,
        count: int = 0,
    ) -> None:
        cores = sorted(os.sched_getaffinity(0))
        self._directory = directory
        self._url = url
        self._smsc = SmscProcess(
            directory,
            response_seconds=_LIMIT_SECONDS,
            faults={"receipts": False},
            keeps_journal=False,
            prefix=_pinned(cores[-1]),
        )
        self._pin = _pinned(cores[0])
        self._options = [str(role), "--window", str(window), "--count", str(count)]
        self._options += ["--store", url] if url else []
        self._child: Child | None = None
        self._next_source = FIRST_SOURCE

    def __enter__(self) -> Self:
        self._smsc.start()
        program = [sys.executable, "-m", "bench.texts_process", *self._options]
        command = ["env", f"PYTHONPATH={ROOT}", *program, "--port", str(self._smsc.port)]
        log = self._directory / "esme.log"
        self._child = Child("the ESME", command, log, prefix=self._pin)
        self._child.wait_ready(lambda: self.control.counts()["receivers"] > 0, _START_SECONDS)
        return self

    def __exit__(self, *failure: object) -> None:
        self._process.kill()
        self._smsc.stop()

    @property
    def control(self) -> SmscControl:
        """Steers the SMSC."""
        return self._smsc.control

    @property
    def pid(self) -> int:
        """Of the process under test."""
        return self._process.pid

    @property
    def flooded(self) -> int:
        """Texts that subscribers have sent so far."""
        return self._next_source - FIRST_SOURCE

    def flood(
        self, count: int, window: int, *, answers: bool = False, rate: float = 0.0
    ) -> tuple[Measured, FloodReport]:
        """`count` texts that register, each from another subscriber. Raises LabError."""
        self._flood(_WARM_UP, window=window, with_answers=answers)
        before = self._process.cpu_seconds()
        report = self._flood(count, window=window, with_answers=answers, rate=rate)
        spent = self._process.cpu_seconds() - before
        if report.sent_again or report.acked < count:
            raise LabError(f"of {count} texts {report.acked} were taken; see {self._directory}")
        told = report.answer_rate if answers else report.rate
        return Measured(told, spent / count * 1000), report

    def send(self, count: int, latency_seconds: float = 0.0) -> Measured:
        """As many texts from the outbox to the SMSC, or from a bare ESME. Raises LabError."""
        self.control.set_faults(latency_seconds=latency_seconds)
        before = self._process.cpu_seconds()
        first = len(self.control.mts())
        if self._url is None:
            self.control.send(MO(source=str(FIRST_SOURCE), text="send"))
        else:
            _with_store(self._url, _post, count)
        self.control.until(lambda counts: counts["mt"] >= first + count, _LIMIT_SECONDS)
        if self._url is not None:
            self._await(lambda: _with_store(str(self._url), _unfinished) == 0)
        spent = self._process.cpu_seconds() - before
        took = sorted(mt["at"] for mt in self.control.mts(first))
        self.control.forget()
        return Measured((count - 1) / (took[-1] - took[0]), spent / count * 1000)

    def _flood(self, count: int, **options: Any) -> FloodReport:
        first, self._next_source = self._next_source, self._next_source + count
        return self.control.flood(count, first_source=first, seconds=_LIMIT_SECONDS, **options)

    def _await(self, is_so: Callable[[], bool]) -> None:
        deadline = monotonic() + _LIMIT_SECONDS
        while not is_so():
            if monotonic() > deadline:
                raise LabError(f"not so within {_LIMIT_SECONDS:g} s; see {self._directory}")
            sleep(0.1)

    @property
    def _process(self) -> Child:
        if self._child is None:
            raise LabError("the ESME has not been started")
        return self._child


def make_store(url: str) -> str:
    """A store at `url` whose audience holds the subscribers of every flood; gives the URL."""

    async def make() -> None:
        store = open_store(url)
        await migrate(store)
        await fill(store, AUDIENCE)
        await store.close()

    asyncio.run(make())
    return url


def registered(url: str) -> int:
    """Registrations that have a call-back."""
    return _with_store(url, _registered)


def _with_store(url: str, operation: Callable[..., int], *args: Any) -> int:
    async def run() -> int:
        store = open_store(url)
        try:
            return await store.write(operation, *args)
        finally:
            await store.close()

    return asyncio.run(run())


def _registered(connection: Connection) -> int:
    chosen = select(func.count()).join_from(
        Registration, Callback, Callback.registration_id == Registration.id
    )
    return int(connection.execute(chosen).scalar_one())


def _unfinished(connection: Connection) -> int:
    open_states = (MessageOutState.QUEUED, MessageOutState.SENDING)
    chosen = [select(func.count()).where(MessageOut.state == fixed(state)) for state in open_states]
    return sum(int(connection.execute(each).scalar_one()) for each in chosen)


def _post(connection: Connection, count: int) -> int:
    text = replies.DEFAULTS[replies.ReplyKind.OK]
    [part] = split(text, reference=0, style=LongStyle.UDH8)
    row = PartRow(part.payload, part.data_coding, part.esm_class, part.tlvs)
    posts = [
        Post(
            account="bench",
            msisdn=str(parse_msisdn(str(FIRST_SOURCE + number))),
            source="9231",
            kind=PostKind.MANUAL,
            text=text,
            parts=(row,),
        )
        for number in range(count)
    ]
    return len(outbox.post(connection, posts, utc_now()))


def _pinned(core: int) -> list[str]:
    return ["taskset", "-c", str(core)]
