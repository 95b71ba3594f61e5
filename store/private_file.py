"""Files that hold what subscribers told us: nobody but their owner reads them. I/O."""

import os
from contextlib import suppress
from pathlib import Path


def make_private(path: str | Path) -> None:
    """Make an empty file for SQLite to open, where there is none; its -wal and -shm become alike.

    Raises OSError.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
