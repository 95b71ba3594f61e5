"""Free ports on the loopback address. I/O."""

import atexit
import random
import socket
from collections import deque
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"
_RANGE = range(20000, 32000)
"""Below what Linux gives to outgoing connections, above Asterisk's sound."""

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


def _is_ours(port: int) -> bool:
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0tstn-port-{port}")
    except OSError:
        claim.close()
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
