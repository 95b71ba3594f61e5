"""One TCP or TLS link: octets into PDUs, and back in batches, or in as odd a way as asked for."""

import asyncio
import random
import socket
import struct
from abc import abstractmethod
from collections import deque
from typing import cast

from lab.smsc.codec import HEADER, HEADER_LENGTH, LONGEST_PDU
from lab.smsc.faults import Faults

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Link(asyncio.Protocol):
    """What is `put` while PDUs are being taken goes out in one piece after the last of them."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.peer = ""
        self.closed_because = ""
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._out: list[bytes] = []
        self._pieces: deque[bytes] = deque()
        self._frozen = self._is_ending = False
        self._taken = self._last = 0
        self.faults_changed()

    @abstractmethod
    def take(self, command: int, status: int, sequence: int, body: bytes) -> None:
        """A PDU came."""

    @abstractmethod
    def take_last(self, command: int, sequence: int, body: bytes) -> None:
        """A PDU came, and the link will be cut before any answer."""

    @abstractmethod
    def taken_all(self) -> None:
        """For now; before what was put is written."""

    @abstractmethod
    def lost(self, reason: str) -> None:
        """The link is gone."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        self.peer = str(transport.get_extra_info("peername"))
        self.faults_changed()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._out.clear()
        self._pieces.clear()
        self.lost(self.closed_because or (f"{error}" if error else "closed by the ESME"))

    def data_received(self, data: bytes) -> None:
        """Take what is whole."""
        data = self._rest + data if self._rest else data
        at, end = 0, len(data)
        while end - at >= HEADER_LENGTH and not self._is_ending:
            length, command, status, sequence = HEADER.unpack_from(data, at)
            if not HEADER_LENGTH <= length <= LONGEST_PDU:
                self.cut(f"a command_length of {length}")
                return
            if end - at < length:
                break
            body = data[at + HEADER_LENGTH : at + length]
            at += length
            self._taken += 1
            if self._taken == self._last:
                self.take_last(command, sequence, body)
                self.cut("cut on demand")
                return
            self.take(command, status, sequence, body)
        self._rest = data[at:]
        self.taken_all()
        self.flush()

    def faults_changed(self) -> None:
        """Count anew; freeze or thaw."""
        faults, self._taken = self.faults, 0
        most = max(faults.cut_after, faults.cut_after_most)
        self._last = random.randint(faults.cut_after, most) if faults.cut_after else 0
        if self._transport is None or self._frozen == faults.frozen:
            return
        self._frozen = faults.frozen
        if self._frozen:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()
            self.flush()

    @property
    def is_up(self) -> bool:
        """Whether anything can still be written."""
        return self._transport is not None and not self._is_ending

    @property
    def is_frozen(self) -> bool:
        """Whether nothing is read or written at present."""
        return self._frozen

    @property
    def taken(self) -> int:
        """PDUs since the link began, or since faults were set."""
        return self._taken

    def put(self, pdu: bytes) -> None:
        """To be written with the next `flush`; lost where the link is ending."""
        if not self._is_ending:
            self._out.append(pdu)

    def flush(self) -> None:
        """Write what was put."""
        if not self._out or self._frozen or self._transport is None:
            return
        if self.faults.answers_shuffled:
            random.shuffle(self._out)
        data = b"".join(self._out)
        self._out.clear()
        if self._pieces or self.faults.chunk_bytes > 0:
            self._put_pieces(data)
        else:
            self._transport.write(data)

    def cut(self, reason: str) -> None:
        """End the link at once, without a word."""
        if self._transport is None:
            return
        self.closed_because = self.closed_because or reason
        if self.faults.cut_by_reset:
            sock = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        else:
            self.flush()
        self._is_ending = True
        self._transport.abort()

    def finish(self, reason: str) -> None:
        """End the link once all is written."""
        self.closed_because = self.closed_because or reason
        self.flush()
        self._is_ending = True
        if self._transport is not None and not self._pieces:
            self._transport.close()

    def _put_pieces(self, data: bytes) -> None:
        size = self.faults.chunk_bytes or len(data)
        is_running = bool(self._pieces)
        self._pieces.extend(data[at : at + size] for at in range(0, len(data), size))
        if not is_running:
            self._write_piece()

    def _write_piece(self) -> None:
        if self._transport is None or not self._pieces:
            return
        self._transport.write(self._pieces.popleft())
        if self._pieces:
            loop = asyncio.get_running_loop()
            loop.call_later(self.faults.chunk_seconds, self._write_piece)
        elif self._is_ending:
            self._transport.close()
