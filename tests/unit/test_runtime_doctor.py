"""What `tstn doctor` makes of what it finds: every line in each of its verdicts. Pure."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.states import ContactScope
from runtime.asterisk_config import needed_modules
from runtime.check_lines import CheckLine, Verdict
from runtime.doctor import asterisk, clock, database, disk, do_not_call, open_files, server, smpp
from runtime.settings import IvrSettings, Settings
from store.revision import head

OK, WARN, FAIL = Verdict.OK, Verdict.WARN, Verdict.FAIL
NOW = datetime(2021, 4, 1, 3, 0, tzinfo=UTC)
BOUND: dict[str, Any] = {"state": "bound", "trouble": None}


def check(line: CheckLine, verdict: Verdict, *words: str) -> None:
    """What is not well says what to do."""
    assert line.verdict is verdict, line
    assert all(word in f"{line.says} {line.todo}" for word in words), line
    assert "\n" not in line.says + line.todo


@pytest.mark.parametrize(
    ("version", "verdict"),
    [
        *((f"22.{minor}.0", WARN) for minor in (7, 8, 9)),
        *((f"20.{minor}.1", WARN) for minor in (17, 18, 19)),
        *((version, OK) for version in ("20.20.0", "20.21.1", "22.10.1", "22.11.0", "23.1.0")),
        ("22.9.0~dfsg+~cs6.15.60671435-1", WARN),
        ("22.10.1~dfsg+~cs6.15.60671435-1", OK),
        *((version, WARN) for version in ("16.28.0", "18.26.2", "21.12.0")),
        *((version, WARN) for version in ("certified/20.7-cert5", "GIT-master-abc", "")),
    ],
)
def test_releases_that_lock_up_or_were_never_tried_are_warned_of(
    version: str, verdict: Verdict
) -> None:
    check(asterisk.judge_version(version), verdict, version)


def test_the_releases_that_lock_up_are_named_as_such() -> None:
    locking = ("20.18.0", "20.19.0", "22.8.0", "22.9.0")
    assert all("locks up" in asterisk.judge_version(each).says for each in locking)
    assert "locks up" not in asterisk.judge_version("22.7.0").says


def test_the_modules_are_those_of_the_rendered_file() -> None:
    ari = needed_modules(Settings(Path()))
    agi = needed_modules(Settings(Path(), ivr=IvrSettings(driver="agi")))
    assert {"res_ari.so", "app_queue.so", "chan_pjsip.so"} <= set(ari)
    assert set(agi) - set(ari) == {"res_agi.so", "res_speech.so", "func_devstate.so"}
    check(asterisk.judge_modules(ari, set(ari) | {"more.so"}), OK, str(len(ari)))
    missing = set(ari) - {"app_queue.so", "func_timeout.so"}
    check(asterisk.judge_modules(ari, missing), FAIL, "app_queue.so, func_timeout.so", "render")


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        *(("online", OK), ("NOT_INUSE", OK), ("INUSE", OK)),
        *(("unknown", WARN), ("UNKNOWN", WARN)),
        *(("offline", FAIL), ("UNAVAILABLE", FAIL), ("INVALID", FAIL), ("", FAIL)),
    ],
)
def test_the_trunk(state: str, verdict: Verdict) -> None:
    check(asterisk.judge_trunk("carrier", state, "203.0.113.7:5060"), verdict, "carrier")


def test_revisions() -> None:
    needed = head()
    check(database.judge_revision(needed, needed), OK, needed)
    check(database.judge_revision(None, needed), FAIL, "run `tstn migrate`")
    check(database.judge_revision("0001", needed), FAIL, "tstn backup", "tstn migrate")
    check(database.judge_revision("9999", needed), FAIL, "newer version", needed)


def test_a_clock_that_nobody_sets_is_warned_of() -> None:
    check(clock.judge_set(0), OK)
    check(clock.judge_set(5), WARN, "chrony")
    check(clock.judge_set(None), WARN, "does not say")
    assert clock.kernel_state() in {*range(6), None}


@pytest.mark.parametrize(
    ("seconds", "verdict"), [(0.4, OK), (-0.4, OK), (1.5, WARN), (-1.5, WARN), (31, FAIL)]
)
def test_clocks_apart(seconds: float, verdict: Verdict) -> None:
    check(clock.judge_apart(timedelta(seconds=seconds)), verdict, "ours")


@pytest.mark.parametrize(
    ("days", "advertises", "verdict"),
    [(1, True, OK), (24, True, OK), (25, True, WARN), (31, False, WARN), (31, True, FAIL)],
)
def test_do_not_call_lists_by_their_age(days: int, advertises: bool, verdict: Verdict) -> None:
    ages = {ContactScope.ALL: NOW - timedelta(days=days)}
    check(do_not_call.judge(ages, 30, NOW, advertises=advertises), verdict)


def test_no_do_not_call_list() -> None:
    check(do_not_call.judge({}, 30, NOW, advertises=False), WARN, "`tstn dnc import")
    check(do_not_call.judge({}, 30, NOW, advertises=True), FAIL, "`tstn dnc import")
    by_call = {ContactScope.VOICE: NOW}
    check(do_not_call.judge(by_call, 30, NOW, advertises=False), WARN, "by sms", "all|sms")


def test_room() -> None:
    place = Path("/var")
    check(disk.judge_room("disk", place, 3_000_000_000), OK, "3.0 GB")
    check(disk.judge_room("disk", place, 1_000_000_000), WARN, "make room")
    check(disk.judge_room("disk", place, 100_000_000), FAIL, "make room")


def test_limits_of_open_files() -> None:
    check(open_files.judge_limit("files", 1200, 1200, "ulimit"), OK)
    check(open_files.judge_limit("files", 1 << 40, 1200, "ulimit"), OK, "no limit")
    check(open_files.judge_limit("files", 1024, 1200, "ulimit"), WARN, "ulimit")
    check(open_files.judge_limit("files", 256, 1200, "ulimit"), FAIL, "ulimit")


def test_the_server() -> None:
    check(server.judge(None), WARN, "tstn serve")
    check(server.judge({"ok": True, "calls": 3}), OK, "3 calls")
    away = {"ok": False, "asterisk": {"trouble": "no ARI"}, "store": {"up": False}}
    check(server.judge(away), FAIL, "no ARI; its store is away")
    check(server.judge({"ok": False, "store": {"up": True}}), FAIL, "does not say why")


def test_a_bind_as_the_running_server_has_it() -> None:
    check(smpp.judge("a:1", BOUND), OK)
    check(smpp.judge("a:1", BOUND | {"trouble": "throttled"}), WARN, "throttled")
    check(smpp.judge("a:1", None), WARN, "restart")
    check(smpp.judge("a:1", {"state": "waiting", "trouble": "refused"}), FAIL, "refused")
    check(smpp.judge("a:1", {"state": "connecting", "trouble": None}), FAIL, "connecting")
