"""Undoing an import, and importing again what was cut off by a kill. On both databases."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from domain.errors import InputError
from domain.states import PostKind
from runtime.audience_undo import undo_import
from store import import_undo, outbox
from store.engine import Store
from store.import_undo import WITHDRAWN, Span
from store.models import Attempt, Event, Import, Target
from tests.audiences import bring_in, csv_file, row
from tests.rows import NOW, all_rows, claim_some, make_campaign, numbers
from tests.texts import new_post

TEN = [row(f"09010000{n:02d}") for n in range(10)]


@pytest.fixture(autouse=True)
def short_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that ten numbers are several transactions."""
    monkeypatch.setattr(import_undo, "_SPAN", 3)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return csv_file(tmp_path / "numbers.csv", TEN)


async def undone(store: Store, number: int | None) -> int:
    assert number is not None
    return await undo_import(store, number, lambda: NOW)


async def targets(store: Store) -> list[dict[str, Any]]:
    return await all_rows(store, Target)


async def test_an_import_is_undone_and_may_be_imported_again(store: Store, file: Path) -> None:
    await make_campaign(store, numbers(3), name="one")
    before = await targets(store)
    report = await bring_in(store, file)
    assert await undone(store, report.import_id) == 10
    assert await targets(store) == before
    [row] = await all_rows(store, Import)
    assert (row["state"], row["counts"]["added"]) == ("undone", 10)
    [event] = [e for e in await all_rows(store, Event) if e["kind"] == "audience_undone"]
    assert event["data"] == {"name": "one", "file": "numbers.csv", "import_id": report.import_id}
    assert (await bring_in(store, file)).added == 10
    with pytest.raises(InputError, match="is undone already"):
        await undone(store, report.import_id)
    assert len(await targets(store)) == 13


async def called(store: Store) -> None:
    """A call of the one whose turn it is."""
    [campaign_id] = {each["campaign_id"] for each in await targets(store)}
    campaign = await make_campaign(store, name="other")
    campaign.id = campaign_id
    assert len(await claim_some(store, campaign, limit=1)) == 1


async def invited(store: Store) -> None:
    """An invitation of the last of them waits in the outbox."""
    last = (await targets(store))[-1]
    post = new_post(
        kind=PostKind.INVITATION, msisdn=last["msisdn"], campaign_id=last["campaign_id"]
    )
    await store.write(outbox.post, [post], NOW)


@pytest.mark.parametrize("contact", [called, invited])
async def test_after_a_contact_nothing_is_removed(store: Store, file: Path, contact: Any) -> None:
    await make_campaign(store, name="one")
    report = await bring_in(store, file)
    await contact(store)
    before = await targets(store)
    with pytest.raises(InputError, match=r"can't be undone: .* nothing was removed"):
        await undone(store, report.import_id)
    assert await targets(store) == before
    assert [each["state"] for each in await all_rows(store, Import)] == ["done"]


async def test_a_withdrawn_number_is_claimed_by_nobody(store: Store, file: Path) -> None:
    campaign = await make_campaign(store, name="one")
    report = await bring_in(store, file)
    assert report.import_id
    span = await store.read(import_undo.span_of, report.import_id)
    assert await store.write(import_undo.withdraw, report.import_id, span)
    assert await claim_some(store, campaign) == []
    assert await all_rows(store, Attempt) == []
    assert {each["outcome"] for each in await targets(store)} == {WITHDRAWN}
    assert await undone(store, report.import_id) == 10  # an undo that was cut off goes on


async def test_an_undo_that_was_cut_off_after_its_word_goes_on(store: Store, file: Path) -> None:
    await make_campaign(store, name="one")
    report = await bring_in(store, file)
    assert report.import_id
    span = await store.read(import_undo.span_of, report.import_id)
    assert await store.write(import_undo.remove, report.import_id, Span(span.first, span.first + 4))
    assert await undone(store, report.import_id) == 6
    assert await targets(store) == []


async def test_rows_that_came_meanwhile_are_withdrawn_too(store: Store, file: Path) -> None:
    campaign = await make_campaign(store, name="one")
    report = await bring_in(store, file)
    [row] = await all_rows(store, Import)
    chosen = Import(**{name: value for name, value in row.items() if name != "id"})
    chosen.id = row["id"]
    first = (await targets(store))[0]["id"]
    assert not await store.write(import_undo.mark_undone, chosen, campaign, first + 5, NOW)
    assert await undone(store, report.import_id) == 10


async def test_no_such_import(store: Store) -> None:
    with pytest.raises(InputError, match="there is no import 7"):
        await undone(store, 7)


SCRIPT = """
import asyncio, sys
from pathlib import Path
from runtime import audience_import
from runtime.audience_import import import_audience
from store.engine import open_store
from tests.rows import NOW

audience_import._ROWS_A_BATCH = 500

async def main():
    store = open_store(sys.argv[1])
    tell = lambda line: print(line, flush=True)
    await import_audience(store, "one", Path(sys.argv[2]), None, lambda: NOW, tell)
    await store.close()

asyncio.run(main())
"""


async def test_an_import_that_was_killed_adds_nothing_twice_when_it_is_run_again(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    await make_campaign(store, name="one")
    file = csv_file(tmp_path / "many.csv", [row(f"09{n:08}") for n in range(20_000)])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SCRIPT, store_url, str(file)), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    await process.stdout.readline()
    process.kill()
    assert await process.wait() == -signal.SIGKILL
    [cut_off] = await all_rows(store, Import)
    there = len(await targets(store))
    assert 500 <= there < 20_000
    assert (cut_off["state"], cut_off["counts"]["added"]) == ("loading", there)
    report = await bring_in(store, file)
    assert (report.added, report.in_campaign) == (20_000 - there, there)
    assert len(await targets(store)) == 20_000
    assert [each["state"] for each in await all_rows(store, Import)] == ["loading", "done"]
    assert await undone(store, cut_off["id"]) == there
