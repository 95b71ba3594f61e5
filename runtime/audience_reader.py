"""A process that reads an audience file, judges its rows and hands them on by batches. I/O.

It is started by `runtime.audience_process`: two processors do the work of an import at the same
time, and the server that is dialling gives none of its own time to a file. Its answers wait in the
pipe until they are fetched, so that it never reads far ahead; when nobody is there to fetch them
any more, it ends.
"""

import pickle
import resource
import signal
import sys
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from dialer.audience_file import AudienceFile
from domain.errors import InputError
from domain.places import Places
from runtime.audience_answers import Answer, End, Failed, Head, Order
from runtime.audience_sieve import Row, Sieve

_MOST_BYTES = 1 << 30
"""Ten times of what any file needs: one that is made to do harm gets no more."""
_MOST_CHARACTERS = 1 << 22
"""In the rows of a batch, with one for each cell: an audience has a quarter of it."""


def answers(order: Order) -> Iterator[Answer]:
    """A Head, batches, an End; or Failed at any place."""
    try:
        yield from _read(order)
    except InputError as error:
        yield Failed(str(error))
    except MemoryError:
        yield Failed(f"{order.file}: the file needs more memory than any audience should")


def _read(order: Order) -> Iterator[Answer]:
    with AudienceFile(order.file) as file:
        rows = iter(file)
        sieve = Sieve(file.layout, order.measure, Places(order.districts))
        first = tuple(islice(rows, order.shown))
        yield Head(file.columns, dict(file.layout.at), first)
        rows = chain(first, rows)
        for chunk in _chunks(rows, order.rows_a_batch):
            yield sieve.sift(chunk)
        yield End(sieve.earliest)


def _chunks(rows: Iterable[Row], most: int) -> Iterator[list[Row]]:
    """So many rows at a time, or fewer where they are long or wide: a batch has its bounds."""
    chunk: list[Row] = []
    size = 0
    for row in rows:
        chunk.append(row)
        size += len(row.cells) + sum(map(len, row.cells))
        if len(chunk) == most or size >= _MOST_CHARACTERS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def main() -> None:
    """Read the order from stdin, write the answers to stdout."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who was interrupted ends this process himself
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_DATA, (_MOST_BYTES, _MOST_BYTES))
    order = pickle.load(sys.stdin.buffer)  # noqa: S301 - we wrote it
    for answer in answers(order):
        pickle.dump(answer, sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
