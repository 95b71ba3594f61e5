"""Puts small PDUs together into few writes. I/O."""

import asyncio

FLUSH_AT = 8
"""Submits in one write. More would make the SMSC wait for the first until the last is made: with an
SMSC that needs 20 ms, 8 reach 4,500 a second at window 100, one write for all of them 3,500."""


class Writer:
    """Writes in order; what is put in one turn of the loop leaves at its end at the latest."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []
        self._called = False

    def put(self, pdu: bytes, *, may_gather: bool = False) -> None:
        """Write a PDU soon; one that `may_gather` with all the others of this turn."""
        parts = self._parts
        parts.append(pdu)
        if len(parts) >= FLUSH_AT and not may_gather:
            self._write()
        elif not self._called:
            self._called = True
            self._loop.call_soon(self._at_the_end)

    def flush(self) -> None:
        """Write what is there now."""
        if self._parts:
            self._write()

    def _at_the_end(self) -> None:
        self._called = False
        self.flush()

    def _write(self) -> None:
        data = b"".join(self._parts)
        self._parts.clear()
        if not self._transport.is_closing():
            self._transport.write(data)
