"""The numbers of SMPP: their names, and what a refusal means for a text."""

import pytest
from smpplib import consts
from smpplib.command_codes import commands

from sms.pdu import codes
from sms.pdu.codes import Refusal, refusal, status_name


def test_statuses_have_smpp_s_names() -> None:
    assert status_name(0) == "ESME_ROK"
    assert status_name(0x58) == "ESME_RTHROTTLED"
    assert status_name(0x410) == "0x00000410"


def test_our_numbers_are_smpplib_s() -> None:
    ours = {name: value for name, value in vars(codes).items() if name.isupper()}
    for name, value in ours.items():
        if name.startswith("ESME_"):
            assert value == getattr(consts, f"SMPP_{name}")
        elif name.startswith("TLV_"):
            assert value == consts.OPTIONAL_PARAMS[name.removeprefix("TLV_").lower()]
        elif isinstance(value, int) and name != "RESPONSE_BIT":
            assert value == commands[name.lower()]
    assert {value for value in commands.values() if value < codes.RESPONSE_BIT} == codes.REQUESTS


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0x58, Refusal.THROTTLED),
        (0x14, Refusal.QUEUE_FULL),
        (0x04, Refusal.TEMPORARY),
        (0x08, Refusal.TEMPORARY),
        (0x64, Refusal.TEMPORARY),
        (0x0A, Refusal.PERMANENT),
        (0x0B, Refusal.PERMANENT),
        (0x45, Refusal.PERMANENT),
        (0x410, Refusal.PERMANENT),
    ],
)
def test_refusals_are_sorted(status: int, expected: Refusal) -> None:
    assert refusal(status) is expected


def test_a_bind_refused_for_its_password_is_not_tried_again_at_once() -> None:
    assert {0x05, 0x0D, 0x0E, 0x0F} == codes.BIND_REFUSED_FOR_LONG
