"""The store is gone while subscribers press 1: nobody is turned away, nothing is lost. I/O."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy.engine import make_url

from ivr.prompts import PROMPT_NAMES
from lab.behaviours import Timing, behaviour_of, numbers_for
from lab.listen import hear, read_samples
from lab.postgres import Postgres
from tests.acceptance.rehearsal import NO_RETRIES, Rehearsal, Server, epoch, until

FIRST = [
    *numbers_for("press-1", 12),
    *numbers_for("press-2-then-1", 5),
    *numbers_for("wrong-key-then-1", 3),
    *numbers_for("press-3", 2),
    *numbers_for("press-1-and-leave", 2),
]
LATER = [*numbers_for("busy", 4), *numbers_for("press-1", 4, start=7)]
TIMING = Timing(ring_seconds=0.3, think_seconds=3.0)
KEYS_MEANWHILE = 14  # keys 1 and 3 without a store: fewer would prove little


@pytest.fixture
def cluster() -> Iterator[Postgres]:
    """A cluster of this test's own, to be frozen and killed."""
    with Postgres() as running:
        yield running


def test_postgresql_does_not_answer_for_30_seconds(
    tmp_path: Path, cluster: Postgres, short_prompts: Path
) -> None:
    with calling(tmp_path, cluster.create_database("tstn"), short_prompts) as (rehearsal, server):
        cluster.freeze()
        gone_at = epoch()
        see_it_gone(rehearsal, server, gone_at, seconds=30)
        cluster.thaw()
        see_it_made_good(rehearsal, server, gone_at, epoch())


def test_postgresql_is_killed_and_comes_back(
    tmp_path: Path, cluster: Postgres, short_prompts: Path
) -> None:
    with calling(tmp_path, cluster.create_database("tstn"), short_prompts) as (rehearsal, server):
        cluster.kill()
        gone_at = epoch()
        see_it_gone(rehearsal, server, gone_at, seconds=8)
        cluster.start()
        see_it_made_good(rehearsal, server, gone_at, epoch())


def test_sqlite_is_locked_by_another_process_and_the_server_dies_too(
    tmp_path: Path, short_prompts: Path
) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    with (
        calling(tmp_path, url, short_prompts) as (rehearsal, server),
        closing(sqlite3.connect(make_url(url).database or "", isolation_level=None)) as other,
    ):
        other.execute("BEGIN EXCLUSIVE")
        gone_at = epoch()
        see_it_gone(rehearsal, server, gone_at, seconds=8)
        server.kill()
        server = rehearsal.serve()
        until(lambda: bool(server.health()), 30, lambda: "no health")
        assert server.health()["ok"] is False
        assert server.health()["store"]["spooled_facts"] >= KEYS_MEANWHILE
        other.execute("ROLLBACK")
        see_it_made_good(rehearsal, server, gone_at, epoch())


@contextmanager
def calling(directory: Path, store_url: str, prompts: Path) -> Iterator[tuple[Rehearsal, Server]]:
    """A campaign whose first numbers are all being called, and the server that calls them."""
    with Rehearsal(
        directory, store_url=store_url, timing=TIMING, recording=True, prompts=prompts
    ) as rehearsal:
        rehearsal.load([*FIRST, *LATER], cps=12, max_channels=len(FIRST), **NO_RETRIES)
        server = rehearsal.serve()
        rehearsal.until_invited(len(FIRST))
        yield rehearsal, server


def see_it_gone(rehearsal: Rehearsal, server: Server, gone_at: float, seconds: float) -> None:
    """The server says so, and answers its callers for as long as the store is gone."""
    started = monotonic()
    until(lambda: has_fallen(server), 10, lambda: f"still well: {server.health()}")
    until(
        lambda: keys_after(rehearsal, gone_at) >= KEYS_MEANWHILE,
        20,
        lambda: f"{keys_after(rehearsal, gone_at)} keys meanwhile",
    )
    until(lambda: monotonic() - started >= seconds, seconds + 1, lambda: "time stands still")
    assert rehearsal.invites().total() == len(FIRST), "dialled without a store"
    assert server.health()["store"]["spooled_facts"] >= KEYS_MEANWHILE


def see_it_made_good(rehearsal: Rehearsal, server: Server, gone_at: float, back_at: float) -> None:
    """The campaign goes on by itself, and all that was said meanwhile stands in the store."""
    rehearsal.until_finished(60)
    until(lambda: server.health()["ok"], 10, lambda: f"unwell: {server.health()}")
    assert server.health()["store"] == {"up": True, "spooled_facts": 0}
    assert set(rehearsal.invites().values()) == {1}
    assert "Traceback" not in rehearsal.log()
    for number, attempts in rehearsal.attempts().items():
        [attempt] = attempts
        assert attempt["disposition"] == behaviour_of(number).disposition
        assert "".join(key["key"] for key in attempt["keys"]) == behaviour_of(number).keys
    check_promises(rehearsal, gone_at, back_at)
    check_thanks(rehearsal, gone_at, back_at)
    server.terminate()
    assert server.exit_status(20) == 0


def check_promises(rehearsal: Rehearsal, gone_at: float, back_at: float) -> None:
    """One registration or advice for each who asked, of the time when the key was pressed."""
    everybody = [*FIRST, *LATER]
    registrations = rehearsal.export("registrations")
    assert sorted(row["msisdn"] for row in registrations) == sorted(
        number for number in everybody if behaviour_of(number).registration
    )
    callbacks = rehearsal.export("callbacks")
    assert sorted(row["msisdn"] for row in callbacks if row["kind"] == "confirm") == sorted(
        row["msisdn"] for row in registrations
    )
    assert sorted(row["msisdn"] for row in callbacks if row["kind"] == "advice") == sorted(
        number for number in everybody if behaviour_of(number).advice
    )
    asked = [datetime.fromisoformat(row["registered_at"]).timestamp() for row in registrations]
    assert sum(gone_at < at < back_at for at in asked) >= KEYS_MEANWHILE - 4


def check_thanks(rehearsal: Rehearsal, gone_at: float, back_at: float) -> None:
    """Who pressed 1 or 3 meanwhile heard the thank-you or the apology."""
    prompts = {name: read_samples(prompt_file(rehearsal, name)) for name in PROMPT_NAMES}
    last_word = {"1": "after_1", "3": "no_agent"}
    for key in rehearsal.carrier.events():
        if key.event != "key" or key.value not in last_word or not gone_at < key.at < back_at:
            continue
        if behaviour_of(key.number).leaves:
            continue
        [recording] = rehearsal.carrier.recordings(key.number)
        heard = [each.name for each in hear(read_samples(recording), prompts)]
        assert heard[-1:] == [last_word[key.value]], (key, heard)


def prompt_file(rehearsal: Rehearsal, name: str) -> Path:
    return rehearsal.network.settings.ivr.prompts_dir / "vi-1" / f"{name}.wav"


def has_fallen(server: Server) -> bool:
    health = server.health()
    return health["ok"] is False and health["store"]["up"] is False


def keys_after(rehearsal: Rehearsal, at: float) -> int:
    """How many callers have pressed 1 or 3 since."""
    return sum(
        event.event == "key" and event.value in "13" and event.at > at
        for event in rehearsal.carrier.events()
    )
