"""The store is gone while texts arrive: none lost, none acknowledged unstored. I/O."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy.engine import make_url

from lab.postgres import Postgres
from tests.acceptance.rehearsal import until
from tests.acceptance.texts_rehearsal import TextRehearsal
from tests.acceptance.texts_senders import FORMS, Sender, senders

BEFORE, MEANWHILE = 1500, 200
LONG = 20.0
STARTED = 700  # answers that are out when the store goes: in the midst of everything


@pytest.fixture
def cluster() -> Iterator[Postgres]:
    """A cluster of this test's own, to be frozen and killed."""
    with Postgres() as running:
        yield running


def test_postgresql_does_not_answer_for_30_seconds(tmp_path: Path, cluster: Postgres) -> None:
    """Longer than a statement may take, so that what was on its way ends nobody knows how."""
    url = cluster.create_database("tstn")
    see_through(tmp_path, url, cluster.freeze, cluster.thaw, seconds=31)


def test_postgresql_is_killed_and_comes_back(tmp_path: Path, cluster: Postgres) -> None:
    url = cluster.create_database("tstn")
    see_through(tmp_path, url, cluster.kill, cluster.start, seconds=4)


def test_sqlite_is_locked_by_another_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    with closing(sqlite3.connect(make_url(url).database or "", isolation_level=None)) as other:
        see_through(
            tmp_path,
            url,
            lambda: other.execute("BEGIN IMMEDIATE"),
            lambda: other.execute("ROLLBACK"),
            seconds=6,
        )


def see_through(
    directory: Path,
    url: str,
    go: Callable[[], object],
    come_back: Callable[[], object],
    seconds: float,
) -> None:
    """Texts arrive before the store goes and while it is gone; all is made good afterwards."""
    # A part that was refused for so long must still find the others. One that is sent again after
    # its text was read waits as long in vain, so that the longest absence has short texts only.
    forms = FORMS if seconds < LONG else [form for form in FORMS if form.style is None]
    before = senders(BEFORE, forms=forms)
    meanwhile = senders(MEANWHILE, first=84950000000, forms=forms)
    with TextRehearsal(directory, store_url=url, join_seconds=seconds + 6) as rehearsal:
        control = rehearsal.smscs[0].control
        rehearsal.invite([*before, *meanwhile])
        rehearsal.serve()
        rehearsal.until_bound()
        rehearsal.send(before)
        control.until(lambda counts: counts["mt"] >= STARTED, 30)
        go()
        see_it_gone(rehearsal, meanwhile, seconds)
        come_back()
        rehearsal.until_settled(60)
        print(f"\n{rehearsal.check([*before, *meanwhile])}, {dict(control.counts())}")


def see_it_gone(rehearsal: TextRehearsal, meanwhile: list[Sender], seconds: float) -> None:
    """What can't be stored is refused for now, again and again; nothing is acknowledged."""
    control = rehearsal.smscs[0].control
    gone = monotonic()
    # A quick box may have taken in all that was sent before: these surely find no store.
    rehearsal.send(meanwhile[::2])
    control.until(lambda counts: counts["mo_refused"] > 0, 15)
    acknowledged = control.counts()["mo_acked"]
    refused = control.counts()["mo_refused"]
    rehearsal.send(meanwhile[1::2])
    control.until(lambda counts: counts["mo_refused"] > refused, 15)
    until(lambda: monotonic() - gone >= seconds, seconds + 1, lambda: "time stands still")
    assert control.counts()["mo_acked"] == acknowledged, "acknowledged without a store"
    assert rehearsal.is_running()
