"""Room on the disks that the server writes to. I/O."""

import os
import shutil
from pathlib import Path

from sqlalchemy.engine import make_url

from runtime.check_lines import CheckLine, Verdict
from runtime.settings import Settings

_MEGABYTE = 1_000_000
_WARN_BYTES, _FAIL_BYTES = 2000 * _MEGABYTE, 200 * _MEGABYTE


def look(settings: Settings) -> list[CheckLine]:
    """A line for each place: the store where that is a file, the spool, what is uploaded."""
    url = settings.store.url
    store = Path(make_url(url).database or "").parent if url.startswith("sqlite") else None
    places = {"store": store, "spool": settings.spool.path.parent}
    if settings.console.enabled:
        places["uploads"] = settings.console.uploads
    return [_look(f"disk of the {what}", place) for what, place in places.items() if place]


def _look(name: str, place: Path) -> CheckLine:
    stands = next(one for one in (place, *place.absolute().parents) if one.exists())
    if not os.access(stands, os.W_OK | os.X_OK):
        todo = f"chown it to the user that runs `tstn serve`: {stands}"
        return CheckLine(name, Verdict.FAIL, f"{stands} can't be written to", todo)
    return judge_room(name, stands, shutil.disk_usage(stands).free)


def judge_room(name: str, place: Path, free: int) -> CheckLine:
    """Without room nothing is dialled, and key 1 is safe nowhere."""
    says = f"{free / _MEGABYTE / 1000:.1f} GB free at {place}"
    todo = "make room, or move it to another disk"
    if free < _FAIL_BYTES:
        return CheckLine(name, Verdict.FAIL, says, todo)
    if free < _WARN_BYTES:
        return CheckLine(name, Verdict.WARN, says, todo)
    return CheckLine(name, Verdict.OK, says)
