"""Free ports on the loopback address, and ranges of them for sound. I/O."""

import atexit
import random
import socket
from collections import deque
from contextlib import ExitStack
from functools import cache

LOOPBACK = "127.0.0.1"
_RANGE = range(20000, 32000)
"""Below what Linux gives to outgoing connections, above Asterisk's sound."""

_SOUND = 1000
"""Ports of an Asterisk for its sound: two a call."""
_BLOCKS = 10

_ours: deque[socket.socket] = deque(maxlen=500)


@atexit.register
def _give_back() -> None:
    while _ours:
        _ours.popleft().close()


def free_ports(count: int) -> list[int]:
    """`count` different ports that are free for TCP and for UDP at this moment.

    No other process that asks here is given them while this one lives: a name in the kernel says
    that they are taken, until their user binds them.
    """
    found: list[int] = []
    while len(found) < count:
        port = random.choice(_RANGE)
        if port not in found and _is_ours(port) and _is_free(port):
            found.append(port)
    return found


def sound_ports(first: int) -> tuple[int, int]:
    """The first and the last port of this process's block above `first`, for sound.

    Where two networks share a range, a port of a call whose Asterisk was killed is soon that of
    another network's call, which takes the sound and the keys that still come there for its own.
    """
    start = first + _block() * _SOUND
    return start, start + _SOUND - 1


def sound_of_callers() -> dict[str, str]:
    """The values of lab/carrier/rtp.conf: for a carrier, and for phones."""
    start, end = sound_ports(20000)
    return {"rtp_start": str(start), "rtp_end": str(end)}


@cache
def _block() -> int:
    """One of the machine's blocks, until this process ends."""
    for block in range(_BLOCKS):
        if (claim := _claimed(f"sound-{block}")) is not None:
            atexit.register(claim.close)
            return block
    raise OSError(f"{_BLOCKS} processes have networks already: all ports for sound are taken")


def _claimed(name: str) -> socket.socket | None:
    """A name in the kernel, which no other process has while the socket is open."""
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0tstn-{name}")
    except OSError:
        claim.close()
        return None
    return claim


def _is_ours(port: int) -> bool:
    claim = _claimed(f"port-{port}")
    if claim is None:
        return False
    if len(_ours) == _ours.maxlen:
        _ours.popleft().close()
    _ours.append(claim)
    return True


def _is_free(port: int) -> bool:
    with ExitStack() as held:
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                held.enter_context(socket.socket(socket.AF_INET, kind)).bind((LOOPBACK, port))
        except OSError:
            return False
    return True
