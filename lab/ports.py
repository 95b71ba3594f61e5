"""Free ports on the loopback address. I/O."""

import socket

LOOPBACK = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """`count` different ports that are free for TCP and for UDP at this moment."""
    held: list[socket.socket] = []
    found: list[int] = []
    try:
        while len(found) < count:
            tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            held += [tcp, udp]
            tcp.bind((LOOPBACK, 0))
            try:
                udp.bind((LOOPBACK, tcp.getsockname()[1]))
            except OSError:
                continue
            found.append(tcp.getsockname()[1])
        return found
    finally:
        for one in held:
            one.close()
