"""domain.md §8, line by line, and the texts that could mean two things. Pure."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.keywords import Verdict, read, subscriber

REGISTER = [
    "TSTN",
    "tstn",
    "TSTN.",
    "TSTN9231",
    "TSTN gửi 9231",
    "Đăng ký TSTN",
    "dk tstn",
    "Soạn TSTN gửi 9231",
    "T.S.T.N",
    "TS TN",
    "T S T N",
    "ＴＳＴＮ",
    "T\u200bS\u200bT\u200bN",
    # ours, in the same manner
    "“TSTN”",
    "ĐK TSTN",
    "đăng kí tstn",
    "Soạn tin: TSTN gởi đến 9231",
    "Soan DK TSTN gui 9231",
    "\ufefftstn\r\n",
    "𝐓𝐒𝐓𝐍",
]
CANCEL = [
    *["HUY", "HUY TSTN", "KHONG TSTN", "ko tstn"],
    *["Hủy", "TSTN HUY", "TSTN không", "Hủy đăng ký", "không đăng ký TSTN", "ko dk"],
    *["Không muốn TSTN nữa", "Soạn HUY gửi 9231", "TSTN, hủy đăng ký", "KHONG CAN TSTN"],
]
OPT_OUT = [
    *["TC", "TC QC", "TC TSTN", "Từ chối", "NO", "STOP"],
    *["TSTN TC", "NO TSTN", "TSTN NO", "Từ chối QC", "Từ chối quảng cáo", "TC gui 9231"],
    *["Soan TC gui 9231", "HUY QC", "không nhận tin quảng cáo", "TSTN TC QC", "STOP TSTN"],
]
HELP = ["HD", "HD TSTN", "TSTN HD", "Hướng dẫn", "HELP", "Soan HD gui 9231"]
STATUS = ["KT", "KT TSTN", "TSTN KT", "Kiểm tra", "Kiểm tra TSTN"]
NEAR_MISS = [
    *["TSTM", "TSNT", "TTSN", "TSTNN", "STTN"],
    *["TST", "STN", "TTN", "TSN", "TSSN", "ATSTN", "T5TN", "K TSTN", "TSTM gui 9231"],
    *["TSTM so 12 ap 3", "dk TSNT"],
]
FORMS = {
    Verdict.REGISTER: REGISTER,
    Verdict.CANCEL: CANCEL,
    Verdict.OPT_OUT: OPT_OUT,
    Verdict.HELP: HELP,
    Verdict.STATUS: STATUS,
    Verdict.NEAR_MISS: NEAR_MISS,
}
ALL_FORMS = [(text, verdict) for verdict, texts in FORMS.items() for text in texts]


@pytest.mark.parametrize(("text", "verdict"), ALL_FORMS)
def test_every_form(text: str, verdict: Verdict) -> None:
    assert (read(text).verdict, read(text).note) == (verdict, None)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("TSTN, 0901234567", "0901234567"),
        ("TSTN so 12 ap 3 xa Luong Hoa", "so 12 ap 3 xa Luong Hoa"),
        ("TSTN số 12, ấp 3,\nxã Lương Hòa ", "số 12, ấp 3,\nxã Lương Hòa"),
        ("TSTN gửi 9231: ấp 3", "ấp 3"),
        ("T.S.T.N - ấp 3", "ấp 3"),
        ("TSTN0901234567", "0901234567"),
        ("TSTN 92310", "92310"),
        ("TSTN1", "1"),
        ("TSTN Nguyễn Văn Huy", "Nguyễn Văn Huy"),
        ("TSTN Huỳnh Thị Nở", "Huỳnh Thị Nở"),
        ("TSTN nhà khóm 2", "nhà khóm 2"),
    ],
)
def test_the_rest_is_a_note_as_it_was_written(text: str, note: str) -> None:
    assert (read(text).verdict, read(text).note) == (Verdict.REGISTER, note)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("STOP gui tin nhan", Verdict.OPT_OUT),
        ("TC nhan tin", Verdict.OPT_OUT),
        ("Từ chối mọi tin", Verdict.OPT_OUT),
        ("TSTN từ chối nhận tin", Verdict.OPT_OUT),
        ("TSTN STOP now", Verdict.OPT_OUT),
        ("HUY giup toi", Verdict.CANCEL),
        ("HD toi voi", Verdict.HELP),
        ("TSTN huong dan giup", Verdict.HELP),
        ("KT giup toi", Verdict.STATUS),
    ],
)
def test_a_command_holds_whatever_follows(text: str, verdict: Verdict) -> None:
    assert read(text).verdict is verdict


@pytest.mark.parametrize(
    "text",
    [
        "TSTN khong can nua",
        "TSTN khong so nha, ap 3",
        "TSTN Huy, ap 3",
        "TSTN TC 12",
        "TSTN no can",
        "TSTN HD 2",
    ],
)
def test_in_doubt_nothing_is_done(text: str) -> None:
    assert read(text).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        *["xin chao", "khong", "ko", "nó là gì", "dk", "dang ky thay sim", "9231", "0901234567"],
        *["toi muon dk TSTN", "ban co TSTN khong", "khong biet TSTN la gi", "Huynh Van A"],
        *["stopper", "TCB", "👍", "TSTNABC", "TTNS", "THAY SIM"],
    ],
)
def test_anything_else(text: str) -> None:
    assert read(text).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("text", ["", " ", "\n", "...", "?!", "\u200b\ufeff", "\0"])
def test_empty(text: str) -> None:
    assert read(text).verdict is Verdict.EMPTY


def test_the_fold_and_its_tokens() -> None:
    reading = read("Đăng ký: TSTN9231 ⁹ ðÐđ")
    assert reading.fold == "DANG KY TSTN 9231 9 DDD"
    assert reading.tokens == ("DANG", "KY", "TSTN", "9231", "9", "DDD")


one_form = st.sampled_from(ALL_FORMS)
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\ufe0f"
MARKS = "\u0300\u0301\u0302\u0303\u0306\u0309\u031b\u0323"
PUNCTUATION = " .,;:!?-_/*()[]\"'“”…\t\r\n\u00a0\u3000"


@given(one_form, st.sampled_from([str.upper, str.lower, str.title, str.swapcase, str.casefold]))
def test_case_decides_nothing(form: tuple[str, Verdict], change: Callable[[str], str]) -> None:
    assert read(change(form[0])).verdict is form[1]


@given(one_form, st.data())
def test_marks_and_invisible_characters_decide_nothing(
    form: tuple[str, Verdict], data: st.DataObject
) -> None:
    text = unicodedata.normalize(
        data.draw(st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"])), form[0]
    )
    strewn = data.draw(strewn_with(text, INVISIBLE + MARKS))
    assert read(strewn).verdict is form[1]
    stripped = "".join(c for c in text if not unicodedata.combining(c)).replace("đ", "d")
    assert read(stripped).verdict is form[1]


@given(st.sampled_from([form for form in ALL_FORMS if form[1] is not Verdict.NEAR_MISS]), st.data())
def test_spacing_and_punctuation_decide_nothing(
    form: tuple[str, Verdict], data: st.DataObject
) -> None:
    strewn = data.draw(strewn_with(form[0], PUNCTUATION))
    assert read(strewn).verdict is form[1]
    assert read("".join(form[0].split())).verdict is form[1]


@given(one_form)
def test_full_width_forms_are_the_same(form: tuple[str, Verdict]) -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in form[0])
    assert read(wide).verdict is form[1]


@given(
    st.integers(0, 4), st.characters(categories=["Lu", "Ll"]), st.sampled_from(["", " gui 9231"])
)
def test_one_letter_too_many_or_too_few_never_registers(at: int, letter: str, rest: str) -> None:
    added = f"{'TSTN'[:at]}{letter}{'TSTN'[at:]}{rest}"
    lacking = f"{'TSTN'[:at]}{'TSTN'[at + 1 :]}{rest}" if at < 4 else "TS"
    other = f"{'TSTN'[:at]}{letter}{'TSTN'[at + 1 :]}{rest}"
    assert read(added).verdict is not Verdict.REGISTER
    assert read(lacking).verdict is not Verdict.REGISTER
    if read(letter).fold not in "TSTN":
        assert read(other).verdict is not Verdict.REGISTER


@given(st.text(st.characters()))
def test_nothing_raises_and_a_note_is_part_of_the_text(text: str) -> None:
    for written in (text, f"TSTN {text}"):
        reading = read(written)
        assert reading.note is None or reading.note in written
        assert " ".join(reading.tokens) == reading.fold


@pytest.mark.parametrize(
    ("digits", "ton", "answered"),
    [
        ("84901234567", 1, True),
        ("+84901234567", 1, True),
        ("0901234567", 2, True),
        ("901234567", 0, True),
        ("841201234567", 1, True),  # before 2018
        ("9231", 3, False),
        ("9090", 0, False),
        ("19001234", 0, False),
        ("MobiFone", 5, False),
        ("84901234567", 5, False),
        ("Zalo0901234567", 0, False),
        ("15551234567", 1, False),
        ("٠٩٠١٢٣٤٥٦٧", 0, False),
        ("", 0, False),
    ],
)
def test_who_is_answered(digits: str, ton: int, answered: bool) -> None:
    assert (subscriber(digits, ton) is not None) is answered


@st.composite
def strewn_with(draw: st.DrawFn, text: str, characters: str) -> str:
    """The text with any of `characters` after any of its own."""
    added = st.text(st.sampled_from(characters), max_size=2)
    return "".join(character + draw(added) for character in text)
