"""A real server that dials and texts, scraped over HTTP; its log as JSON. I/O."""

import json
import urllib.request
from pathlib import Path

from domain.clock import utc_now
from domain.msisdn import national
from lab.behaviours import numbers_for
from lab.smsc.process import SmscProcess
from lab.smsc.setting import TSTN
from lab.smsc.subscribers import MO
from tests.acceptance.rehearsal import NO_RETRIES, Rehearsal, until
from tests.exposition import NUMBER, Exposition, used_in_config

CALLED = [
    *numbers_for("press-1", 2),
    *numbers_for("press-3"),
    *numbers_for("busy"),
    *numbers_for("hang-up-early"),
]
TEXTING, STRANGER = "84901000001", "84901000002"
BIND = "lab:main:1"


def scrape(rehearsal: Rehearsal) -> Exposition:
    port = rehearsal.network.settings.health.port
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        return Exposition(answer.read().decode())


def is_bound(told: Exposition) -> bool:
    return told.value("tstn_bind_state", bind=BIND, state="bound") == 1


def smsc_file(directory: Path, smsc: SmscProcess) -> Path:
    password = directory / "smsc.password"
    password.write_text(TSTN.password)
    keys = {
        "host": smsc.host,
        "port": smsc.port,
        "system_id": TSTN.system_id,
        "password_file": str(password.absolute()),
    }
    file = directory / "smsc.toml"
    file.write_text("[main]\n" + "".join(f"{key} = {json.dumps(v)}\n" for key, v in keys.items()))
    return file.absolute()


def test_counters_move_and_the_log_names_its_calls(tmp_path: Path, short_prompts: Path) -> None:
    with SmscProcess(tmp_path / "smsc", keeps_journal=False) as smsc:
        sections = {
            "sms": {"smsc_file": str(smsc_file(tmp_path, smsc))},
            "log": {"format": "json", "level": "debug"},
            "callbacks": {"agents_hours": ["00:00-24:00"]},
        }
        with Rehearsal(tmp_path, prompts=short_prompts, sections=sections) as rehearsal:
            server = rehearsal.serve()
            server.until_ready()
            until(lambda: is_bound(scrape(rehearsal)), 30, rehearsal.log)
            before = scrape(rehearsal)
            rehearsal.load([*CALLED, f"+{TEXTING}"], start=False, **NO_RETRIES)
            smsc.control.send(MO(TEXTING, text="TSTN"), MO(STRANGER, text="bao giờ có SIM?"))
            smsc.control.until_idle(30)
            rehearsal.tstn("campaign", "start", "rehearsal")
            rehearsal.until_finished(60)
            until(
                lambda: scrape(rehearsal).value("tstn_registrations_total") >= 3, 20, rehearsal.log
            )
            after = scrape(rehearsal)
            server.terminate()
            until(lambda: not server.is_running(), 20, rehearsal.log)
    check_calls(before, after)
    check_texts(before, after)
    check_state(after)
    assert used_in_config() <= after.names(), used_in_config() - after.names()
    assert not [label for label in after.labels() if NUMBER.search(label)]
    check_log(rehearsal.log())


def check_calls(before: Exposition, after: Exposition) -> None:
    assert before.value("tstn_calls_originated_total") == 0
    assert after.value("tstn_calls_originated_total", trunk="carrier") == len(CALLED)
    assert after.value("tstn_calls_answered_total", trunk="carrier") == 4
    assert after.value("tstn_calls_ended_total", trunk="carrier", disposition="busy") == 1
    assert after.value("tstn_calls_ended_total", disposition="answered") == 4
    assert after.value("tstn_keys_total", key="1") == 2
    assert after.value("tstn_keys_total", key="3") == 1
    assert after.value("tstn_agents_asked_total", outcome="no_agent") == 1
    assert after.value("tstn_key_1_committed_seconds_count") == 2
    assert 0 < after.value("tstn_key_1_committed_seconds_sum") < 10
    assert after.value("tstn_key_1_committed_seconds_bucket", le="+Inf") == 2
    assert after.value("tstn_key_1_thanks_seconds_count") == 2
    assert after.value("tstn_store_commit_seconds_count") > 0
    assert after.value("tstn_registrations_total", channel="ivr") == 2


def check_texts(before: Exposition, after: Exposition) -> None:
    assert is_bound(before)
    assert after.value("tstn_registrations_total", channel="sms") == 1
    assert after.value("tstn_texts_in_total", kind="text") == 2
    assert after.value("tstn_texts_read_total", verdict="register") == 1
    assert after.value("tstn_texts_read_total", verdict="unknown") == 1
    assert after.value("tstn_submits_total", bind=BIND, outcome="accepted") == 2
    assert after.value("tstn_bind_sent_total", bind=BIND) == 2
    assert after.value("tstn_text_intake_seconds_count") >= 2
    assert after.value("tstn_text_answer_seconds_count") == 2


def check_state(after: Exposition) -> None:
    for name in ("tstn_asterisk_ready", "tstn_store_up", "tstn_ami_up"):
        assert after.value(name) == 1, name
    for name in ("tstn_calls_live", "tstn_spooled_facts", "tstn_tick_failures_total"):
        assert after.value(name) == 0, name
    assert after.value("tstn_callbacks_waiting") == 4  # three registrations, one advice
    assert after.value("tstn_rows_age_seconds") < 10
    assert after.value("tstn_tick_runs_total", tick="schedule") > 0
    last_good = after.value("tstn_tick_last_good_timestamp_seconds", tick="schedule")
    assert abs(utc_now().timestamp() - last_good) < 60
    assert after.value("tstn_loop_lag_seconds_count") > 0


def check_log(log: str) -> None:
    lines = [json.loads(line) for line in log.splitlines()]
    assert {"time", "level", "logger", "message"} <= set.intersection(*map(set, lines))
    assert {line["time"][-6:] for line in lines} == {"+00:00"}
    assert any(line.keys() >= {"attempt", "channel", "campaign"} for line in lines)
    assert any(line.get("bind") == BIND for line in lines)
    bare = [line for line in log.splitlines() if NUMBER.search(line)]
    assert not bare, bare[:3]
    for number in (*map(national, CALLED), TEXTING):
        assert number not in log
