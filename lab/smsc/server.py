"""The SMSC itself: listens, knows who is bound, and lets subscribers send. I/O."""

import asyncio
import ssl
from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from typing import Any, Self

from domain.errors import InputError
from lab.child import LabError
from lab.smsc import codec
from lab.smsc.codec import BindRequest, command_and_body
from lab.smsc.faults import Faults, change, spend
from lab.smsc.garbage import Garbage
from lab.smsc.house import House
from lab.smsc.journal import Journal
from lab.smsc.link import Link
from lab.smsc.past import Past
from lab.smsc.records import Delivery, now
from lab.smsc.session import Session
from lab.smsc.setting import Setting
from lab.smsc.submits import Desk
from lab.smsc.subscribers import MO, Queue, message_of

TICK_SECONDS = 0.02


class Smsc:
    """Runs in the event loop of whoever enters it (`async with`).

    `faults` is for reading; `set_faults` changes them for links that are up, too.
    """

    def __init__(
        self,
        setting: Setting | None = None,
        *,
        faults: Faults | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.setting = setting or Setting()
        self.faults = faults or Faults()
        self.journal = Journal(self.setting.journal)
        self.port = self.setting.port
        self.window = self.setting.window
        self.sessions: list[Session] = []
        self._tls = tls
        self._accounts = {account.system_id: account for account in self.setting.accounts}
        self._queues = {
            name: Queue(name, self.setting, self.faults, self.journal) for name in self._accounts
        }
        self._desk = Desk(self.faults, self.journal)
        self._house = House(self.setting, self.faults, self.journal, self._desk, self)
        self._links = 0
        self._server: asyncio.Server | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._enquired_at = now()

    async def __aenter__(self) -> Self:
        await self.open_port()
        self._tick()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def resume(self, past: Past) -> None:
        """Go on where another one died: what had no final answer is delivered again."""
        self.journal.resume(past)
        self._desk.resume(past)
        for delivery in (*past.mos, *past.receipts):
            if delivery.status is None:
                self._queues[delivery.account].add(delivery)

    async def open_port(self) -> None:
        """Listen (again)."""
        if self._server is None:
            self._server = await asyncio.get_running_loop().create_server(
                lambda: Session(self._house), self.setting.host, self.port, ssl=self._tls
            )
            self.port = self._server.sockets[0].getsockname()[1]

    async def shut_port(self) -> None:
        """Refuse new connections; links that are up stay so."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def close(self) -> None:
        """Cut all links and write the journal."""
        await self.shut_port()
        if self._ticking is not None:
            self._ticking.cancel()
        self.cut("the SMSC ends")
        await self.until(lambda: not self.sessions)
        self.journal.close()

    async def send(self, mo: MO) -> Delivery:
        """A subscriber sends a text. Raises InputError where it can't be encoded."""
        [delivery] = self.send_all([mo])
        return delivery

    def send_all(self, mos: Iterable[MO]) -> list[Delivery]:
        """Many at once; on their way when this returns. Raises InputError: then none is sent."""
        made = [self.make(mo) for mo in mos]
        self.queue_all(made)
        return made

    def make(self, mo: MO) -> Delivery:
        """An MO, ready but not queued. Raises InputError."""
        account = mo.account or self.setting.accounts[0].system_id
        if account not in self._accounts:
            raise InputError(f"no account {account}")
        try:
            message = message_of(mo)
        except (KeyError, UnicodeEncodeError) as error:
            raise InputError(f"the text does not fit data_coding {mo.data_coding}") from error
        command, body = command_and_body(message, by_data_sm=mo.by_data_sm)
        return Delivery(self._desk.next_delivery(), account, message, command, body, now())

    def queue_all(self, deliveries: Iterable[Delivery]) -> None:
        """Send what `make` has made."""
        accounts: set[str] = set()
        at = now()
        for delivery in deliveries:
            delivery.queued_at = at
            self.journal.queued(delivery)
            self._queues[delivery.account].add(delivery)
            accounts.add(delivery.account)
        self.journal.flush()
        for account in accounts:
            self._queues[account].fill_all()

    def set_faults(self, **values: Any) -> None:
        """Change some; counts per link begin anew. Raises InputError."""
        change(self.faults, values)
        for session in self.sessions:
            session.faults_changed()

    def clear_faults(self) -> None:
        """All in order again."""
        fresh = Faults()
        for name in Faults.__slots__:
            setattr(self.faults, name, getattr(fresh, name))
        self.set_faults()

    def set_window(self, window: int) -> None:
        """Unanswered MO a bind, from now on."""
        self.window = window
        for queue in self._queues.values():
            queue.fill_all()

    def cut(self, reason: str = "cut on demand", bind: int | None = None) -> None:
        """End all links at once, or that of one bind."""
        for session in self._chosen(bind):
            session.cut(reason)

    def unbind(self, bind: int | None = None) -> None:
        """Ask all to go, or one."""
        for session in self._chosen(bind):
            if session.is_bound:
                session.unbind()

    def inject(self, octets: bytes, bind: int | None = None) -> None:
        """Write anything to the links."""
        for session in self._chosen(bind):
            session.put(octets)
            session.flush()

    def put_garbage(self, kind: Garbage, bind: int | None = None) -> None:
        """One PDU that should not be, to the links that take texts."""
        for session in self._chosen(bind):
            if session.is_bound:
                session.put_garbage(kind)
                session.flush()

    @property
    def open(self) -> int:
        """MO and receipts that have no final answer yet."""
        return sum(queue.open for queue in self._queues.values())

    def counts(self) -> Mapping[str, int]:
        """The journal's counts, with `open`, `bound`, `receivers`, `texts`, `unjoined`."""
        return {
            **self.journal.counts,
            "open": self.open,
            "bound": sum(session.is_bound for session in self.sessions),
            "receivers": sum(session.is_receiver for session in self.sessions),
            "texts": len(self.journal.texts),
            "unjoined": self.journal.unjoined,
        }

    async def until(self, is_so: Callable[[], bool], seconds: float = 10.0) -> None:
        """Returns once `is_so()`. Raises LabError where that takes longer."""
        deadline = monotonic() + seconds
        while not is_so():
            if monotonic() > deadline:
                raise LabError(f"not so within {seconds:g} s; counts are {dict(self.counts())}")
            await asyncio.sleep(0.005)

    def judge(self, bind: BindRequest) -> int:
        """The status that a bind is answered with."""
        if self.faults.refuse_binds:
            self.faults.refuse_binds = spend(self.faults.refuse_binds)
            return self.faults.refuse_binds_status
        account = self._accounts.get(bind.system_id)
        if account is None:
            return codec.RINVSYSID
        if account.password != bind.password:
            return codec.RINVPASWD
        binds = sum(session.account == bind.system_id for session in self.sessions)
        return codec.RALYBND if binds >= account.most_binds else codec.ROK

    def queue(self, system_id: str) -> Queue:
        """What is on its way to an account."""
        return self._queues[system_id]

    def began(self, link: Link) -> int:
        """A link began; its number."""
        assert isinstance(link, Session)  # noqa: S101 - for mypy
        self.sessions.append(link)
        self._links += 1
        self.journal.counts["links"] += 1
        return self._links

    def ended(self, link: Link) -> None:
        """A link is gone."""
        self.sessions = [session for session in self.sessions if session is not link]

    def _chosen(self, bind: int | None) -> list[Session]:
        return [session for session in self.sessions if bind in {None, session.no}]

    def _tick(self) -> None:
        self._ticking = asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)
        at = now()
        for queue in self._queues.values():
            queue.tick(at)
        every = self.setting.enquire_seconds
        if every > 0 and at - self._enquired_at >= every:
            self._enquired_at = at
            for session in list(self.sessions):
                session.enquire()
        self.journal.flush()
