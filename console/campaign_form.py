"""The questions of the operator's forms: labels, what each must be, and what was changed. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from console.messages import marked as _
from domain.dispositions import Disposition
from store.models import Campaign

Say = Callable[[str], str]

LABELS = {
    "name": _("Campaign name"),
    "purpose": _("Purpose"),
    "script_version": _("Script version"),
    "cps": _("Calls a second (CPS)"),
    "cps_of_texts": _("Texts a second"),
    "text": _("Words of the text"),
    "account": _("SMSC account"),
    "follows": _("Calls who did not answer the texts of"),
    "follow_after_hours": _("Hours after the text"),
    "max_channels": _("Channels"),
    "channels": _("Channels"),
    "ring_timeout_seconds": _("Ringing, seconds"),
    "max_attempts": _("Attempts a number, at most"),
    "priority": _("Priority"),
    "variants": _("Script versions, by weight"),
    "by_phase": _("Only while the phase of the place is open"),
    "windows": _("Calling windows"),
    "call_on_holidays": _("Calls on holidays"),
    "retry": _("Retries"),
    "max": _("times at most"),
    "delay_seconds": _("seconds after the end"),
    "factor": _("then × each time"),
}
"""The columns of a campaign, as people call them."""

MUST = {
    "name": _("letters, digits, . _ and -, at most 80, not digits alone"),
    "purpose": _("one of the list: the law's rules depend on it"),
    "script_version": _("a script version such as vi-1"),
    "cps": _("a number from 0.01 to 1000"),
    "cps_of_texts": _("a number from 0.01 to 1000"),
    "text": _(
        "at most 2000 characters; an advertisement begins with [QC] and ends with how to refuse, "
        "such as: soan TC gui 9231"
    ),
    "account": _("one of the list"),
    "follows": _("one of the list"),
    "follow_after_hours": _("a number from 0 to 720"),
    "max_channels": _("a whole number from 1 to 20000"),
    "channels": _("a whole number from 0 to 20000"),
    "ring_timeout_seconds": _("a whole number from 5 to 120"),
    "max_attempts": _("a whole number from 1 to 20"),
    "priority": _("a whole number from 1 to 9; the highest is served first"),
    "windows": _("such as 08:00-11:30, 13:30-17:00 or mon-fri 08:00-17:00"),
    "call_on_holidays": _("yes or no"),
    "by_phase": _("yes or no"),
    "variants": _("versions with their weights from 1 to 1000, such as vi-1 50, vi-2 50"),
    "max": _("a whole number from 0 to 20"),
    "delay_seconds": _("a number of seconds, at most 30 days"),
    "factor": _("a number from 1 to 10"),
}
"""What each must be; the dialler's own checks rule, this is how a page says it."""

KNOBS = ("cps", "max_channels", "priority", "max_attempts", "ring_timeout_seconds", "windows")
"""What has a field of its own, beside retries and what is chosen."""
_CHOSEN = ("call_on_holidays", "by_phase", "script_version")
RULES = ("max", "delay_seconds", "factor")
MAY_RETRY = (
    *(Disposition.NO_ANSWER, Disposition.BUSY, Disposition.UNREACHABLE),
    *(Disposition.CONGESTION, Disposition.UNEXPECTED_CAUSE, Disposition.UNKNOWN),
)
_WEIGHT = re.compile(r"([A-Za-z0-9._-]{1,40}) +([0-9]{1,4})")
_TAKEN = re.compile(r"a campaign named .* exists already")
# As domain.gate says it.
OF_THE_LAW = (
    _("advertising may call from 08:00 to 17:00 only"),
    _("advertising may text from 07:00 to 22:00 only"),
)
_EXISTS = _("A campaign of this name exists already: choose another name")


def present(campaign: Campaign) -> dict[str, str]:
    """What the fields of the knobs hold now."""
    fields = {name: shown(getattr(campaign, name)) for name in (*KNOBS, *_CHOSEN, "variants")}
    for word in MAY_RETRY:
        rule = campaign.retry.get(word, {})
        for knob in RULES:
            fields[f"retry.{word}.{knob}"] = shown(rule[knob]) if knob in rule else ""
    return fields


def changed(campaign: Campaign, given: Mapping[str, str]) -> list[str]:
    """What a form changes, as the pairs that the dialler checks."""
    now = present(campaign)
    others = {name: value for name, value in given.items() if value and name != "variants"}
    pairs = [f"{name}={others[name]}" for name in now if others.get(name, now[name]) != now[name]]
    if given.get("variants", now["variants"]) != now["variants"]:
        pairs.append(f"variants={weights(given['variants'])}")
    return pairs


def weights(field: str) -> str:
    """What "vi-1 50, vi-2 50" is in TOML; what is not like that stays, to be refused."""
    found = [_WEIGHT.fullmatch(part.strip()) for part in field.split(",") if part.strip()]
    if None in found:
        return field
    return "{" + ", ".join(f'"{one[1]}" = {one[2]}' for one in found if one) + "}"


def shown(value: Any) -> str:
    """A value as its field holds it."""
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:g}"
        case list():
            return ", ".join(value)
        case dict():
            return ", ".join(f"{name} {each}" for name, each in value.items())
        case None:
            return ""
        case _:
            return str(value)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Each changed value by its name: before and after; retries one by one."""
    old, new = _flat(before), _flat(after)
    return [
        (name, old.get(name, ""), new.get(name, ""))
        for name in (*old, *(name for name in new if name not in old))
        if old.get(name) != new.get(name)
    ]


def _flat(values: Mapping[str, Any]) -> dict[str, str]:
    flat = {name: shown(value) for name, value in values.items() if name != "retry"}
    for word, rule in (values.get("retry") or {}).items():
        flat |= {f"retry.{word}.{knob}": shown(value) for knob, value in rule.items()}
    return flat


def label(name: str, say: Say, word: Say) -> str:
    """A column as people call it; of a retry rule its disposition too."""
    match name.split("."):
        case ["retry", disposition, knob]:
            return f"{say(LABELS['retry'])}, {word(disposition)}: {say(LABELS[knob])}"
        case _:
            return say(LABELS.get(name, name))


def problems(line: str, say: Say, word: Say) -> list[str]:
    """A refusal of the dialler in the visitor's language, a problem each."""
    return [_problem(part, say, word) for part in line.split("; ")]


def _problem(part: str, say: Say, word: Say) -> str:
    if _TAKEN.fullmatch(part):
        return say(_EXISTS)
    name = re.match(r"[a-z_.]+", part)
    key = name[0] if name else ""
    must = MUST.get(key.split(".")[-1])
    return say(part) if must is None else f"{label(key, say, word)}: {say(must)}"


def names_of(form: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """The fields of a form that have these names, trimmed."""
    return {name: form[name].strip() for name in names if name in form}
