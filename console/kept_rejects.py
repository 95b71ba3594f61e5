"""The rows that imports have refused, a file each, kept for some days and then removed. I/O."""

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

    def tidy(self, now: datetime, in_use: Path | None) -> int:
        """Remove what is too old; give how many files that were."""
        removed = 0
        for pattern, most in ((f"*{_REJECTS}", self.keeps), (_UPLOADS, _LEFT_OVER)):
            for file in self.folder.glob(pattern):
                changed = datetime.fromtimestamp(file.stat().st_mtime, UTC)
                if file != in_use and changed < now - most:
                    file.unlink(missing_ok=True)
                    removed += 1
        return removed

    def _path(self, import_id: int) -> Path:
        return self.folder / f"{import_id}{_REJECTS}"
