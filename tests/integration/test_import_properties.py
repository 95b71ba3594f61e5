"""Files of any rows: what the campaign has then, what was counted, what undoing leaves. I/O.

What a number looks like is said here anew (domain.md §7); the store is a real one.
"""

import csv
from collections import Counter
from itertools import count
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.audience_undo import undo_import
from store.engine import Store
from store.models import Import, Target
from tests.audiences import bring_in, csv_file, row
from tests.rows import NOW, all_rows, make_campaign

NUMBERS = [f"9{number:08}" for number in range(12345600, 12345606)]
BAD = ["", "không có", "0901", "09012345678", "1900545426", "0901234567 0901234568"]
FORMS = ["0{}", "84{}", "+84{}", "{}", " 0{} ", "(0{})"]
good = st.tuples(st.sampled_from(NUMBERS), st.sampled_from(FORMS))
line = st.one_of(
    good.map(lambda one: (one[1].format(one[0]), f"+84{one[0]}", True)),
    good.map(lambda one: (one[1].format(one[0]), f"+84{one[0]}", False)),
    st.sampled_from(BAD).map(lambda cell: (cell, None, True)),
)
"""The cell, the number it stands for, and whether the subscriber is eligible."""
Line = tuple[str, str | None, bool]
_names = count()


def written(path: Path, lines: list[Line]) -> Path:
    """Who is not eligible has a SIM of the fourth generation already."""
    cells = [row(cell, **({} if may else {"c8": "4G"})) for cell, _, may in lines]
    return csv_file(path, cells)


async def held(store: Store, campaign_id: int) -> Counter[str]:
    rows = await all_rows(store, Target)
    return Counter(row["msisdn"] for row in rows if row["campaign_id"] == campaign_id)


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(first=st.lists(line, max_size=12), second=st.lists(line, max_size=12))
async def test_each_eligible_number_is_in_once_and_every_row_is_counted(
    store: Store, tmp_path: Path, first: list[Line], second: list[Line]
) -> None:
    campaign = await make_campaign(store, name=f"c{next(_names)}")
    wanted: set[str] = set()
    imports = []
    for name, lines in (("first", first), ("second", second)):
        before = set(wanted)
        wanted |= {number for _, number, may in lines if number and may}
        file = written(tmp_path / f"{name}.csv", lines)
        weighed = await bring_in(store, file, campaign.name, dry_run=True)
        assert await held(store, campaign.id) == dict.fromkeys(before, 1)
        report = await bring_in(store, file, campaign.name)
        assert weighed.counts() == report.counts()
        assert report.added == len(wanted - before)
        assert report.added + report.rejected == len(lines)
        assert report.unreadable == sum(number is None for _, number, _ in lines)
        assert report.ineligible.total() == sum(bool(n) and not may for _, n, may in lines)
        assert await held(store, campaign.id) == dict.fromkeys(wanted, 1)
        assert _refused(tmp_path / f"{name}.rejects.csv") == report.rejected
        imports.append((report.import_id, before))
    for import_id, before in reversed(imports):
        assert import_id is not None
        await undo_import(store, import_id, lambda: NOW)
        assert await held(store, campaign.id) == dict.fromkeys(before, 1)
    states = [row["state"] for row in await all_rows(store, Import)]
    assert set(states[-2:]) == {"undone"}


def _refused(path: Path) -> int:
    if not path.exists():
        return 0
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return sum(1 for _ in csv.reader(stream)) - 1
