"""Store and spool: nobody on the host but their owner reads what subscribers told us. I/O."""

import os
from pathlib import Path

from store.engine import open_store
from store.migrate import migrate
from store.spool import Spool


async def test_nobody_else_reads_the_files_of_sqlite(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        store = open_store(f"sqlite:///{tmp_path}/store.sqlite")
        await migrate(store)
        spool = Spool(tmp_path / "spool.sqlite")
        found = open_to_others(tmp_path)
    finally:
        os.umask(before)
    spool.close()
    await store.close()
    assert {"store.sqlite", "store.sqlite-wal", "spool.sqlite", "spool.sqlite-wal"} <= found.keys()
    assert set(found.values()) == {0}


def open_to_others(directory: Path) -> dict[str, int]:
    """What its group and everybody may do with each file."""
    return {file.name: file.stat().st_mode & 0o077 for file in directory.iterdir()}
