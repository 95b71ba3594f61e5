"""The numbers of SMPP 3.4: commands, statuses, tags, and what a refusal means for a text. Pure.

Values: SMPP 3.4, tables 5-1 (commands), 5-2 (statuses) and 5-7 (tags).
"""

from enum import StrEnum

from smpplib import consts  # type: ignore[import-untyped]

RESPONSE_BIT = 0x80000000
"""Set in the command id of every answer; the rest is the id of the request."""

BIND_RECEIVER = 0x00000001
BIND_TRANSMITTER = 0x00000002
QUERY_SM = 0x00000003
SUBMIT_SM = 0x00000004
DELIVER_SM = 0x00000005
UNBIND = 0x00000006
REPLACE_SM = 0x00000007
CANCEL_SM = 0x00000008
BIND_TRANSCEIVER = 0x00000009
OUTBIND = 0x0000000B
ENQUIRE_LINK = 0x00000015
SUBMIT_MULTI = 0x00000021
ALERT_NOTIFICATION = 0x00000102
DATA_SM = 0x00000103

GENERIC_NACK = RESPONSE_BIT
BIND_RECEIVER_RESP = RESPONSE_BIT | BIND_RECEIVER
BIND_TRANSMITTER_RESP = RESPONSE_BIT | BIND_TRANSMITTER
SUBMIT_SM_RESP = RESPONSE_BIT | SUBMIT_SM
DELIVER_SM_RESP = RESPONSE_BIT | DELIVER_SM
UNBIND_RESP = RESPONSE_BIT | UNBIND
BIND_TRANSCEIVER_RESP = RESPONSE_BIT | BIND_TRANSCEIVER
ENQUIRE_LINK_RESP = RESPONSE_BIT | ENQUIRE_LINK
DATA_SM_RESP = RESPONSE_BIT | DATA_SM

REQUESTS = frozenset(
    {
        BIND_RECEIVER,
        BIND_TRANSMITTER,
        QUERY_SM,
        SUBMIT_SM,
        DELIVER_SM,
        UNBIND,
        REPLACE_SM,
        CANCEL_SM,
        BIND_TRANSCEIVER,
        OUTBIND,
        ENQUIRE_LINK,
        SUBMIT_MULTI,
        ALERT_NOTIFICATION,
        DATA_SM,
    }
)
"""Every request of SMPP 3.4, from either side."""

ESME_ROK = 0x00
ESME_RINVCMDLEN = 0x02
ESME_RINVCMDID = 0x03
ESME_RINVBNDSTS = 0x04
ESME_RALYBND = 0x05
ESME_RSYSERR = 0x08
ESME_RBINDFAIL = 0x0D
ESME_RINVPASWD = 0x0E
ESME_RINVSYSID = 0x0F
ESME_RMSGQFUL = 0x14
ESME_RTHROTTLED = 0x58
ESME_RX_T_APPN = 0x64
ESME_RX_P_APPN = 0x65
ESME_RUNKNOWNERR = 0xFF

BIND_REFUSED_FOR_LONG = frozenset({ESME_RALYBND, ESME_RBINDFAIL, ESME_RINVPASWD, ESME_RINVSYSID})
"""Refusals of a bind that a quick second try will not change."""

TLV_RECEIPTED_MESSAGE_ID = 0x001E
TLV_MESSAGE_PAYLOAD = 0x0424
TLV_MESSAGE_STATE = 0x0427

_STATUS_NAMES: dict[int, str] = {
    value: name.removeprefix("SMPP_")
    for name, value in vars(consts).items()
    if name.startswith("SMPP_ESME_")
}


def status_name(status: int) -> str:
    """The name SMPP gives it, as in ESME_RTHROTTLED; a vendor's own in hex, as in 0x00000410."""
    return _STATUS_NAMES.get(status, f"0x{status:08x}")


class Refusal(StrEnum):
    """What is to be done about a text that the SMSC did not take."""

    THROTTLED = "throttled"  # too fast: pause all texts of the bind
    QUEUE_FULL = "queue_full"  # too many wait there: a smaller window
    TEMPORARY = "temporary"  # not this text's fault: try it again later
    PERMANENT = "permanent"  # will never be taken


_REFUSALS = {
    ESME_RTHROTTLED: Refusal.THROTTLED,
    ESME_RMSGQFUL: Refusal.QUEUE_FULL,
    ESME_RINVBNDSTS: Refusal.TEMPORARY,
    ESME_RSYSERR: Refusal.TEMPORARY,
    ESME_RX_T_APPN: Refusal.TEMPORARY,
}


def refusal(status: int) -> Refusal:
    """Sort a submit_sm_resp's status other than ESME_ROK."""
    return _REFUSALS.get(status, Refusal.PERMANENT)
