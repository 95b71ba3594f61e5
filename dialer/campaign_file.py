"""What an operator writes about a campaign: its TOML file, and `tune` pairs. Pure.

Both give column values of `store.models.Campaign`. What a file leaves out has the default (see
config/campaigns/example.toml); a purpose has none, and a draft may lack it.
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from dialer import knobs, text_campaign_file
from dialer.knobs import Check, check_all, flag, number, whole
from dialer.retry import DEFAULT_RULES, RetryRule, RetryRules, rules_from_row, rules_to_row
from domain.calendar import Window
from domain.dispositions import Disposition
from domain.errors import InputError
from domain.states import Purpose

_NAME = re.compile(r"[^\W_][\w.-]{0,79}")
_VERSION = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# A comma ends a window only after its closing time: "sat,sun 09:00-11:30" is one window.
_BETWEEN_WINDOWS = re.compile(r"(?<=\d)\s*,\s*")
_LONGEST_DELAY = 30 * 24 * 3600
_MAY_RETRY = tuple(
    str(word) for word in Disposition if word not in (Disposition.ANSWERED, Disposition.NOT_DIALLED)
)


def read_campaign(text: str, *, script_version: str, ring_timeout_seconds: int) -> dict[str, Any]:
    """The column values of the campaign in a TOML text.

    The arguments stand for what the text leaves out. Raises InputError with all mistakes in one
    line.
    """
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"is not TOML: {error}") from None
    return campaign_of(
        given, script_version=script_version, ring_timeout_seconds=ring_timeout_seconds
    )


def campaign_of(
    given: dict[str, Any], *, script_version: str, ring_timeout_seconds: int
) -> dict[str, Any]:
    """The column values of a campaign given as the table of such a text; raises as it."""
    problems = [] if "name" in given else ['name is missing: write name = "…"']
    problems += text_campaign_file.mismatches(given)
    rules = _merged(DEFAULT_RULES, given.pop("retry", {}), problems)
    values = check_all(given, _CHECKS, problems)
    knobs.refuse(problems)
    return {
        "purpose": None,
        "script_version": script_version,
        "cps": 5.0,
        "max_channels": 50,
        "ring_timeout_seconds": ring_timeout_seconds,
        "max_attempts": 4,
        "windows": ["08:00-17:00"],
        "call_on_holidays": False,
        "by_phase": False,
        "variants": {},
        "priority": 5,
        **text_campaign_file.completed(given, values),
        "retry": rules_to_row(rules),
    }


def read_tuning(pairs: Sequence[str], *, retry: Mapping[str, Any]) -> dict[str, Any]:
    """The column values to change by pairs such as `cps=8` or `retry.busy.delay_seconds=600`.

    `retry` is what the campaign's row holds now. Raises InputError with all mistakes in one line.
    """
    problems: list[str] = []
    given: dict[str, Any] = {}
    rules: dict[str, Any] = {}
    for key, text in knobs.read_pairs(pairs, problems).items():
        match key.split("."):
            case ["retry", disposition, knob]:
                rules.setdefault(disposition, {})[knob] = knobs.toml_value(text)
            case ["retry", *_]:
                problems.append(f"{key}: write it as retry.busy.delay_seconds=600")
            case _:
                given[key] = _tuned(key, text)
    return tuning_of(given, rules, problems, retry=retry)


def tuning_of(
    given: Mapping[str, Any],
    rules: Mapping[str, Any],
    problems: list[str],
    *,
    retry: Mapping[str, Any],
) -> dict[str, Any]:
    """The column values to change by `given` and the retry `rules`, as TOML has them."""
    fixed = dict.fromkeys(("name", *text_campaign_file.FIXED), _unchangeable)
    values = check_all(given, _CHECKS | fixed, problems)
    if rules:
        values["retry"] = rules_to_row(_merged(rules_from_row(retry), rules, problems))
    knobs.refuse(problems)
    return values


def split_windows(text: str) -> list[str]:
    """Windows written in a row: "08:00-11:30, 13:30-17:00"."""
    return _BETWEEN_WINDOWS.split(text)


def _tuned(key: str, text: str) -> Any:
    """A pair's text as TOML would give it."""
    if key == "windows":
        return split_windows(text)
    return text if key in _TEXTS else knobs.toml_value(text)


