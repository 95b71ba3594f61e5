"""Ports for tests that run at the same time: none is given twice. I/O."""

import subprocess
import sys

from lab.network import CHECKOUT
from lab.ports import sound_ports

_HOLDS_A_BLOCK = "from lab.ports import sound_ports; print(sound_ports(10000), flush=True); input()"


def test_processes_have_blocks_of_their_own_for_sound() -> None:
    command = [sys.executable, "-c", _HOLDS_A_BLOCK]
    others = [
        subprocess.Popen(
            command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    try:
        given = [str(sound_ports(10000))]
        for other in others:
            assert other.stdout is not None
            given.append(other.stdout.readline().strip())
        assert len(set(given)) == 3
        assert sound_ports(10000)[1] - sound_ports(10000)[0] == 999
    finally:
        for other in others:
            other.communicate("\n")
