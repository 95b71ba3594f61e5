"""Loads a do-not-call list: in batches, so that no transaction keeps a caller waiting. I/O."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from dialer.audience_file import RejectedRow, RejectsFile
from dialer.gate_files import read_numbers
from domain.clock import Clock
from domain.errors import InputError
from domain.states import ContactScope
from store import do_not_call
from store.engine import Store

_ROWS_A_BATCH = 5000


@dataclass(frozen=True, slots=True)
class ListReport:
    """What became of a file: numbers listed, numbers that came again, rows that are none."""

    listed: int
    twice: int
    rejected: int


async def import_list(
    store: Store, scope: ContactScope, file: Path, rejects: Path, by: str, clock: Clock
) -> ListReport:
    """Make a file the list of its scope; rows without a number go to `rejects`.

    Raises InputError where the file can't be read, or has rows but no number at all.
    """
    seen: set[str] = set()
    read = rejected = 0
    list_id = None
    with _rejects_file(file, rejects) as refused:
        for batch in _batched(read_numbers(file)):
            numbers = [row for row in batch if isinstance(row, str)]
            for row in batch:
                if isinstance(row, RejectedRow):
                    refused.write(row)
            rejected += len(batch) - len(numbers)
            read += len(numbers)
            new = sorted({*numbers} - seen)
            seen.update(new)
            if new:
                if list_id is None:
                    list_id = await store.write(do_not_call.begin, scope, file.name, by, clock())
                await store.write(do_not_call.add, list_id, scope, new)
    if rejected and not seen:
        raise InputError(f"no row of {file} has a number: the list that stood stays in force")
    if list_id is None:
        list_id = await store.write(do_not_call.begin, scope, file.name, by, clock())
    await store.write(do_not_call.complete, list_id, scope, len(seen), clock())
    return ListReport(len(seen), read - len(seen), rejected)


@contextmanager
def _rejects_file(file: Path, rejects: Path) -> Iterator[RejectsFile]:
    """The file for refused rows; it goes again where nothing was refused."""
    if rejects.resolve() == file.resolve():
        raise InputError(f"the rejects can't go to {file} itself: name another file by --rejects")
    with RejectsFile(rejects, ("row",)) as refused:
        empty = rejects.stat().st_size
        yield refused
    if rejects.stat().st_size <= empty:
        rejects.unlink()


def _batched(rows: Iterable[str | RejectedRow]) -> Iterator[list[str | RejectedRow]]:
    stream = iter(rows)
    while batch := list(islice(stream, _ROWS_A_BATCH)):
        yield batch