def _merged(rules: RetryRules, given: Any, problems: list[str]) -> RetryRules:
    """The rules with what `given` changes: disposition → {max, delay_seconds, factor}."""
    if not isinstance(given, dict):
        problems.append("retry: write a section for each disposition, such as [retry.no_answer]")
        return rules
    merged = dict(rules)
    for word, table in given.items():
        if word not in _MAY_RETRY:
            problems.append(knobs.unknown(word, _MAY_RETRY, "retry."))
        elif not isinstance(table, dict):
            problems.append(f"retry.{word}: write it as a section, [retry.{word}]")
        else:
            _merge_rule(merged, Disposition(word), table, problems)
    return merged


def _merge_rule(
    rules: dict[Disposition, RetryRule],
    disposition: Disposition,
    table: Mapping[str, Any],
    problems: list[str],
) -> None:
    prefix = f"retry.{disposition}."
    present = asdict(rules[disposition]) if disposition in rules else {}
    values = present | check_all(table, _RETRY_CHECKS, problems, prefix)
    missing = [
        f"{prefix}{key}" for key in ("max", "delay_seconds") if key not in {**table, **values}
    ]
    if missing:
        problems.append(f"{' and '.join(missing)} missing: there is no default for {disposition}")
    elif "max" in values and "delay_seconds" in values:
        rules[disposition] = RetryRule(**values)


def _name(value: Any) -> str:
    text = unicodedata.normalize("NFC", value) if isinstance(value, str) else ""
    # A name of digits alone would be taken for a campaign's number.
    if not _NAME.fullmatch(text) or text.isdecimal():
        raise InputError(
            "must be letters, digits, . _ and - (at most 80, not digits alone, a letter or digit "
            f"first), not {value!r}"
        )
    return text


def _unchangeable(_: Any) -> str:
    raise InputError("can't be changed")


def _purpose(value: Any) -> str:
    if value not in tuple(Purpose):
        raise InputError(f"must be {', '.join(Purpose)}, not {value!r}")
    return str(value)


def _version(value: Any) -> str:
    if not isinstance(value, str) or not _VERSION.fullmatch(value) or len(value) > 40:
        raise InputError(f'must be a script version such as "vi-1", not {value!r}')
    return value


def _variants(value: Any) -> dict[str, int]:
    if not isinstance(value, dict):
        raise InputError(f"must be weights by version such as {{ vi-1 = 50 }}, not {value!r}")
    return {_version(version): _weight(weight) for version, weight in value.items()}


_weight = whole(1, 1000)


def _windows(value: Any) -> list[str]:
    if not isinstance(value, list) or not value or {type(item) for item in value} != {str}:
        raise InputError(f'must be a list such as ["08:00-11:30", "13:30-17:00"], not {value!r}')
    for text in value:
        Window.parse(text)
    return [text.strip() for text in value]


_TEXTS = frozenset({"name", "purpose", "script_version", *text_campaign_file.FIXED})
_CHECKS: dict[str, Check] = {
    "name": _name,
    "purpose": _purpose,
    "script_version": _version,
    "variants": _variants,
    "cps": knobs.cps,
    "max_channels": whole(1, 20000),
    "ring_timeout_seconds": whole(5, 120),
    "max_attempts": whole(1, 20),
    "windows": _windows,
    "call_on_holidays": flag,
    "by_phase": flag,
    **text_campaign_file.checks(_name),
    "priority": whole(1, 9),
}
_RETRY_CHECKS: dict[str, Check] = {
    "max": whole(0, 20),
    "delay_seconds": number(1, _LONGEST_DELAY),
    "factor": number(1, 10),
}
