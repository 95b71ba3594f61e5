"""The demo's figures and its summary. Pure."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from lab.behaviours import numbers_for
from lab.carrier import CarrierEvent
from lab.demo_summary import Run, Summary, count, due
from lab.demo_summary import summarise as summarise_all
from lab.demo_texters import Step, Texter
from lab.demo_texts_verdict import TextRecords, judge_texts
from lab.demo_verdict import Judged, Records, judge
from sms.replies import ReplyKind

AT = datetime(2026, 3, 26, 9, 30, tzinfo=UTC)
WAITS = {"count": 1, "p50_ms": 3.0, "p99_ms": 3.0, "max_ms": 3.0}
NO_TEXTS = TextRecords([], [], [], frozenset(), frozenset(), [], [], {})
HEALTH = {"key_1_to_committed": WAITS, "key_1_to_thanks": WAITS, "calls": 0, "why_idle": {}}


def attempt(
    number: str, disposition: str | None, keys: str = "", state: str = "ended"
) -> dict[str, Any]:
    answered = disposition == "answered" or state == "answered"
    return {
        "msisdn": number,
        "state": state,
        "disposition": disposition,
        "hangup_cause": 16,
        "tech_cause": None,
        "answered_at": AT.isoformat() if answered else None,
        "keys": [{"key": key} for key in keys],
    }


def run(**changes: Any) -> Run:
    values: dict[str, Any] = {
        "started_at": AT,
        "seconds": 61.23,
        "finished": True,
        "good_rows": 1,
        "bad_rows": 3,
        "rejected": 3,
        "health": HEALTH,
        "exit_status": 0,
        "settled": True,
    }
    return Run(**values | changes)


def summarise(run: Run, records: Records, judged: list[Judged]) -> Summary:
    return summarise_all(run, records, judged, NO_TEXTS, [])


def silent_number() -> tuple[list[str], Records]:
    [number] = numbers_for("silent")
    dialled = "0" + number[3:]
    events = [CarrierEvent(kind, 0.0, dialled, "c") for kind in ("invite", "answer", "end")]
    return [number], Records([attempt(number, "answered")], [], [], events)


def test_counts_while_it_runs() -> None:
    counts = count(
        [
            attempt("+84900000001", "answered", "21"),
            attempt("+84900000002", "answered", "*7"),
            attempt("+84900000003", "busy"),
            attempt("+84900000004", None, "1", state="answered"),
            attempt("+84900000005", None, state="dialling"),
        ],
        [{}, {}],
    )
    assert (counts.called, counts.live, counts.answered, counts.registrations) == (5, 2, 3, 2)
    assert counts.keys == {"1": 2, "2": 1, "3": 0, "other": 2}
    assert counts.dispositions == {"answered": 2, "busy": 1}
    assert counts.asr == 3 / 4  # the one that still rings is not decided


def test_nothing_called_yet() -> None:
    assert count([], []).asr == 0


def test_call_backs_by_evening_and_kind() -> None:
    def row(kind: str, target: str, promise: str) -> dict[str, str]:
        return {"kind": kind, "target_at": target, "promise_at": promise}

    groups = due(
        [
            row("advice", "2026-03-27T14:00", "2026-03-28T09:00"),
            row("confirm", "2026-03-28T14:00", "2026-03-28T18:00"),
            row("confirm", "2026-03-27T14:00", "2026-03-28T09:02"),
            row("confirm", "2026-03-27T14:00", "2026-03-28T09:01"),
        ]
    )
    assert [(g["target_at"][8:10], g["kind"], g["count"]) for g in groups] == [
        ("27", "confirm", 2),
        ("27", "advice", 1),
        ("28", "confirm", 1),
    ]
    assert (groups[0]["first_promise_at"], groups[0]["last_promise_at"]) == (
        "2026-03-28T09:01",
        "2026-03-28T09:02",
    )


def test_all_as_demanded() -> None:
    numbers, records = silent_number()
    summary = summarise(run(), records, judge(numbers, records))
    assert summary["ok"]
    assert (summary["problems"], summary["mismatches"]) == ([], [])
    assert (summary["rows"], summary["rejected"], summary["seconds"]) == (4, 3, 61.2)
    assert summary["carrier"] == {"invites": 1, "answered": 1}
    assert summary["behaviours"] == {"silent": 1}
    assert summary["key_1_to_committed"] == WAITS
    assert json.loads(json.dumps(summary)) == summary


def test_one_mismatch_is_enough() -> None:
    numbers, records = silent_number()
    spoilt = Records([attempt(numbers[0], "busy")], [], [], records.carrier)
    summary = summarise(run(), spoilt, judge(numbers, spoilt))
    assert not summary["ok"]
    assert [(m["msisdn"], m["what"]) for m in summary["mismatches"]] == [
        (numbers[0], "disposition")
    ]


def test_one_text_that_got_no_answer_is_enough() -> None:
    numbers, records = silent_number()
    texter = Texter("asks", "+84910000001", (Step("HD", ReplyKind.HELP),))
    judged = judge_texts([texter], NO_TEXTS)
    summary = summarise_all(run(), records, judge(numbers, records), NO_TEXTS, judged)
    assert not summary["ok"]
    assert {m["what"] for m in summary["mismatches"]} >= {"words", "answers", "replies"}
    assert json.loads(json.dumps(summary))["texts"]["texters"][0]["name"] == "asks"


def test_only_open_call_backs_are_due() -> None:
    numbers, records = silent_number()
    row = {"kind": "confirm", "target_at": "2026-03-27T14:00", "promise_at": "2026-03-28T09:00"}
    texts = TextRecords(
        *([], [], [{**row, "state": "open"}, {**row, "state": "cancelled"}]),
        *(frozenset(), frozenset(), [], [], {}),
    )
    summary = summarise_all(run(), records, judge(numbers, records), texts, [])
    assert [group["count"] for group in summary["callbacks"]] == [1]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"finished": False}, "not finished after 61 s: 0 calls live"),
        (
            {"finished": False, "health": {"calls": 2, "why_idle": {"demo": "the trunk is gone"}}},
            "not finished after 61 s: 2 calls live; the trunk is gone",
        ),
        (
            {"finished": False, "health": {}},
            "not finished after 61 s: /health gave no answer",
        ),
        ({"rejected": 2}, "2 rows of the audience were refused, 3 are bad"),
        ({"settled": False}, "texts still wait to be read, answered or delivered"),
        ({"exit_status": -9}, "`tstn serve` ended with exit status -9"),
    ],
)
def test_a_run_that_went_wrong_is_not_ok(changes: dict[str, Any], problem: str) -> None:
    numbers, records = silent_number()
    summary = summarise(run(**changes), records, judge(numbers, records))
    assert not summary["ok"]
    assert summary["problems"] == [problem]
