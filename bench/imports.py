"""An audience file into a campaign, beside a bare bulk load of the same rows. I/O.

Ours reads the file, judges every row and finds duplicates; the bare load has its rows ready as the
database wants them, and only its own time counts: COPY, or executemany, in one transaction.

Both write the same rows in the same order to the same table with all of its indexes and rules, and
both are on the disk when their time ends (fsync, `synchronous=FULL`). The bare load is the quicker
for having one commit: it may lock SQLite for all its time, which an import must not do while calls
are being made. What SQLite brings home from its log (the checkpoint) is in the time of both.
"""

import asyncio
import pickle
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import orjson
from rich.console import Console
from rich.table import Table

from console.places import read_places
from dialer.audience_columns import AudienceRow
from dialer.audience_file import AudienceFile
from domain.clock import utc_now
from domain.states import Purpose
from lab.network import CHECKOUT
from lab.postgres import Postgres
from runtime.audience_import import import_audience
from runtime.audience_report import ImportOptions
from store import campaigns
from store.engine import open_store
from store.migrate import migrate

_ROWS = 1_000_000
_TARGET = 3.0
_CHUNK = 50_000
_NAME = "bench"
_EXTRACTED_AT = datetime(2021, 3, 20, tzinfo=UTC)
_PRIME, _STEP = 99_999_989, 61_803_399
_HEADER = (
    "Số thuê bao,Tỉnh,Huyện,Danh sách,Loại thuê bao,Trạng thái thuê bao,Máy 4G,Hệ điều hành,"
    "Loại SIM,VLR 7 ngày,Ngày trích xuất\n"
)
_PLACES = ("Cần Thơ,Ninh Kiều", "An Giang,TP Long Xuyên", "Bến Tre,Châu Thành", "Cà Mau,Cà Mau")
_COLUMNS = (
    *("campaign_id", "not_before", "state", "attempts_made", "import_id", "msisdn", "province"),
    *("district", "list_no", "attributes", "province_code", "district_code"),
)
_INSERT = (
    f"INSERT INTO targets ({', '.join(_COLUMNS)}) "  # noqa: S608 - names of ours
    f"VALUES ({', '.join('?' * len(_COLUMNS))})"
)
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536")


@dataclass(frozen=True)
class Load:
    """One load: how long it took, and the most memory that its processes had."""

    seconds: float
    peak_mb: float


