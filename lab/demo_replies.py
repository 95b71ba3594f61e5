"""Which of our replies a subscriber reads, by its words. Pure."""

import re
from collections.abc import Mapping

_DATE = r"\d\d/\d\d/\d{4}"
_TIME = rf"\d\d:\d\d {_DATE}"
_FILLED = {"{date}": _DATE, "{received}": _TIME, "{applied}": _TIME}
"""How a subscriber reads each placeholder."""


def kind_of(text: str, replies: Mapping[str, str]) -> str:
    """The kind of reply; a text that is none of ours stays as it is."""
    for kind, words in replies.items():
        pattern = re.escape(words)
        for name, filled in _FILLED.items():
            pattern = pattern.replace(re.escape(name), filled)
        if re.fullmatch(pattern, text):
            return kind
    return text
