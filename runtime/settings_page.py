"""Writes docs/settings.md from the settings' dataclasses and config/tstn.toml's comments. I/O.

python -m runtime.settings_page > docs/settings.md        # make docs
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from runtime.settings import Knob, Settings, knobs, redacted
from runtime.settings_load import DEFAULT_FILE, load_settings

_SECTION = re.compile(r"\[(\w+)\]")
_KEY = re.compile(r"(\w+) = (.*)")
_HEAD = """\
# Settings

Written by `make docs` from `runtime/settings.py` and the comments of `config/tstn.toml`: change
those, not this page.

The file `config/tstn.toml` (another one: `tstn --config FILE`, or `TSTN_CONFIG=FILE`) holds what
differs from the defaults; what it leaves out keeps them. Then `var/secrets.toml`, then the
environment: `TSTN_SECTION_KEY=value`, text as it is, all else as in the file. A name that is not
listed here is refused, with the nearest one. `tstn check-config` prints what is in force. Relative
paths start at the file's directory, or at its parent if that is called `config`. The accounts at
SMSCs stand in `config/smsc.toml`, which explains itself.
"""
_SECRETS = """
## Secrets

They stand in `var/secrets.toml` (mode 0600), made by `tstn asterisk render DIR`, or in the
environment; never in the file above.

| setting | in the environment |
|---|---|
"""


@dataclass
class _Group:
    """Settings that share a comment."""

    comment: list[str] = field(default_factory=list)
    lines: dict[str, str] = field(default_factory=dict)

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """Key, default and comment; those that follow the first share its comment."""
        said = " ".join(self.comment)
        for place, (key, written) in enumerate(self.lines.items()):
            yield key, written, "″" if place else said


def page(toml: str) -> str:
    """The whole page, for the text of the shipped settings file."""
    shown = redacted(load_settings(DEFAULT_FILE, environment={}))
    parts = [_HEAD]
    for section, groups in _sections(toml).items():
        parts.append(f"\n## [{section}]\n\n{_says(section)}\n")
        parts.append(_table(section, groups, shown[section]))
    parts.append(_SECRETS + "".join(_secrets()))
    return "".join(parts)


def variable(section: str, key: str) -> str:
    """The name of a setting in the environment."""
    return f"TSTN_{section}_{key}".upper()


def _says(section: str) -> str:
    kind: Any = type(getattr(Settings(DEFAULT_FILE.parent), section))
    return " ".join(str(kind.__doc__).split())


def _sections(toml: str) -> dict[str, list[_Group]]:
    """The comments and lines of each section, in the order of the file."""
    found: dict[str, list[_Group]] = {}
    groups: list[_Group] = []
    for line in toml.splitlines():
        if begins := _SECTION.fullmatch(line):
            groups = found[begins[1]] = []
        elif line.startswith("#"):
            if not groups or groups[-1].lines:
                groups.append(_Group())
            groups[-1].comment.append(line.removeprefix("#").strip())
        elif pair := _KEY.fullmatch(line):
            groups[-1].lines[pair[1]] = pair[2]
    return found


def _table(section: str, groups: Iterable[_Group], shown: Mapping[str, Any]) -> str:
    rows = [
        f"| `{key}` | {_kind(knobs()[section][key])} | `{written}` "
        f"| `{_example(section, key, shown)}` | {comment} |\n"
        for group in groups
        for key, written, comment in group.rows()
    ]
    head = (
        "| setting | value | default | in the environment | what it does |\n|---|---|---|---|---|\n"
    )
    return f"\n{head}{''.join(rows)}"


def _example(section: str, key: str, shown: Mapping[str, Any]) -> str:
    """The default, as it would stand in the environment."""
    value = shown[key]
    is_text = isinstance(value, str)
    written = value if is_text else orjson.dumps(value).decode()
    if isinstance(value, Mapping):
        written = "{2026-08-31 = true}"
    root = f"{DEFAULT_FILE.parent.parent}/"
    return f"{variable(section, key)}={written.replace(root, '')}"


_KINDS = {
    "bool": "true or false",
    "int": "whole number",
    "float": "number",
    "str": "text",
    "Path": "path",
    "time": "time of day",
    "tuple": "list of texts",
    "Mapping": "table of days",
}


def _kind(knob: Knob) -> str:
    limits = knob.limits
    says = _KINDS[knob.kind.__name__]
    if limits.one_of:
        says = f"{'any' if knob.kind is tuple else 'one'} of {', '.join(limits.one_of)}"
    elif limits.hint:
        says = limits.hint
    elif limits.least is not None and limits.most is not None:
        says += f", {limits.least:g} to {limits.most:g}"
    return says


def _secrets() -> Iterator[str]:
    for section, keys in knobs().items():
        for key, knob in keys.items():
            if knob.limits.secret:
                yield f"| `{section}.{key}` | `{variable(section, key)}=…` |\n"


if __name__ == "__main__":
    sys.stdout.write(page(DEFAULT_FILE.read_text(encoding="utf-8")))
