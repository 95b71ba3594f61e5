"""Backup, upgrade and restore in containers, by the commands of docs/runbook.md themselves. I/O.

The blocks of its section "In containers" that are marked `compose` run here, in a directory of
their own, each where the one before has left off.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

from lab.child import POLL_SECONDS, LabError
from lab.containers.compose import Compose
from lab.containers.engine import Engine
from lab.demo_plan import CAMPAIGN
from lab.network import CHECKOUT
from store.revision import head

RUNBOOK = CHECKOUT / "docs" / "runbook.md"
BLOCK = re.compile(r"^```bash compose\n(.*?)^```", re.MULTILINE | re.DOTALL)
NEXT = "9999"
KINDS = ("attempts", "registrations", "callbacks")
WELL_SECONDS = 60.0
_IMAGE = "tstn-server"
_DOCKERFILE = f"FROM {_IMAGE}\nCOPY next.py /app/store/migrations/versions/v9999_next.py\n"
_MIGRATION = f'''"""That of the next version."""

revision, down_revision = "{NEXT}", "{{head}}"


def upgrade() -> None:
    pass
'''
_REVISIONS = """\
import asyncio
from runtime.settings_load import load_settings
from store.engine import open_store
from store.revision import current_revision, head
print(head(), asyncio.run(current_revision(open_store(load_settings().store.url))))
"""


def blocks() -> list[str]:
    """Backup, upgrade, restore."""
    return BLOCK.findall(RUNBOOK.read_text(encoding="utf-8"))


def keep_up(compose: Compose, engine: Engine) -> list[str]:
    """Do all three with the demo's records; what is wrong then, a line each. Raises LabError."""
    backup, upgrade, restore = blocks()
    print(compose.output("server", "tstn", "doctor"), flush=True)
    before = _records(compose)
    with TemporaryDirectory(prefix="tstn-upkeep-") as name:
        place = Path(name)
        (place / "records.csv").write_text("msisdn\n")
        _run(compose, backup, place)
        print(
            "A next version, while the server runs: its tables must not change beneath it",
            flush=True,
        )
        _make_next_version(engine, place)
        problems = [*_changed_beneath(compose)]
        _run(compose, upgrade, place)
        problems += _differences(before, _records(compose), "the upgrade")
        compose.down()
        _run(compose, restore, place)
    _require_well(compose)
    problems += _differences(before, _records(compose), "the restore")
    if (found := _revisions(compose)) != [NEXT, NEXT]:
        problems.append(f"server and tables are {found} in the end, and not {NEXT}")
    return problems


def _changed_beneath(compose: Compose) -> Iterator[str]:
    """docker-compose 1 must leave the server that runs, and its tables; 2 stops it before."""
    try:
        compose.up("server")
    except LabError:
        expected = head()
    else:
        expected = NEXT
    if (found := _revisions(compose)) != [expected, expected]:
        yield f"after `docker-compose up` server and tables are {found}, and not {expected}"


def _require_well(compose: Compose) -> None:
    """Raises LabError where the server does not come up."""
    deadline = monotonic() + WELL_SECONDS
    while True:
        try:
            compose.output("server", "tstn", "health")
        except LabError:
            if monotonic() > deadline:
                raise
            sleep(POLL_SECONDS)
        else:
            return


def _revisions(compose: Compose) -> list[str]:
    """What the server needs, and what the database has."""
    return compose.output("server", "python", "-c", _REVISIONS).split()


def _make_next_version(engine: Engine, place: Path) -> None:
    context = place / "next"
    context.mkdir()
    (context / "Dockerfile").write_text(_DOCKERFILE)
    (context / "next.py").write_text(_MIGRATION.format(head=head()))
    engine.build(_IMAGE, context / "Dockerfile", context)


def _records(compose: Compose) -> dict[str, str]:
    return {
        kind: compose.output("server", "tstn", "export", kind, "--campaign", CAMPAIGN)
        for kind in KINDS
    }


def _differences(before: dict[str, str], after: dict[str, str], what: str) -> list[str]:
    lost = [kind for kind in KINDS if before[kind] != after[kind] or not after[kind]]
    return [f"after {what} {kind} are not what they were" for kind in lost]


def _run(compose: Compose, block: str, place: Path) -> None:
    print(block, flush=True)
    command = ["bash", "-euo", "pipefail", "-c", block]
    ran = subprocess.run(
        command, env=compose.environment, cwd=place, stdin=subprocess.DEVNULL, check=False
    )
    if ran.returncode != 0:
        raise LabError(f"a block of {RUNBOOK.name} failed:\n{block}")
