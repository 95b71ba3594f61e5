"""How many files the server and an Asterisk of this host may have open. I/O."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runtime.check_lines import CheckLine, Verdict
from runtime.settings import Settings

_OURS = 1000
"""Store, prompts, pages and binds; with AGI each call is a connection too."""
_ASTERISK_CALL = 8
"""Descriptors of Asterisk for a call that is played to."""
_SOFT = re.compile(r"^Max open files\s+(\d+|unlimited)", re.MULTILINE)
_NO_END = 1 << 40


def look(settings: Settings, report: Mapping[str, Any] | None) -> list[CheckLine]:
    """A line for the running server by its `report`, or else for what this shell would start; one
    for Asterisk where it runs on this host.
    """
    calls = settings.dialer.max_channels
    ours = int((report or {}).get("open_files_limit") or limit_of(os.getpid()) or _NO_END)
    lines = [
        judge_limit("open files", ours, _OURS + calls, "LimitNOFILE= of tstn.service, or ulimit -n")
    ]
    theirs = [limit for pid in _asterisks() if (limit := limit_of(pid)) is not None]
    if theirs:
        needed = _OURS + _ASTERISK_CALL * calls
        todo = "LimitNOFILE=262144 in a drop-in of asterisk.service"
        lines.append(judge_limit("open files of Asterisk", min(theirs), needed, todo))
    return lines


def judge_limit(name: str, limit: int, needed: int, todo: str) -> CheckLine:
    """Whether it is enough for the channels that are set."""
    shown = "no limit" if limit == _NO_END else f"{limit} may be open"
    says = f"{shown}, {needed} are enough for [dialer] max_channels"
    if limit >= needed:
        return CheckLine(name, Verdict.OK, says)
    return CheckLine(name, Verdict.FAIL if limit < needed // 2 else Verdict.WARN, says, todo)


def limit_of(pid: int) -> int | None:
    """The soft limit of a process, None where it is gone or not ours to look at."""
    try:
        found = _SOFT.search(Path(f"/proc/{pid}/limits").read_text())
    except OSError:
        return None
    if found is None:
        return None
    return _NO_END if found[1] == "unlimited" else int(found[1])


def _asterisks() -> Iterator[int]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "comm").read_text() == "asterisk\n":
                yield int(process.name)
        except OSError:
            continue  # it has just ended
