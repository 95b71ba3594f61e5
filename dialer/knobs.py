"""What an operator may set: checks of type and range, and `key=value` pairs. Pure.

A check takes a value as TOML gives it and returns it as the store keeps it, or raises InputError
with what it must be. The problems of one input are collected, so that one line names them all.
"""

import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from domain.errors import InputError

Check = Callable[[Any], Any]


def number(least: float, most: float) -> Check:
    """A number between two bounds, both included."""

    def check(value: Any) -> float:
        if type(value) not in (int, float) or not least <= value <= most:
            raise InputError(f"must be a number from {least} to {most}, not {value!r}")
        return float(value)

    return check


def whole(least: int, most: int) -> Check:
    """A whole number between two bounds, both included."""

    def check(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise InputError(f"must be a whole number from {least} to {most}, not {value!r}")
        return value

    return check


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise InputError(f"must be true or false, not {value!r}")
    return value


cps = number(0.01, 1000)
"""Calls per second."""


def check_all(
    given: Mapping[str, Any], checks: Mapping[str, Check], problems: list[str], prefix: str = ""
) -> dict[str, Any]:
    """The values that pass; for each of the others a problem that names `prefix` + key."""
    values = {}
    for key, value in given.items():
        if key not in checks:
            problems.append(unknown(key, checks, prefix))
            continue
        try:
            values[key] = checks[key](value)
        except InputError as error:
            problems.append(f"{prefix}{key}: {error}")
    return values


def unknown(key: str, known: Collection[str], prefix: str = "") -> str:
    """The problem of a key that nobody knows, with the nearest one that is known."""
    close = get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f"did you mean {prefix}{close[0]}?" if close else f"the keys are {', '.join(known)}"
    return f"unknown key {prefix}{key}: {hint}"


def read_pairs(pairs: Sequence[str], problems: list[str]) -> dict[str, str]:
    """The texts of `key=value` arguments by key; no `=`, or a key given twice, is a problem."""
    texts: dict[str, str] = {}
    for pair in pairs:
        key, equals, text = (part.strip() for part in pair.partition("="))
        if not equals or not key:
            problems.append(f"{pair}: write it as key=value")
        elif key in texts:
            problems.append(f"{key}: is given twice")
        else:
            texts[key] = text
    return texts


def toml_value(text: str) -> Any:
    """The value that a text stands for in TOML, else the text: the check that follows names it."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def refuse(problems: Sequence[str]) -> None:
    """Raises InputError with all problems in one line, if there are any."""
    if problems:
        raise InputError("; ".join(problems))
