"""`make compose-test`: docker-compose.yml built and run from nothing, and the demo in it. I/O.

    python -m lab.containers            the demo's own summary decides; then the runbook's backup,
                                        upgrade and restore
    python -m lab.containers --kills    kill -9 of each container in turn while the calls run
    python -m lab.containers --host     no docker-compose: README.md's commands for a plain host

Exit status: 0 if all came to what is demanded (lab.demo_summary; lab.containers.kills_verdict).
"""

import argparse
import json
import sys
from pathlib import Path
from time import monotonic, sleep

from domain.errors import TstnError
from lab.asterisk import DEFAULT_ROOT
from lab.carrier import read_log
from lab.child import POLL_SECONDS, LabError
from lab.containers.base_images import import_base_images
from lab.containers.compose import Compose
from lab.containers.engine import Engine
from lab.containers.kills import VICTIMS, Kills
from lab.containers.kills_verdict import judge_health, judge_kills
from lab.containers.plain_host import install_and_upgrade
from lab.containers.upkeep import RUNBOOK, keep_up
from lab.demo_containers import ServerElsewhere
from lab.demo_summary import Summary
from runtime.settings import HealthSettings

ROOTS = Path(DEFAULT_ROOT).with_name("images")
SUMMARY = Path("var/compose-test/summary.json")
DEMO_SECONDS = 900
HUNG_UP_SECONDS = 30.0
SERVICES = ("server", "carrier", "phones", "smsc")


def main() -> int:
    """Run it; give the exit status."""
    parser = argparse.ArgumentParser("python -m lab.containers", description=__doc__)
    parser.add_argument("--kills", action="store_true", help="kill each container in turn")
    parser.add_argument("--host", action="store_true", help="a plain host instead")
    options = parser.parse_args()
    try:
        with Engine() as engine:
            compose = Compose(engine)
            import_base_images(engine, ROOTS)
            if options.host:
                install_and_upgrade(engine)
                _say(
                    "A bare host serves after README.md's commands, and after the runbook's upgrade"
                )
                return 0
            compose.build()
            return _tried(compose, engine, options.kills)
    except TstnError as error:
        print("compose-test:", error, file=sys.stderr)
        return 1


def _tried(compose: Compose, engine: Engine, kills: bool) -> int:
    try:
        _say("Every service starts, in order")
        compose.up(*SERVICES)
        return _demo_with_kills(compose) if kills else _demo(compose) or _upkeep(compose, engine)
    except LabError:
        print(compose.logs())
        raise
    finally:
        compose.down()


def _demo(compose: Compose) -> int:
    with compose.running("demo") as demo:
        status = demo.wait(DEMO_SECONDS)
    summary = _summary(compose)
    if status != 0 or not summary["ok"]:
        print(compose.logs())
        return 1
    calls, texters = len(summary["numbers"]), len(summary["texts"]["texters"])
    _say(f"All {calls} calls and all {texters} who texted came to what is demanded: {SUMMARY}")
    return 0


def _upkeep(compose: Compose, engine: Engine) -> int:
    _say(f"Backup, upgrade, restore: {RUNBOOK.name}, In containers")
    problems = keep_up(compose, engine)
    for problem in problems:
        print("compose-test:", problem)
    if not problems:
        _say("The records were the same after the upgrade, and after the restore into nothing")
    return 1 if problems else 0


def _demo_with_kills(compose: Compose) -> int:
    log = compose.volume("demo-carrier-log")
    server = ServerElsewhere(HealthSettings())
    kills = Kills(compose, server, log)
    with compose.running("demo") as demo:
        kills.run(lambda: demo.poll() is not None)
    verdict = judge_kills(_summary(compose), list(read_log(log)), kills.presence)
    _say(f"Killed: {', '.join(kills.done)}")
    print(
        f"INVITEs {verdict.invites}, numbers dialled twice {verdict.twice}; keys 1 {verdict.keys},"
        f" of these {verdict.taken} while our side was all there, lost {verdict.lost}"
    )
    problems = [
        *verdict.problems,
        *judge_health(server.health()),
        *_unlike(compose, kills.done),
        *_left_over(compose),
    ]
    for problem in problems:
        print("compose-test:", problem)
    return 1 if problems else 0


def _unlike(compose: Compose, killed: list[str]) -> list[str]:
    """Where the kills were not those that were meant."""
    problems = [] if tuple(killed) == VICTIMS else [f"only {len(killed)} kills were done"]
    for service in sorted(set(VICTIMS)):
        restarts = compose.restarts(service)
        if restarts != killed.count(service):
            problems.append(f"{service} was started again {restarts} times by Docker")
    return problems


def _left_over(compose: Compose) -> list[str]:
    """Calls that our Asterisk still holds though every attempt has ended."""
    deadline = monotonic() + HUNG_UP_SECONDS
    while True:
        channels = compose.output("asterisk", "asterisk", "-rx", "core show channels concise")
        if not channels.strip() or monotonic() > deadline:
            return [f"a channel is left: {channel}" for channel in channels.splitlines()]
        sleep(POLL_SECONDS)


def _summary(compose: Compose) -> Summary:
    text = compose.output("smsc", "cat", "var/demo/summary.json")
    SUMMARY.parent.mkdir(parents=True, exist_ok=True)
    SUMMARY.write_text(text, encoding="utf-8")
    summary: Summary = json.loads(text)
    return summary


def _say(text: str) -> None:
    print(f"\n{text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
