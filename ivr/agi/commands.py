"""AGI's words, by pyst2, without its streams: commands to bytes, Asterisk's lines to results. Pure.

pyst2 knows how commands are written and answers read. Its constructor is not called: that takes
SIGHUP over, reads at once, and writes every number and command to stderr.
"""

import re
from collections.abc import Sequence
from io import StringIO

from asterisk.agi import AGI, AGIException  # type: ignore[import-untyped]

from ivr.agi.errors import AgiError

INTERRUPTION = b"NOOP\n"
"""Whatever Asterisk reads ends the sound under way, which gets no answer; this does no more."""
USAGE_BEGINS, USAGE_ENDS = b"520-", b"520 "
"""An answer of several lines, from the first kind of line to the second; others are one line."""
_FORBIDDEN = re.compile(r"[\r\n\0]")


class Commands(AGI):  # type: ignore[misc]
    """The commands and answers of one AGI session."""

    def __init__(self) -> None:
        self.stdin = self.stdout = StringIO()
        self.stderr = _Nowhere()
        self._got_sighup = False
        self.env: dict[str, str] = {}

    def greet(self, lines: Sequence[bytes]) -> dict[str, str]:
        """What Asterisk says of the channel at the start, "agi_uniqueid" among it."""
        self.stdin = StringIO(_text(lines) + "\n")
        self._get_agi_env()
        return self.env

    def stream_file_command(self, file: str, stoppers: str) -> bytes:
        """Play a file (without its ending); a key of `stoppers` ends it.

        Raises:
            ValueError: a value would end the line.
        """
        self.stdout = StringIO()
        self.send_command("STREAM FILE", self._quote(file), self._quote(stoppers))
        return self.stdout.getvalue().encode()

    def key_of(self, lines: Sequence[bytes]) -> str:
        """The key that ended the file, or none. Raises AgiError where the channel is gone."""
        self.stdin = StringIO(_text(lines))
        try:
            number = self.get_result()["result"][0]
            return chr(int(number)) if int(number) > 0 else ""
        except (AGIException, ValueError) as error:
            raise AgiError(f"no sound was played: {error!r}") from error

    def _quote(self, string: str) -> str:
        if _FORBIDDEN.search(string):
            raise ValueError("a value breaks the line of its AGI command")
        return '"{}"'.format(string.replace("\\", "\\\\").replace('"', '\\"'))


def is_of_sound(answer: Sequence[bytes]) -> bool:
    """Whether an answer is STREAM FILE's own."""
    return b"endpos=" in answer[0]


class _Nowhere:
    """Where pyst2's log goes: it repeats subscribers' numbers."""

    def write(self, text: str) -> None:
        """Forget it."""


def _text(lines: Sequence[bytes]) -> str:
    return b"".join(lines).decode("utf-8", "replace")
