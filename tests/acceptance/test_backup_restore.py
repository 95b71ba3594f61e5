"""A backup while calls go on, then the disk is lost: nobody is dialled twice afterwards. I/O.

The judge is the carrier's own log, which is also where the operator learns who was called after
the backup.
"""

import json
from datetime import datetime
from pathlib import Path

import pytest

from domain.msisdn import national, parse_msisdn
from lab.behaviours import Timing, behaviour_of, numbers_for
from lab.postgres import Postgres
from tests.acceptance.rehearsal import CAMPAIGN, NO_RETRIES, Rehearsal

NUMBERS = [
    number
    for some in zip(
        numbers_for("press-1", 12),
        numbers_for("busy", 12),
        numbers_for("hang-up-early", 12),
        numbers_for("barge-1", 12),
        strict=True,
    )
    for number in some
]
TIMING = Timing(ring_seconds=0.3, think_seconds=1.0, barge_seconds=0.5)
BEFORE, MEANWHILE = 16, 14  # numbers dialled before the backup and after it


def test_backup_destroy_restore_resume(
    tmp_path: Path, store_url: str, short_prompts: Path, request: pytest.FixtureRequest
) -> None:
    kept = tmp_path / "kept"
    with Rehearsal(
        tmp_path, store_url=store_url, timing=TIMING, prompts=short_prompts
    ) as rehearsal:
        rehearsal.load(NUMBERS, cps=6, max_channels=40, ring_timeout_seconds=5, **NO_RETRIES)
        server = rehearsal.serve()
        rehearsal.until_invited(BEFORE)
        made_at = datetime.fromisoformat(
            json.loads(rehearsal.tstn("backup", kept, "--json"))["made_at"]
        )
        so_far = rehearsal.invites().total()
        rehearsal.until_invited(so_far + MEANWHILE)
        registered = {row["msisdn"] for row in rehearsal.export("registrations")}
        server.kill()
        lose(rehearsal, store_url, request)

        told = json.loads(rehearsal.tstn("restore", kept, "--json"))
        assert told["calmed"]["paused"] == [CAMPAIGN]
        assert rehearsal.state() == "paused"
        assert "open" not in rehearsal.counts()["attempts"]
        refused = rehearsal.run("campaign", "start", CAMPAIGN)
        assert (refused.returncode, "tstn audience contacted" in refused.stderr) == (1, True)
        known = set(rehearsal.attempts())
        since = {
            parse_msisdn(event.number)
            for event in rehearsal.carrier.invites()
            if event.at > made_at.timestamp()
        }
        assert len(since - known) >= MEANWHILE // 2, "nothing was dialled after the backup"
        records = tmp_path / "records.csv"
        records.write_text("\n".join(["msisdn", *map(national, sorted(since))]))
        counted = json.loads(rehearsal.tstn("audience", "contacted", records, "--json"))
        assert counted["counted"] == len(since - known)

        rehearsal.tstn("campaign", "start", CAMPAIGN)
        server = rehearsal.serve()
        rehearsal.until_finished(90)
        rehearsal.until_no_channel()
        assert rehearsal.invites() == dict.fromkeys(map(national, NUMBERS), 1)
        after = {row["msisdn"] for row in rehearsal.export("registrations")}
        dialled_after = set(NUMBERS) - known - since
        assert dialled_after
        assert {n for n in dialled_after if behaviour_of(n).registration} <= after
        assert {row["msisdn"] for row in rehearsal.export("callbacks")} == after
        print(
            f"{len(known)} numbers in the backup, {len(since - known)} dialled after it, "
            f"{len(dialled_after)} after the restore; of {len(registered)} registrations "
            f"{len(registered - after)} lost with the disk"
        )
        assert "Traceback" not in rehearsal.log()
        server.terminate()
        assert server.exit_status(20) == 0


def lose(rehearsal: Rehearsal, store_url: str, request: pytest.FixtureRequest) -> None:
    """Store and spool are gone; an empty place for the store is there again."""
    if store_url.startswith("postgresql"):
        cluster: Postgres = request.getfixturevalue("postgres")
        name = store_url.rpartition("/")[2]
        cluster.drop_database(name)
        cluster.create_database(name)
    else:
        file = Path(store_url.removeprefix("sqlite:///"))
        for lost in file.parent.glob(f"{file.name}*"):
            lost.unlink()
    spool = rehearsal.network.settings.spool.path
    for lost in spool.parent.glob(f"{spool.name}*"):
        lost.unlink()
