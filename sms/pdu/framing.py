"""The octet stream of a link cut into PDUs, however it arrives. Pure.

Each PDU begins with its own length, four octets (SMPP 3.4, 3.2). There is no other mark between
two of them: after a length that cannot be, nothing that follows can be trusted.
"""

from struct import Struct

from domain.errors import TstnError

SHORTEST = 16
"""Octets of a PDU that is a header and nothing else."""

_LENGTH = Struct(">I")


class FramingError(TstnError):
    """The stream is out of step; only a new connection helps."""


class Framer:
    """Collects what a link delivers and gives back whole PDUs.

    Attributes:
        fault: why no further PDU will come; None while the stream is in step.
    """

    def __init__(self, max_length: int = 65536) -> None:
        self.fault: str | None = None
        self._max_length = max_length
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Add octets; return the PDUs that are whole now.

        The PDUs before a wrong length are returned; look at `fault` then.

        Raises:
            FramingError: at every call after the one that set `fault`.
        """
        if self.fault is not None:
            raise FramingError(self.fault)
        buffer = self._buffer
        buffer += data
        frames = []
        begin = 0
        while len(buffer) >= begin + _LENGTH.size:
            (length,) = _LENGTH.unpack_from(buffer, begin)
            if not SHORTEST <= length <= self._max_length:
                self.fault = f"a PDU of {length} octets, not {SHORTEST} to {self._max_length}"
                break
            if len(buffer) < begin + length:
                break
            frames.append(bytes(buffer[begin : begin + length]))
            begin += length
        del buffer[:begin]
        return frames
