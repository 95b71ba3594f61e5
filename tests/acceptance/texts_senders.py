"""Subscribers who text 9231 in all forms, and what is to become of each of their texts. I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from random import Random

from domain.msisdn import parse_msisdn
from lab.smsc.subscribers import MO, parts_of
from lab.smsc.texts import LongStyle
from sms.replies import ReplyKind

FIRST_NUMBER = 84930000000
ADDRESS = " Số nhà 12 ngõ 34, phường Nguyễn Du, quận Hai Bà Trưng, Hà Nội, gọi sau 18 giờ." * 2


@dataclass(frozen=True)
class Form:
    """One way to write a text, and what must come of it. `style`: of a long one's parts."""

    words: str
    verdict: str
    answer: ReplyKind
    style: LongStyle | None = None
    by_data_sm: bool = False
    data_coding: int | None = None
    is_shuffled: bool = False

    @property
    def registers(self) -> bool:
        return self.verdict == "register"


FORMS = [
    Form("TSTN", "register", ReplyKind.OK),
    Form("tstn", "register", ReplyKind.OK, by_data_sm=True),
    Form("T S T N !", "register", ReplyKind.OK),
    Form("Soạn TSTN gửi 9231", "register", ReplyKind.OK),
    Form("Đăng ký TSTN", "register", ReplyKind.OK),
    Form("TSTN", "register", ReplyKind.OK, data_coding=8),
    Form("TSTN 12 Le Loi, Hue", "register", ReplyKind.OK),
    Form(f"TSTN{ADDRESS}", "register", ReplyKind.OK, LongStyle.UDH8),
    Form(f"TSTN{ADDRESS}", "register", ReplyKind.OK, LongStyle.UDH16, is_shuffled=True),
    Form(f"TSTN{ADDRESS}", "register", ReplyKind.OK, LongStyle.SAR),
    Form("HUY", "cancel", ReplyKind.NONE_STANDING),
    Form("Hủy TSTN", "cancel", ReplyKind.NONE_STANDING),
    Form("KT", "status", ReplyKind.NONE_STANDING),
    Form("HD", "help", ReplyKind.HELP),
    Form("TC", "opt_out", ReplyKind.OPTED_OUT),
    Form("TSNT", "near_miss", ReplyKind.SYNTAX),
    Form("TTSTN", "near_miss", ReplyKind.SYNTAX),
    Form("bao giờ có SIM?", "unknown", ReplyKind.SYNTAX),
]


@dataclass(frozen=True)
class Sender:
    """A subscriber who sends one text; `mos` are its parts."""

    number: str
    form: Form
    mos: tuple[MO, ...]

    @property
    def msisdn(self) -> str:
        return parse_msisdn(self.number)


def senders(
    count: int,
    first: int = FIRST_NUMBER,
    forms: Sequence[Form] = FORMS,
    account: str | None = None,
) -> list[Sender]:
    """So many subscribers, one after the other in the forms given, each from another number."""
    chosen = islice(cycle(forms), count)
    return [
        Sender(str(first + step), form, _mos(str(first + step), form, step, account))
        for step, form in enumerate(chosen)
    ]


def _mos(number: str, form: Form, reference: int, account: str | None) -> tuple[MO, ...]:
    whole = MO(
        number,
        text=form.words,
        by_data_sm=form.by_data_sm,
        data_coding=form.data_coding,
        account=account,
    )
    if form.style is None:
        return (whole,)
    parts = list(parts_of(whole, form.style, reference & 0xFF))
    if form.is_shuffled:
        Random(reference).shuffle(parts)
    return tuple(parts)
