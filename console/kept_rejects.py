"""The files of imports: refused rows, kept for some days, and uploads, which go at once. I/O.

An upload is removed when its import ends. What a server that died has left goes at the next start,
or after a day.
"""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

_REJECTS = ".rejects.csv"
_UPLOADS = "*.audience.*"
_LEFT_OVER = timedelta(days=1)
"""What is as old and belongs to no import that goes on was left behind by one that broke off."""


class KeptRejects:
    """The folder of uploads: files of rejects by the number of their import."""

    def __init__(self, folder: Path, keep: timedelta) -> None:
        self.folder = folder
        self.keeps = keep

    def of(self, import_id: int) -> Path | None:
        """The refused rows of an import; None where there are none, or none any more."""
        path = self._path(import_id)
        return path if path.is_file() else None

    def take(self, import_id: int, file: Path) -> None:
        """Keep a file of rejects that was just written; nothing where nothing was refused."""
        if file.is_file():
            shutil.move(file, self._path(import_id))

    def old(self, now: datetime, in_use: Path | None = None) -> list[Path]:
        """What is too old."""
        found = []
        for pattern, most in ((f"*{_REJECTS}", self.keeps), (_UPLOADS, _LEFT_OVER)):
            for file in self.folder.glob(pattern):
                changed = datetime.fromtimestamp(file.stat().st_mtime, UTC)
                if file != in_use and changed < now - most:
                    found.append(file)
        return found

    def tidy(self, now: datetime, in_use: Path | None = None) -> int:
        """Remove what is too old; give how many files that were."""
        found = self.old(now, in_use)
        for file in found:
            remove(file)
        return len(found)

    def remove_left_over(self) -> None:
        """Remove all uploads: at the start of a server none belongs to anybody."""
        for left in self.folder.glob(_UPLOADS):
            remove(left)

    def _path(self, import_id: int) -> Path:
        return self.folder / f"{import_id}{_REJECTS}"


def remove(path: Path) -> None:
    """Remove a file, or a folder with what is in it; nothing where it is gone already."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
