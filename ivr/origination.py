"""What an originate request may say, and what came of it. Pure.

Who may originate may run dialplan functions through variable NAMES and reach any trunk through the
endpoint string. So names come from a fixed list and the endpoint is built here from a number and
a trunk that each match a strict pattern; nothing of a campaign file or a subscriber's data can
carry more than digits into Asterisk.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

ALLOWED_VARIABLES = frozenset(
    {
        "TIMEOUT(absolute)",  # seconds after which Asterisk ends the call by itself
        "CHANNEL(language)",  # the folder of sounds, `vi`
        "FORWARD_CONTEXT",  # where a 302 of the carrier would send the call: a dead context
        "PJSIP_HEADER(add,X-Attempt-ID)",  # our id in the INVITE, for the carrier's log
    }
)

# Mobile numbers as domain.msisdn gives them, national or international; [0-9], because \d would
# take digits of other scripts too.
_NUMBER = re.compile(r"(?:0|\+?84)[35789][0-9]{8}")
_TRUNK = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_PHONE = re.compile(r"agent[0-9]{1,3}")
_CALLER_ID = re.compile(r"\+?[0-9]{3,15}")
_CHANNEL_ID = re.compile(r"[A-Za-z0-9-]{1,149}")
_VALUE = re.compile(r"[A-Za-z0-9_.:+-]{1,80}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One number behind one trunk, as Asterisk dials it.

    Raises:
        ValueError: the number is not a Vietnamese one in dial form (0…, 84… or +84…), or the
            trunk is not a plain name. The message never repeats a number.
    """

    number: str
    trunk: str

    def __post_init__(self) -> None:
        _require(_NUMBER, self.number, "the number to dial")
        _require(_TRUNK, self.trunk, "the trunk's name")

    def __str__(self) -> str:
        return f"PJSIP/{self.number}@{self.trunk}"


@dataclass(frozen=True, slots=True)
class Phone:
    """An agent's phone, by the name it registers with.

    Raises:
        ValueError: the name is not a plain one.
    """

    name: str

    def __post_init__(self) -> None:
        _require(_PHONE, self.name, "the phone's name")

    def __str__(self) -> str:
        return f"PJSIP/{self.name}"


class Origination(StrEnum):
    """How much is known of an originate request."""

    ACCEPTED = "accepted"
    """The channel exists: made now, or live from before under this id (409)."""
    REFUSED = "refused"
    """No channel was made and no INVITE sent: the number was not called, and may be again."""
    LOST = "lost"
    """No answer came: perhaps dialled, perhaps not. Never repeat; look for the channel."""


@dataclass(frozen=True, slots=True)
class Originated:
    """The result of an originate; `status` is HTTP's, where there was any."""

    outcome: Origination
    status: int | None
    text: str


def checked(
    channel_id: str, *, caller_id: str, timeout_seconds: int, variables: Mapping[str, str]
) -> None:
    """Let nothing but plain words through, whichever way the request is sent.

    Raises:
        ValueError: a variable's name is not on the list, or any text is not of its plain form.
    """
    for name, value in variables.items():
        if name not in ALLOWED_VARIABLES:
            raise ValueError(f"the channel variable {name!r} is not on the list of allowed ones")
        _require(_VALUE, value, f"the value of {name}")
    if timeout_seconds < 1:  # 0 would mean 30 s to Asterisk, and -1 for ever
        raise ValueError(f"ring time of {timeout_seconds} s: at least 1 is needed")
    _require(_CHANNEL_ID, channel_id, "the channel id")
    _require(_CALLER_ID, caller_id, "the caller id")


def _require(pattern: re.Pattern[str], text: str, what: str) -> None:
    if not pattern.fullmatch(text):
        raise ValueError(f"{what} is not of its plain form")
