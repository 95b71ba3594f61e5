"""The reply texts: domain.md §8 word for word, checked at start, known again. Pure."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import ConfigError
from sms.keywords import Verdict, read
from sms.replies import DEFAULTS, ReplyKind, check, is_ours, text
from sms.segments import Alphabet, count

RECEIVED = datetime(2021, 3, 26, 17, 5, tzinfo=UTC)
VALUES = {
    ReplyKind.ALREADY: {"date": RECEIVED},
    ReplyKind.STATUS_OPEN: {"date": RECEIVED},
    ReplyKind.OPTED_OUT: {"received": RECEIVED, "applied": RECEIVED},
}


def test_the_defaults_pass() -> None:
    check(DEFAULTS)


@pytest.mark.parametrize("kind", ReplyKind)
def test_each_is_one_gsm7_segment_that_asks_for_nothing(kind: ReplyKind) -> None:
    reply = text(kind, DEFAULTS, **VALUES.get(kind, {}))
    assert (count(reply).parts, count(reply).alphabet) == (1, Alphabet.GSM7)
    assert read(reply).verdict is Verdict.UNKNOWN


def test_dates_are_local() -> None:
    assert "ngay 27/03/2021. Tong dai" in text(ReplyKind.ALREADY, DEFAULTS, date=RECEIVED)
    opted_out = text(ReplyKind.OPTED_OUT, DEFAULTS, received=RECEIVED, applied=RECEIVED)
    assert "luc 00:05 27/03/2021 va ngung gui tu 00:05 27/03/2021." in opted_out


@pytest.mark.parametrize(
    ("kind", "reply", "fault"),
    [
        ("ok", "", "is empty"),
        ("ok", " \n", "is empty"),
        ("ok", "Đã nhận yêu cầu", "not in the GSM 7-bit alphabet: Đãậêầ"),
        ("ok", "x" * 161, "161 characters"),
        ("ok", "x" * 159 + "€", "161 characters"),
        ("already", "x" * 150 + " {date}", "161 characters"),
        ("ok", "ngay {date}", "{date} is not one of its placeholders"),
        ("already", "ngay {name}", r"{name} is not one of its placeholders \(date\)"),
        ("already", "ngay {date!r}", "{date} is not"),
        ("already", "ngay {date:>90}", "{date} is not"),
        ("already", "ngay {}", "{} is not"),
        ("already", "ngay {date.__class__}", "{date.__class__} is not"),
        ("ok", "ngay {", ".*a brace itself is written twice"),
        ("thanks", "Cam on", "no such reply"),
    ],
)
def test_what_the_check_refuses(kind: str, reply: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=f"^reply {kind}: {fault}"):
        check({**DEFAULTS, kind: reply})


def test_a_reply_that_is_missing() -> None:
    texts = {kind: reply for kind, reply in DEFAULTS.items() if kind is not ReplyKind.HELP}
    with pytest.raises(ConfigError, match="reply help: is missing"):
        check(texts)


def test_a_reply_may_hold_a_brace() -> None:
    texts = {**DEFAULTS, ReplyKind.OK: "Da nhan {{1}}"}
    check(texts)
    assert text(ReplyKind.OK, texts) == "Da nhan {1}"


@given(st.sampled_from(ReplyKind), st.integers(0, 2**32))
def test_our_own_words_are_known_again(kind: ReplyKind, second: int) -> None:
    values = dict.fromkeys(VALUES.get(kind, {}), datetime.fromtimestamp(second, UTC))
    reply = text(kind, DEFAULTS, **values)
    assert is_ours(reply, DEFAULTS)
    assert is_ours(f" {reply.upper()}\n", DEFAULTS)


@pytest.mark.parametrize("theirs", ["TSTN", "", "HUY", "Soan TSTN gui 9231", "LH 9090"])
def test_what_subscribers_write_is_not_ours(theirs: str) -> None:
    assert not is_ours(theirs, DEFAULTS)
