"""The demo's subscribers who text 9231, in all forms of domain.md §8, and what each must get. Pure.

Some are of the campaign and text once their call has ended. Others are invited by text only: they
stand in a second campaign, which never starts. A few stand nowhere.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lab.behaviours import behaviour_of
from sms.replies import ReplyKind

_FIRST_SECONDS = 3.0
_APART_SECONDS = 1.4
"""From the first text of one who is not called to that of the next one."""
_NEXT_SECONDS = 4.0
"""From one text of a subscriber to its next."""


class Way(StrEnum):
    """How a text travels."""

    SHORT = "one deliver_sm"
    LATIN1 = "one deliver_sm in Latin-1"
    UCS2 = "one deliver_sm in UCS-2, although GSM 7-bit would do"
    DATA_SM = "one data_sm"
    PAYLOAD = "one deliver_sm with message_payload"
    UDH8 = "parts in reverse order, UDH with 8 bits"
    UDH16 = "parts in reverse order, UDH with 16 bits"
    SAR = "parts in reverse order, SAR"
    TWICE = "one deliver_sm, which the SMSC delivers again although we acknowledged it"


@dataclass(frozen=True)
class Step:
    """A text, and what is demanded: the reply (None: silence), and the registration's note."""

    words: str
    reply: ReplyKind | None
    way: Way = Way.SHORT
    note: str | None = None


@dataclass(frozen=True)
class Texter:
    """Who texts, from a number (E.164), a short code or a word. `is_called`: by the campaign."""

    name: str
    sender: str
    steps: tuple[Step, ...]
    is_called: bool = False

    @property
    def is_subscriber(self) -> bool:
        """Whether it texts from a number."""
        return self.sender.startswith("+84")

    @property
    def presses_1(self) -> bool:
        """Whether its call has made a registration before it texts."""
        return self.is_called and behaviour_of(self.sender).registration


_OK, _ALREADY, _INELIGIBLE = ReplyKind.OK, ReplyKind.ALREADY, ReplyKind.INELIGIBLE
_SYNTAX, _HELP, _CANCELLED = ReplyKind.SYNTAX, ReplyKind.HELP, ReplyKind.CANCELLED
_NONE_STANDING, _STATUS = ReplyKind.NONE_STANDING, ReplyKind.STATUS_OPEN
_OPTED_OUT = ReplyKind.OPTED_OUT

_ADDRESS = (
    "nhà số 12, ấp 3, xã Lương Hòa, gần cầu Bà Trà, gọi giúp sau 17 giờ vì ban ngày đi làm ruộng"
)
_PLAIN_ADDRESS = (
    "so nha 12 to 4 ap Phu Loi xa Tan Hung, di qua cau sat 200 m thi re trai, nha co cong xanh "
    "doi dien truong tieu hoc; xin goi vao buoi chieu sau 16 gio, gap anh Ba hoac chi Tu"
)
_OURS = (
    "MobiFone da nhan yeu cau tu choi quang cao cua Quy khach luc 08:15 26/03/2021 "
    "va ngung gui tu 08:15 26/03/2021. LH 9090"
)


def _of(words: str, reply: ReplyKind | None, note: str | None = None) -> tuple[Step, ...]:
    return (Step(words, reply, note=note),)


_INVITED: tuple[tuple[str, tuple[Step, ...]], ...] = (
    *(
        ("registers", _of(words, _OK))
        for words in (
            *("TSTN", "tstn", "TSTN.", "TSTN9231", "TSTN gửi 9231", "Đăng ký TSTN", "dk tstn"),
            *("Soạn TSTN gửi 9231", "T.S.T.N", "TS TN", "T S T N", "ĐĂNG KÍ TSTN", "“TSTN”"),
            *("\uff34\uff33\uff34\uff2e", "T\u200bS\u200bT\u200bN", "\ufefftstn\u2060"),
            *("Đa\u0306ng ky\u0301 TSTN", "  tstn  \n"),
        )
    ),
    ("registers in UCS-2", (Step("TSTN", _OK, Way.UCS2),)),
    ("registers in Latin-1", (Step("dang ký TSTN", _OK, Way.LATIN1),)),
    ("registers by data_sm", (Step("TSTN", _OK, Way.DATA_SM),)),
    ("registers in a payload TLV", (Step("Đăng ký TSTN", _OK, Way.PAYLOAD),)),
    ("registers with a note", _of("TSTN, 0901234567", _OK, "0901234567")),
    ("registers with a note", _of("TSTN so 12 ap 3 xa Luong Hoa", _OK, "so 12 ap 3 xa Luong Hoa")),
    ("registers in parts", (Step(f"TSTN {_ADDRESS}", _OK, Way.UDH8, _ADDRESS),)),
    ("registers in parts", (Step(f"TSTN {_PLAIN_ADDRESS}", _OK, Way.UDH16, _PLAIN_ADDRESS),)),
    ("registers in parts", (Step(f"dk tstn {_ADDRESS}", _OK, Way.SAR, _ADDRESS),)),
    ("delivered twice", (Step("TSTN", _OK, Way.TWICE),)),
    ("delivered twice", (Step("HD", _HELP, Way.TWICE),)),
    ("registers twice", (*_of("TSTN", _OK), *_of("Đăng ký TSTN", _ALREADY))),
    ("asks how it stands", (*_of("tstn", _OK), *_of("KT TSTN", _STATUS))),
    ("asks, has nothing", _of("KT", _NONE_STANDING)),
    ("cancels", (*_of("TSTN", _OK), *_of("HUY", _CANCELLED))),
    ("cancels", (*_of("dk tstn", _OK), *_of("Hủy TSTN", _CANCELLED))),
    ("cancels", (*_of("TSTN", _OK), *_of("KHONG TSTN", _CANCELLED))),
    ("comes back", (*_of("TSTN", _OK), *_of("ko tstn", _CANCELLED), *_of("DK TSTN", _OK))),
    ("cancels nothing", _of("HUY TSTN", _NONE_STANDING)),
    ("wants help", _of("HD TSTN", _HELP)),
    *(
        ("opts out", _of(words, _OPTED_OUT))
        for words in ("TC", "TC QC", "TC TSTN", "Từ chối", "NO", "STOP")
    ),
    ("opts out later", (*_of("TSTN", _OK), *_of("TC", _OPTED_OUT))),
    *(("near miss", _of(words, _SYNTAX)) for words in ("TSTM", "TSNT", "TTSN", "TSTNN", "STTN")),
    ("misses, then hits", (*_of("TSTM", _SYNTAX), *_of("TSTN", _OK))),
    ("in doubt", _of("TSTN khong can nua", _SYNTAX)),
    ("something else", _of("Cho hỏi giá gói cước 4G?", _SYNTAX)),
    ("something else", _of("\U0001f44d", _SYNTAX)),
    ("empty", _of("", None)),
    ("echoes us", _of(_OURS, None)),
)

