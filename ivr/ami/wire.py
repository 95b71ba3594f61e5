"""AMI's lines as messages and back: nothing in a value can begin another header. Pure.

A message is lines of `Name: value`, ended by an empty one (Asterisk's documentation, AMI v2).
"""

from collections.abc import Mapping, Sequence

from asterisk.manager import ManagerMsg  # type: ignore[import-untyped]

LONGEST_LINE = 65536
MOST_LINES = 2000

Headers = Mapping[str, str]


class Message(ManagerMsg):  # type: ignore[misc]
    """One message as pyst2 knows it, read in a way that survives Python 3 and odd lines."""

    def parse(self, response: Sequence[str]) -> None:
        """Take the lines; what is no header is left out, of a repeated one the first counts."""
        headers: dict[str, str] = {}
        for line in response:
            name, colon, value = line.partition(":")
            if colon:
                headers.setdefault(name.strip(), value.strip())
        self.headers = headers


def action(headers: Mapping[str, str]) -> bytes:
    """An action as it goes over the wire.

    Raises ValueError where a name or a value holds what would end its line: a name from outside
    could otherwise bring an action of its own along.
    """
    lines = []
    for name, value in headers.items():
        if not name.isalnum() or any(sign in value for sign in "\r\n\0"):
            raise ValueError(f"the AMI header {name!r} can't be sent")
        lines.append(f"{name}: {value}\r\n")
    return "".join([*lines, "\r\n"]).encode()
