"""Delivery receipts, as differently as SMSCs write them (Appendix B, 5.3.2). Pure."""

from datetime import UTC, datetime

from lab.smsc.codec import TAG_RECEIPTED_ID, TAG_STATE, Message, Tlvs
from lab.smsc.faults import Faults
from lab.smsc.message_ids import write_id
from lab.smsc.records import Mt
from lab.smsc.texts import body_of, decode

RECEIPT = 0x04
"""The bits of esm_class that say: an SMSC delivery receipt."""

STATES = {
    "ENROUTE": 1,
    "DELIVRD": 2,
    "EXPIRED": 3,
    "DELETED": 4,
    "UNDELIV": 5,
    "ACCEPTD": 6,
    "UNKNOWN": 7,
    "REJECTD": 8,
}
_UNKNOWN_STATE = 7
_DELIVERED = {"DELIVRD", "ACCEPTD"}
_FINAL_ONLY_FAILURE = 2


def is_wanted(registered_delivery: int, state: str) -> bool:
    """What the ESME asked for (5.2.17): always, or only if it fails."""
    asked = registered_delivery & 3
    return asked == 1 or (asked == _FINAL_ONLY_FAILURE and state not in _DELIVERED)


def receipt(mt: Mt, number: int, state: str, faults: Faults, at: float) -> Message:
    """The receipt for an MT whose message id was made from `number`."""
    message_id = write_id(number, faults.receipt_id_form or faults.id_form)
    text = _text(message_id, mt, state, faults, at) if faults.receipt_text else ""
    return Message(
        source=mt.message.destination,
        destination=mt.message.source,
        payload=text.encode("latin-1", "replace"),
        esm_class=RECEIPT,
        tlvs=_tlvs(message_id, state, faults) if faults.receipt_tlvs else None,
    )


def _text(message_id: str, mt: Mt, state: str, faults: Faults, at: float) -> str:
    delivered = state == "DELIVRD"
    form = "%y%m%d%H%M%S" if faults.receipt_12_digit_dates else "%y%m%d%H%M"
    submitted, done = (datetime.fromtimestamp(when, UTC).strftime(form) for when in (mt.at, at))
    words = decode(body_of(mt.message), mt.message.data_coding)[:20]
    return (
        f"id:{message_id} sub:001 dlvrd:{delivered:03d} submit date:{submitted} done date:{done}"
        f" stat:{state} err:{0 if delivered else 99:03d} text:{words}"
    )


def _tlvs(message_id: str, state: str, faults: Faults) -> Tlvs:
    end = b"" if faults.receipt_id_without_nul else b"\0"
    return {
        TAG_RECEIPTED_ID: message_id.encode("latin-1") + end,
        TAG_STATE: bytes((STATES.get(state, _UNKNOWN_STATE),)),
    }
