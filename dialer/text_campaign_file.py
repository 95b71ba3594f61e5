"""The keys of a campaign's file that are about texts: their checks, and which go together. Pure."""

import unicodedata
from collections.abc import Mapping
from typing import Any

from dialer.knobs import Check, number
from domain.errors import InputError
from domain.states import CampaignKind

DEFAULTS: dict[str, Any] = {
    "kind": str(CampaignKind.CALL),
    "text": None,
    "account": None,
    "source": None,
    "follows": None,
    "follow_after_hours": None,
}
TEXT_WINDOWS = ["07:00-22:00"]
"""When texts may go out (Decree 91/2020), where the file does not say."""
A_DAY_LATER = 24.0
"""Hours from the text to the call that follows it, where the file does not say."""
FIXED = ("kind", "text", "account", "source", "follows")
"""What can't be changed once it is made: one campaign, one text."""

_OF_TEXTS = ("text", "account", "source")
_OF_CALLS = (
    *("script_version", "variants", "max_channels", "ring_timeout_seconds", "max_attempts"),
    *("retry", "follows", "follow_after_hours"),
)


def completed(given: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The checked values with the defaults that depend on others."""
    done = {**DEFAULTS, **values}
    if done["kind"] == CampaignKind.TEXT and "windows" not in given:
        done["windows"] = list(TEXT_WINDOWS)
    if done["follows"] is not None and "follow_after_hours" not in given:
        done["follow_after_hours"] = A_DAY_LATER
    return done


def mismatches(given: Mapping[str, Any]) -> list[str]:
    """A problem for each key that does not go with the kind of campaign, or with another key."""
    is_text = given.get("kind", CampaignKind.CALL) == CampaignKind.TEXT
    problems = [
        f"{key}: is for {'calls' if is_text else 'texts'}; this campaign "
        + ('has kind = "text"' if is_text else 'would need kind = "text"')
        for key in (_OF_CALLS if is_text else _OF_TEXTS)
        if key in given
    ]
    if is_text and "text" not in given:
        problems.append('text is missing: write text = "…"')
    if "follow_after_hours" in given and "follows" not in given:
        problems.append("follow_after_hours: needs follows, the name of a text campaign")
    return problems


def _kind(value: Any) -> str:
    if value not in tuple(CampaignKind):
        raise InputError(f"must be {' or '.join(CampaignKind)}, not {value!r}")
    return str(value)


def _words(value: Any) -> str:
    text = unicodedata.normalize("NFC", value).strip() if isinstance(value, str) else ""
    if not text or not text.replace("\n", "").isprintable():
        raise InputError(f"must be the words of the text, not {value!r}")
    return text


def _account(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 80:
        raise InputError(f"must be the name of an SMSC account, not {value!r}")
    return value


def _source(value: Any) -> str:
    if not isinstance(value, str) or not (value.isascii() and value.isdigit() and len(value) < 9):
        raise InputError(f'must be a short code such as "9231", not {value!r}')
    return value


def checks(name: Check) -> dict[str, Check]:
    """The checks of these keys; `name` is that of a campaign's name."""
    return {
        "kind": _kind,
        "text": _words,
        "account": _account,
        "source": _source,
        "follows": name,
        "follow_after_hours": number(0, 30 * 24),
    }