def bench_imports() -> None:
    """Run and print."""
    console = Console(width=120)
    console.print(f"bench of imports: {_ROWS:,} rows of 11 columns, all new\n")
    with tempfile.TemporaryDirectory(prefix="tstn-bench-") as directory, Postgres() as postgres:
        here = Path(directory)
        whole, tenth = (_write_file(here / f"{n}.csv", n) for n in (_ROWS, _ROWS // 10))
        ready = {kind: _prepare(whole, here / kind, kind) for kind in ("sqlite", "postgresql")}
        table = Table(
            *("", "rows/s ours", "rows/s bare", "ratio", "target", "peak MB", "of a tenth")
        )
        urls: dict[str, Callable[[str], str]] = {
            "sqlite": lambda name: f"sqlite:///{here}/{name}.sqlite",
            "postgresql": postgres.create_database,
        }
        for kind, make_url in urls.items():
            small = _alone(_ours, make_url("tenth"), tenth)
            bare = _alone(_BARE[kind], make_url("bare"), ready[kind])
            ours = _alone(_ours, make_url("ours"), whole)
            table.add_row(
                *(kind, f"{_ROWS / ours.seconds:,.0f}", f"{_ROWS / bare.seconds:,.0f}"),
                *(f"{ours.seconds / bare.seconds:.2f}", f"≤ {_TARGET:g}"),
                *(f"{ours.peak_mb:.0f}", f"{small.peak_mb:.0f}"),
            )
        console.print(table)


def _write_file(path: Path, rows: int) -> Path:
    """Numbers in no order; all eligible."""
    with path.open("w", encoding="utf-8") as file:
        file.write(_HEADER)
        for n in range(rows):
            place = _PLACES[n % len(_PLACES)]
            kind, system = ("Trả sau", "iOS 14") if n % 3 == 0 else ("Trả trước", "Android 10")
            number = f"09{n * _STEP % _PRIME:08}"
            list_no = 1 + n % 2
            file.write(f"{number},{place},{list_no},{kind},2 chiều,Có,{system},3G,Có,2021-03-20\n")
    return path


def _alone(work: Callable[[str, Path], float], url: str, file: Path) -> Load:
    """Run in a process of its own, so that the memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_measured, work, url, file).result()


def _measured(work: Callable[[str, Path], float], url: str, file: Path) -> Load:
    seconds = work(url, file)
    ours = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
    # At most that: a process that was started counts what its starter had at that moment.
    reader = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return Load(seconds, (ours + reader) / 1024)


def _ours(url: str, file: Path) -> float:
    return asyncio.run(_import(url, file))


async def _import(url: str, file: Path) -> float:
    await _make_campaign(url)
    options = ImportOptions(
        places=read_places(CHECKOUT / "config" / "districts-phase1.csv"), require_eligibility=True
    )
    store = open_store(url)
    began = time.perf_counter()
    report = await import_audience(store, _NAME, file, None, utc_now, lambda line: None, options)
    took = time.perf_counter() - began
    await store.close()
    if report.rejected:
        raise AssertionError(f"{report.rejected} rows were refused")
    return took


def _bare_sqlite(url: str, file: Path) -> float:
    asyncio.run(_make_campaign(url))
    took = 0.0
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as database:
        for pragma in _PRAGMAS:
            database.execute(f"PRAGMA {pragma}")
        database.execute("BEGIN")
        for rows in _prepared(file):
            began = time.perf_counter()
            database.executemany(_INSERT, rows)
            took += time.perf_counter() - began
        began = time.perf_counter()
        database.execute("COMMIT")
        return took + time.perf_counter() - began


def _bare_postgres(url: str, file: Path) -> float:
    return asyncio.run(_copy(url, file))


async def _copy(url: str, file: Path) -> float:
    await _make_campaign(url)
    connection = await asyncpg.connect(url)
    took = 0.0
    transaction = connection.transaction()
    await transaction.start()
    for rows in _prepared(file):
        began = time.perf_counter()
        await connection.copy_records_to_table("targets", records=rows, columns=_COLUMNS)
        took += time.perf_counter() - began
    began = time.perf_counter()
    await transaction.commit()
    took += time.perf_counter() - began
    await connection.close()
    return took


_BARE = {"sqlite": _bare_sqlite, "postgresql": _bare_postgres}


async def _make_campaign(url: str) -> None:
    """The first campaign of a new database: its id is 1."""
    store = open_store(url)
    await migrate(store)
    values = {
        "name": _NAME,
        "purpose": Purpose.CUSTOMER_CARE,
        "script_version": "vi-1",
        "cps": 1.0,
        "max_channels": 1,
        "ring_timeout_seconds": 30,
        "max_attempts": 1,
        "retry": {},
        "windows": ["08:00-17:00"],
        "call_on_holidays": False,
    }
    await store.write(campaigns.create, values, utc_now())
    await store.close()


def _prepare(file: Path, to: Path, kind: str) -> Path:
    """Keep the rows as the driver wants them, chunk by chunk."""
    now: Any = _EXTRACTED_AT
    if kind == "sqlite":
        now = now.strftime("%Y-%m-%d %H:%M:%S.%f")
    with to.open("wb") as ready, AudienceFile(file) as rows:
        values = (_values(row, now) for row in rows if isinstance(row, AudienceRow))
        while chunk := list(islice(values, _CHUNK)):
            pickle.dump(chunk, ready)
    return to


def _values(row: AudienceRow, now: Any) -> tuple[Any, ...]:
    attributes = orjson.dumps(row.attributes).decode()
    place = (row.province, row.district, row.list_no, attributes, "92", "916")
    return (1, now, "ready", 0, 1, row.msisdn, *place)


def _prepared(file: Path) -> Iterator[list[tuple[Any, ...]]]:
    with file.open("rb") as ready:
        while True:
            try:
                yield pickle.load(ready)  # noqa: S301 - we wrote it
            except EOFError:
                return