_CALLED: tuple[tuple[str, str, tuple[Step, ...]], ...] = (
    # behaviour in the call, then the texts
    ("busy", "called, then registers", _of("TSTN", _OK)),
    ("busy", "called, then registers", _of("Đăng ký TSTN", _OK)),
    ("no-answer", "called, then registers", _of("soan tstn gui 9231", _OK)),
    ("no-answer", "called, then opts out", _of("TC", _OPTED_OUT)),
    ("switched-off", "called, then registers", _of("T.S.T.N", _OK)),
    ("silent", "called, then registers", _of("tstn", _OK)),
    ("hang-up-early", "called, then near miss", _of("TSNT", _SYNTAX)),
    ("press-3", "wants advice, then registers", _of("TSTN", _OK)),
    ("press-1", "key 1, then TSTN", _of("TSTN", _ALREADY)),
    ("barge-1", "key 1, then asks", _of("KT", _STATUS)),
    ("press-1-and-leave", "key 1, then cancels", _of("HUY", _CANCELLED)),
)

_STRANGERS: tuple[tuple[str, str, tuple[Step, ...]], ...] = (
    ("+84984000001", "not in the audience", _of("TSTN", _INELIGIBLE)),
    ("+84384000002", "not in the audience", _of("Đăng ký TSTN", _INELIGIBLE)),
    ("+84584000003", "not in the audience", (*_of("HD", _HELP), *_of("tstn", _INELIGIBLE))),
    ("9090", "a short code", _of("TSTN", None)),
    ("MobiFone", "a word", _of("TSTN", None)),
)


def make_texters(called: Sequence[str]) -> list[Texter]:
    """All who text; those who are called have their numbers from `called` (E.164)."""
    return [
        *_mixed([_invited(index, *who) for index, who in enumerate(_INVITED)]),
        *(Texter(name, sender, steps) for sender, name, steps in _STRANGERS),
        *_of_the_campaign(called),
    ]


def invited_numbers(texters: Collection[Texter]) -> list[str]:
    """The numbers of the second campaign (E.164)."""
    strangers = {sender for sender, _, _ in _STRANGERS}
    return [each.sender for each in texters if not each.is_called and each.sender not in strangers]


class Diary:
    """Which texts are due when. `done` once all were given out."""

    def __init__(self, texters: Sequence[Texter]) -> None:
        self._open: dict[Texter, int] = dict.fromkeys(texters, 0)
        self._due_at: dict[Texter, float] = {
            texter: _FIRST_SECONDS + index * _APART_SECONDS
            for index, texter in enumerate(each for each in texters if not each.is_called)
        }

    @property
    def done(self) -> bool:
        """Whether nobody has a text to send any more."""
        return not self._open

    def due(self, seconds: float, has_ended: Collection[str]) -> Iterator[tuple[Texter, Step]]:
        """The texts that are due now; who is called texts once its call has ended."""
        for texter, number in list(self._open.items()):
            if texter.is_called and texter.sender not in has_ended:
                continue
            if self._due_at.setdefault(texter, seconds) > seconds:
                continue
            yield texter, texter.steps[number]
            self._due_at[texter] = seconds + _NEXT_SECONDS
            self._open[texter] = number + 1
            if number + 1 == len(texter.steps):
                del self._open[texter]


def _invited(index: int, name: str, steps: tuple[Step, ...]) -> Texter:
    return Texter(name, f"+8491{index * 137 % 1000:03d}{index:04d}", steps)


def _mixed(texters: Sequence[Texter]) -> list[Texter]:
    """Another order, the same each time, so that no kind comes all at once."""
    return [texter for start in range(5) for texter in texters[start::5]]


def _of_the_campaign(called: Sequence[str]) -> Iterator[Texter]:
    taken: set[str] = set()
    for behaviour, name, steps in _CALLED:
        number = next(
            each for each in called if each not in taken and behaviour_of(each).name == behaviour
        )
        taken.add(number)
        yield Texter(name, number, steps, is_called=True)
