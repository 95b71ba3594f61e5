"""Reads the settings: file < secrets file < environment, every mistake named. I/O.

Relative paths start at the directory of the settings file, or at its parent where that directory
is called `config`: the same file means the same store from wherever `tstn` is started.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, time
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from domain.errors import ConfigError
from runtime.settings import HIDDEN, Knob, Limits, Settings, knobs

DEFAULT_FILE = Path(__file__).resolve().parent.parent / "config" / "tstn.toml"
CONFIG_VARIABLE = "TSTN_CONFIG"
OTHER_VARIABLES = frozenset({CONFIG_VARIABLE, "TSTN_LAB_ROOT"})

Table = dict[str, dict[str, Any]]


def load_settings(
    file: Path | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """The effective settings of `file` (else TSTN_CONFIG, else config/tstn.toml of the checkout).

    Raises ConfigError with all mistakes in one line.
    """
    environment = os.environ if environment is None else environment
    file = (file or Path(environment.get(CONFIG_VARIABLE) or DEFAULT_FILE)).absolute()
    root = file.parent.parent if file.parent.name == "config" else file.parent
    problems: list[str] = []
    values = _from_file(file, problems, secrets=False)
    secrets_file = Settings(root).secrets_file
    if secrets_file.exists():
        _merge(values, _from_file(secrets_file, problems, secrets=True))
    _merge(values, _from_environment(environment, problems))
    settings = _build(root, values, problems)
    _check_together(settings, problems)
    if problems:
        raise ConfigError("; ".join(problems))
    return _with_store_password(settings)


def _from_file(file: Path, problems: list[str], *, secrets: bool) -> Table:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"no settings file {file}: name one by --config or {CONFIG_VARIABLE}"
        ) from None
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not TOML: {error}") from None
    return {
        section: _known_keys(section, table, file.name, problems, secrets=secrets)
        for section, table in content.items()
        if _known_section(section, table, file.name, problems)
    }


def _known_section(section: str, table: Any, where: str, problems: list[str]) -> bool:
    if section not in knobs():
        problems.append(f"{where}: unknown section [{section}]{nearest(section, knobs())}")
    elif not isinstance(table, dict):
        problems.append(f"{where}: {section} is a section: write [{section}]")
    else:
        return True
    return False


def _known_keys(
    section: str, table: dict[str, Any], where: str, problems: list[str], *, secrets: bool
) -> dict[str, Any]:
    known = knobs()[section]
    kept = {}
    for key, value in table.items():
        if key not in known:
            problems.append(f"{where}: unknown key {section}.{key}{nearest(key, known)}")
        elif known[key].limits.secret != secrets:
            place = "in the settings file" if secrets else "in var/secrets.toml or the environment"
            problems.append(f"{where}: {section}.{key} belongs {place}")
        else:
            kept[key] = value
    return kept


def _from_environment(environment: Mapping[str, str], problems: list[str]) -> Table:
    """TSTN_SECTION_KEY=value; text as it is, anything else in TOML's notation."""
    names = {
        f"TSTN_{section}_{key}".upper(): (section, key, knob)
        for section, keys in knobs().items()
        for key, knob in keys.items()
    }
    values: Table = {}
    for variable in sorted(v for v in environment if v.startswith("TSTN_")):
        if variable in OTHER_VARIABLES:
            continue
        if variable not in names:
            problems.append(f"unknown variable {variable}{nearest(variable, names)}")
            continue
        section, key, knob = names[variable]
        text = environment[variable]
        is_text = knob.kind in (str, Path, time)
        values.setdefault(section, {})[key] = text if is_text else _toml_value(text)
    return values


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text  # the type check that follows names it


def nearest(name: str, known: Any) -> str:
    """ ", did you mean …?" where one of the known names is close."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f", did you mean {close[0]}?" if close else ""


def _merge(values: Table, more: Table) -> None:
    for section, table in more.items():
        values.setdefault(section, {}).update(table)


def _build(root: Path, values: Table, problems: list[str]) -> Settings:
    settings = Settings(root)
    for section, keys in knobs().items():
        given: dict[str, Any] = {}
        for key, value in values.get(section, {}).items():
            try:
                given[key] = checked(keys[key], value)
            except ValueError as error:
                shown = HIDDEN if keys[key].limits.secret else repr(value)
                problems.append(f"{section}.{key} {error}, not {shown}")
        filled = replace(getattr(settings, section), **given)
        rooted = {key: _rooted(root, getattr(filled, key)) for key in keys}
        settings = replace(settings, **{section: replace(filled, **rooted)})
    return settings


def _rooted(root: Path, value: Any) -> Any:
    if isinstance(value, Path):
        return root / value
    if isinstance(value, str) and value.startswith("sqlite:///"):
        return f"sqlite:///{root / value.removeprefix('sqlite:///')}"
    return value


def _with_store_password(settings: Settings) -> Settings:
    """The store's URL with the password of its file, where one is named.

    Raises ConfigError where there is no password, or no place for it.
    """
    store = settings.store
    if not store.password_file:
        return settings
    file = settings.root / store.password_file
    try:
        password = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        password = ""
    if not password:
        raise ConfigError(
            f"no password of the store in {file}: write it there, mode 0600, and nothing else"
        )
    user = urlsplit(store.url).netloc.rpartition("@")[0]
    if not user or ":" in user:
        raise ConfigError(
            "store.password_file goes with store.url = postgresql://USER@HOST/DATABASE"
        )
    whole = store.url.replace(f"{user}@", f"{user}:{quote(password, safe='')}@", 1)
    return replace(settings, store=replace(store, url=whole))


def checked(knob: Knob, value: Any) -> Any:
    """`value` in the type of the setting. Raises ValueError that says what it must be."""
    converted = _converted(knob.kind, value)
    _check_limits(knob.limits, converted)
    return converted


def _converted(kind: type, value: Any) -> Any:
    if kind is float and type(value) in (int, float) and isfinite(value):
        return float(value)
    if kind is Path and isinstance(value, str) and value:
        return Path(value).expanduser()
    if kind is time and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", str(value)):
        return time.fromisoformat(str(value))
    if kind is tuple and isinstance(value, list) and {type(item) for item in value} <= {str}:
        return tuple(value)
    if kind is Mapping and isinstance(value, dict):
        return {_day(day): _flag(flag) for day, flag in value.items()}
    if kind in (bool, int, str) and type(value) is kind:
        return value
    raise ValueError(f"must be {_KINDS[kind]}")


_KINDS: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
    time: "a time like 21:00",
    tuple: "a list of texts",
    Mapping: "a table of days like 2026-09-03 = true",
}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"must be {_KINDS[Mapping]}") from None


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be {_KINDS[Mapping]}")
    return value


def _check_limits(limits: Limits, value: Any) -> None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if limits.least is not None and value < limits.least:
            raise ValueError(f"must be at least {limits.least:g}")
        if limits.most is not None and value > limits.most:
            raise ValueError(f"must be at most {limits.most:g}")
    if value == () and not limits.may_be_empty:
        raise ValueError(f"must be {_KINDS[tuple]}")
    items = value if isinstance(value, tuple) else (value,)
    if limits.one_of and any(item not in limits.one_of for item in items):
        raise ValueError(f"must be {' or '.join(limits.one_of)}")
    if limits.pattern and not re.fullmatch(limits.pattern, value):
        raise ValueError(f"must be {limits.hint}")


def _check_together(settings: Settings, problems: list[str]) -> None:
    if settings.asterisk.rtp_end <= settings.asterisk.rtp_start:
        problems.append("asterisk.rtp_end must be above asterisk.rtp_start")
