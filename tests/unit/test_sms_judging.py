"""What one text means, given what its sender sent before."""

from datetime import timedelta
from typing import Any

import pytest

from sms.judging import Act, Judged, Past, judge
from sms.replies import DEFAULTS
from tests.rows import NOW

MINUTE = timedelta(minutes=1)


def judged(text: str | None, *past: Past, most_an_hour: int = 3) -> Judged:
    texts = {str(kind): words for kind, words in DEFAULTS.items()}
    return judge(text, NOW, past, texts, repeat_seconds=300, most_an_hour=most_an_hour)


def before(fold: str | None, ago: timedelta = MINUTE, **other: Any) -> Past:
    return Past(**({"id": 1, "received_at": NOW - ago, "fold": fold, "is_repeat": False} | other))


@pytest.mark.parametrize(
    ("text", "act"),
    [
        ("TSTN", Act.REGISTER),
        ("HUY", Act.CANCEL),
        ("TC", Act.OPT_OUT),
        ("KT", Act.STATUS),
        ("HD", Act.HELP),
        ("TSTM", Act.SYNTAX),
        ("xin chào", Act.SYNTAX),
        (None, Act.SYNTAX),
        ("  ", Act.NOTHING),
        (DEFAULTS["help"], Act.NOTHING),
    ],
)
def test_what_is_done(text: str | None, act: Act) -> None:
    assert judged(text).act is act


@pytest.mark.parametrize(
    ("past", "repeats"),
    [
        ([], False),
        ([before("TSTN")], True),
        ([before("TSTN", timedelta(seconds=300))], True),
        ([before("TSTN", timedelta(seconds=301))], False),
        ([before("HUY")], False),
        ([before("TSTN", 2 * MINUTE), before("HUY")], False),
        ([before("TSTN", MINUTE), before("HUY", MINUTE / 2)], True),
        ([before("TSTN", 2 * MINUTE), before("TSTN", is_repeat=True)], True),
        ([before("TSTN", 6 * MINUTE), before("TSTN", is_repeat=True)], False),
    ],
)
def test_the_same_words_again(past: list[Past], repeats: bool) -> None:
    found = judged("tstn", *past)
    assert (found.repeat_of is not None) is repeats
    assert found.act is (Act.NOTHING if repeats else Act.REGISTER)


def test_case_and_marks_make_no_other_text() -> None:
    assert judged("Đăng ký TSTN", before("DANG KY TSTN")).repeat_of == 1


def test_a_repeat_names_the_first_of_them() -> None:
    first, again = before("TSTN", 2 * MINUTE, id=7), before("TSTN", id=8, is_repeat=True)
    assert judged("TSTN", first, again).repeat_of == 7


def test_so_many_an_hour_are_answered_then_one_more() -> None:
    others = [before(f"A {n}", id=n) for n in range(4)]
    assert judged("HUY", *others[:3]).is_answered
    silent = judged("HUY", *others)
    assert (silent.act, silent.is_answered) == (Act.CANCEL, False)


def test_what_is_older_than_an_hour_does_not_count() -> None:
    others = [before(f"A {n}", timedelta(hours=1), id=n) for n in range(9)]
    assert judged("HUY", *others).is_answered


def test_repeats_do_not_count() -> None:
    others = [before("A", id=n, is_repeat=True) for n in range(9)]
    assert judged("HUY", *others).is_answered
