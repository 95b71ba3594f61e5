"""What the law wants of an advertisement's words, and what texts cost. Pure."""

import pytest

from sms.invitations import Cost, cost, fault
from sms.segments import LongStyle

BODY = "[QC] MobiFone thay SIM 4G tai nha mien phi."


@pytest.mark.parametrize(
    "end",
    [
        "Tu choi: soan TC gui 9231",
        "Từ chối: soạn TC gửi 9231.",
        "Tu choi QC: soan TC QC gui 9231 !",
        "De tu choi soan STOP gui 9231",
        "Soan TSTN gui 9231 de dang ky. Tu choi soan TC gui 9231",
    ],
)
def test_an_advertisement_ends_with_how_to_refuse(end: str) -> None:
    assert fault(f"{BODY} {end}", "advertising") is None


@pytest.mark.parametrize(
    "end",
    [
        "",
        "Soan TSTN gui 9231",
        "Tu choi: soan TC gui 9231. Soan TSTN gui 9231",
        "Tu choi: soan TC gui 9231 nhe Quy khach",
        "Tu choi: soan TC gui 9090",
        "TC gui 9231",
    ],
)
def test_other_ends_are_refused(end: str) -> None:
    assert "must end with how to refuse" in str(fault(f"{BODY} {end}", "advertising"))


def test_an_advertisement_is_marked_as_one_and_other_texts_need_not_be() -> None:
    words = "MobiFone thay SIM 4G. Tu choi: soan TC gui 9231"
    assert fault(words, "advertising") == "an advertising text must begin with [QC]"
    assert fault(words, "customer_care") is None
    assert fault(words, None) is None
    assert fault("a" * 40_000, None) == "the text needs 262 parts, 255 are allowed"


@pytest.mark.parametrize(
    ("text", "alphabet", "units", "each"),
    [
        ("a" * 160, "gsm7", 160, 1),
        ("a" * 161, "gsm7", 161, 2),
        ("[QC]" + "a" * 155, "gsm7", 161, 2),  # brackets count twice
        ("ạ" * 70, "ucs2", 70, 1),
        ("ạ" * 71, "ucs2", 71, 2),
    ],
)
def test_segments_and_cost(text: str, alphabet: str, units: int, each: int) -> None:
    found = cost(text, LongStyle.UDH8, 1000, 350.0)
    assert found == Cost(alphabet, units, each, 1000, each * 1000, each * 350_000.0)  # type: ignore[arg-type]
