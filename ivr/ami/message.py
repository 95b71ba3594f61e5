"""AMI's blocks of lines as pyst2's messages, and actions as blocks. Pure.

pyst2's message is kept, its parser is not: that one ends on Python 3 where a block carries channel
variables, and keeps one of several headers of the same name. Its manager is not used at all: it
gives answers to whoever asks first, takes a caller's name for a protocol word, and waits for ever.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from asterisk.manager import ManagerMsg  # type: ignore[import-untyped]

END = b"\r\n\r\n"
_FORBIDDEN = re.compile(r"[\r\n\0]")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")

Value = str | int | Sequence[str]


class Message(ManagerMsg):  # type: ignore[misc]
    """One block that Asterisk sent: an event, or the answer to an action.

    Of headers that come several times (Output, Variable), the first counts.
    """

    headers: dict[str, str]

    def parse(self, response: list[str]) -> None:
        """Take the headers apart; a line without a colon is nobody's."""
        for line in response:
            name, colon, value = line.partition(":")
            if colon:
                self.headers.setdefault(name.strip(), value.strip())

    @property
    def event(self) -> str:
        """The event's name; empty for an answer."""
        return self.headers.get("Event", "")

    @property
    def action_id(self) -> str:
        """The action it belongs to; empty where it belongs to none."""
        return self.headers.get("ActionID", "")

    def get(self, name: str) -> str:
        """A header's value; empty where there is none."""
        return self.headers.get(name, "")


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to an action: `rows` are the events of its list, if it asked for one."""

    ok: bool
    message: str
    rows: tuple[Message, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


def read_block(block: bytes) -> Message:
    """Read one block; octets that are no UTF-8 are replaced, nothing is raised."""
    return Message(block.decode("utf-8", "replace").splitlines())


def write_block(name: str, action_id: str, headers: Mapping[str, Value]) -> bytes:
    """One action as Asterisk reads it; a sequence becomes several headers of one name.

    Raises:
        ValueError: a value could end its line and begin another header. It is not repeated.
    """
    lines = [f"Action: {name}", f"ActionID: {action_id}"]
    for key, value in headers.items():
        if not _NAME.fullmatch(key):
            raise ValueError(f"{key!r} is no header")
        values = [str(value)] if isinstance(value, str | int) else value
        lines += [f"{key}: {one}" for one in values]
    if any(_FORBIDDEN.search(line) for line in lines):
        raise ValueError(f"a value of the action {name} breaks its line")
    return "\r\n".join(lines).encode() + END
