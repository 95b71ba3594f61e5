"""How much memory an import takes: as much for a large file as for a small one. I/O."""

import asyncio
import sys
from pathlib import Path

import pytest

from lab.network import CHECKOUT
from runtime.audience_answers import Order
from runtime.audience_reader import answers
from runtime.audience_sieve import Batch, Measure
from store.engine import Store
from tests.audiences import csv_file, row
from tests.rows import NOW, make_campaign
from tests.workbooks import of_shared_texts

IMPORT = """
import asyncio, sys, tracemalloc
from pathlib import Path
from domain.clock import utc_now
from runtime.audience_import import ImportOptions, import_audience
from store.engine import open_store

async def bring_in():
    store = open_store(sys.argv[1])
    for dry_run in (True, False):
        options = ImportOptions(dry_run=dry_run)
        await import_audience(
            store, "one", Path(sys.argv[2]), None, utc_now, lambda line: None, options
        )
    await store.close()

tracemalloc.start()  # not what SQLite keeps of a database, up to a limit
asyncio.run(bring_in())
print(tracemalloc.get_traced_memory()[1] // 1024)
"""
READ = """
import sys
from pathlib import Path
from domain.clock import utc_now
from runtime.audience_answers import Order
from runtime.audience_sieve import Batch, Measure
from runtime.audience_reader import answers

measure = Measure(now=utc_now(), extracted_at=None, require_eligibility=False)
order = Order(file=Path(sys.argv[1]), rows_a_batch=10_000, shown=8, measure=measure, districts=())
assert sum(isinstance(answer, Batch) for answer in answers(order)) >= 2
status = Path("/proc/self/status").read_text()  # getrusage counts who started it, too
print(status.partition("VmHWM:")[2].split()[0])
"""


async def peak(program: str, *arguments: object) -> int:
    """Kilobytes at most of a process."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, *map(str, arguments)),
        cwd=CHECKOUT,
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await child.communicate()
    assert child.returncode == 0
    return int(told)


async def test_an_import_holds_a_few_batches(store: Store, store_url: str, tmp_path: Path) -> None:
    """60,000 rows are 45 MB; their numbers alone would be 6 MB."""
    await make_campaign(store, name="one")
    small = csv_file(tmp_path / "small.csv", [row(f"09{n:08}") for n in range(20_000)])
    large = csv_file(tmp_path / "large.csv", [row(f"08{n:08}") for n in range(80_000)])
    assert await peak(IMPORT, store_url, large) - await peak(IMPORT, store_url, small) < 4_000


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_the_reader_holds_a_batch(tmp_path: Path, kind: str) -> None:
    def written(name: str, rows: int) -> Path:
        if kind == "xlsx":
            return of_shared_texts(tmp_path / f"{name}.xlsx", rows)
        return csv_file(tmp_path / f"{name}.csv", [row(f"09{n:08}") for n in range(rows)])

    small, large = written("small", 20_000), written("large", 200_000)
    assert await peak(READ, large) - await peak(READ, small) < 4_000


@pytest.mark.parametrize("line", ["x" * 60_000, "," * 60_000], ids=["long", "wide"])
def test_rows_that_are_long_or_wide_come_in_smaller_batches(tmp_path: Path, line: str) -> None:
    file = tmp_path / "harm.csv"
    file.write_text("msisdn,note\n" + f"0901000001,{line}\n" * 500)
    measure = Measure(now=NOW, extracted_at=None, require_eligibility=False)
    order = Order(file=file, rows_a_batch=10_000, shown=8, measure=measure, districts=())
    batches = [answer for answer in answers(order) if isinstance(answer, Batch)]
    assert len(batches) > 5
    assert sum(len(batch.lines) + len(batch.bad) for batch in batches) == 500
