"""The control port: an SMSC is steered and read from another process. I/O.

One JSON object a line, `{"do": "counts"}`, and one line back: `{"result": …}` or `{"error": "…"}`.
Commands of one connection are carried out one after the other. `Commands` lists them all.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import orjson

from domain.errors import TstnError
from lab.ports import LOOPBACK
from lab.smsc import garbage, load
from lab.smsc.records import Delivery
from lab.smsc.server import Smsc
from lab.smsc.subscribers import MO

LONGEST_LINE = 256 * 1024 * 1024


class Commands:
    """Each public method is a command; its parameters are the other fields of the line."""

    def __init__(self, smsc: Smsc) -> None:
        self._smsc = smsc

    def ping(self) -> int:
        """The SMPP port."""
        return self._smsc.port

    def counts(self) -> dict[str, int]:
        """All figures; those that never rose are left out."""
        return dict(self._smsc.counts())

    def mos(self, start: int = 0) -> list[dict[str, Any]]:
        """MO with their fate, from the `start`-th on."""
        return [one.row() for one in self._smsc.journal.mos[start:]]

    def receipts(self, start: int = 0) -> list[dict[str, Any]]:
        """Receipts likewise."""
        return [one.row() for one in self._smsc.journal.receipts[start:]]

    def mts(self, start: int = 0) -> list[dict[str, Any]]:
        """MT, the refused ones too."""
        return [one.row() for one in self._smsc.journal.mts[start:]]

    def texts(self, start: int = 0) -> list[dict[str, Any]]:
        """What subscribers have read, long texts joined."""
        return [one._asdict() for one in self._smsc.journal.texts[start:]]

    def events(self, start: int = 0) -> list[dict[str, Any]]:
        """Binds, ends of links, violations and the like."""
        return [one.row() for one in self._smsc.journal.events[start:]]

    def binds(self) -> list[dict[str, Any]]:
        """Links that are up."""
        return [
            {"bind": one.no, "account": one.account, "kind": one.kind, "pending": len(one.pending)}
            for one in self._smsc.sessions
        ]

    async def send(self, mos: list[dict[str, Any]], rate: float = 0.0) -> list[int]:
        """MO are sent, `rate` a second or all at once; their ids."""
        wanted = [read_mo(one) for one in mos]
        if rate <= 0:
            return _ids(self._smsc.send_all(wanted))
        return _ids(await load.send_at_rate(self._smsc, wanted, rate))

    async def send_many(
        self, count: int, mo: dict[str, Any], first_source: int, rate: float = 0.0
    ) -> list[int]:
        """The same text from many subscribers."""
        mos = load.texts_from(count, read_mo(mo), first_source)
        if rate <= 0:
            return _ids(self._smsc.send_all(mos))
        return _ids(await load.send_at_rate(self._smsc, mos, rate))

    async def flood(self, count: int, **options: Any) -> dict[str, Any]:
        """`load.flood`; answers once it is over."""
        if "mo" in options:
            options["mo"] = read_mo(options["mo"])
        return (await load.flood(self._smsc, count, **options)).row()

    def set_faults(self, **faults: Any) -> None:
        """Change some fields of `Faults`."""
        self._smsc.set_faults(**faults)

    def clear_faults(self) -> None:
        """All in order again."""
        self._smsc.clear_faults()

    def set_window(self, window: int) -> None:
        """Unanswered MO a bind."""
        self._smsc.set_window(window)

    def cut(self, bind: int | None = None) -> None:
        """End links at once."""
        self._smsc.cut(bind=bind)

    def unbind(self, bind: int | None = None) -> None:
        """Ask ESMEs to go."""
        self._smsc.unbind(bind)

    def inject(self, octets: str, bind: int | None = None) -> None:
        """Write anything (hexadecimal) to the links."""
        self._smsc.inject(bytes.fromhex(octets), bind)

    def put_garbage(self, kind: str, bind: int | None = None) -> None:
        """One PDU that should not be."""
        self._smsc.put_garbage(garbage.Garbage(kind), bind)

    async def shut_port(self) -> None:
        """Refuse new connections."""
        await self._smsc.shut_port()

    async def open_port(self) -> None:
        """Take them again."""
        await self._smsc.open_port()

    def forget(self) -> None:
        """Drop what is finished from memory."""
        self._smsc.journal.forget()


def read_mo(fields: dict[str, Any]) -> MO:
    """From JSON: `payload` and TLV values are hexadecimal. Raises TypeError, ValueError."""
    read = dict(fields)
    if read.get("payload") is not None:
        read["payload"] = bytes.fromhex(read["payload"])
    if "tlvs" in read:
        read["tlvs"] = tuple((tag, bytes.fromhex(value)) for tag, value in read["tlvs"])
    return MO(**read)


def write_mo(mo: MO) -> dict[str, Any]:
    """What `read_mo` reads; fields that are as they are by default are left out."""
    plain = MO(source="")
    fields = {
        name: value
        for name in MO.__slots__
        if (value := getattr(mo, name)) != getattr(plain, name) or name == "source"
    }
    if mo.payload is not None:
        fields["payload"] = mo.payload.hex()
    if mo.tlvs:
        fields["tlvs"] = [(tag, value.hex()) for tag, value in mo.tlvs]
    return fields


async def open_control(smsc: Smsc, port: int) -> asyncio.Server:
    """Listens on the loopback address; 0: any free port."""
    commands = Commands(smsc)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(await _carry_out(commands, line))
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    return await asyncio.start_server(serve, LOOPBACK, port, limit=LONGEST_LINE)


async def _carry_out(commands: Commands, line: bytes) -> bytes:
    try:
        fields = orjson.loads(line)
        result = await _await(_command(commands, str(fields.pop("do", "")))(**fields))
    except (TstnError, TypeError, ValueError, AttributeError) as error:
        return orjson.dumps({"error": f"{error}"}, option=orjson.OPT_APPEND_NEWLINE)
    return orjson.dumps({"result": result}, option=orjson.OPT_APPEND_NEWLINE)


def _command(commands: Commands, name: str) -> Callable[..., Any]:
    command: Callable[..., Any] | None = getattr(commands, name, None)
    if name.startswith("_") or command is None:
        raise ValueError(f"no command {name!r}")
    return command


async def _await(result: Awaitable[Any] | object) -> object:
    return await result if inspect.isawaitable(result) else result


def _ids(made: Sequence[Delivery]) -> list[int]:
    return [one.id for one in made]
