"""Delivery receipts: what became of a text we sent, from TLVs and from the customary text. Pure.

Vendors agree on little: `id:… sub:… dlvrd:… submit date:… done date:… stat:… err:… text:…` comes
with fields left out, in any order and case (SMPP 3.4 appendix B is only an example).
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from domain.clock import LOCAL
from domain.states import ReceiptState

_FINAL = frozenset(ReceiptState) - {
    ReceiptState.ENROUTE,
    ReceiptState.ACCEPTED,
    ReceiptState.UNKNOWN,
}

_BY_NUMBER = {
    0: ReceiptState.ENROUTE,  # scheduled, 5.0
    1: ReceiptState.ENROUTE,
    2: ReceiptState.DELIVERED,
    3: ReceiptState.EXPIRED,
    4: ReceiptState.DELETED,
    5: ReceiptState.UNDELIVERABLE,
    6: ReceiptState.ACCEPTED,
    8: ReceiptState.REJECTED,
    9: ReceiptState.UNDELIVERABLE,  # skipped, 5.0
}
"""The values of message_state (SMPP 3.4 §5.2.28, 5.0 §4.7.15); 7 is unknown to the SMSC too."""

_BY_WORD = {
    "ENROUTE": ReceiptState.ENROUTE,
    "BUFFERED": ReceiptState.ENROUTE,
    "BUFFRED": ReceiptState.ENROUTE,
    "ACCEPTD": ReceiptState.ACCEPTED,
    "ACCEPTED": ReceiptState.ACCEPTED,
    "DELIVRD": ReceiptState.DELIVERED,
    "DELIVERD": ReceiptState.DELIVERED,
    "DELIVERED": ReceiptState.DELIVERED,
    "EXPIRED": ReceiptState.EXPIRED,
    "DELETED": ReceiptState.DELETED,
    "UNDELIV": ReceiptState.UNDELIVERABLE,
    "UNDELIVERED": ReceiptState.UNDELIVERABLE,
    "UNDELIVERABLE": ReceiptState.UNDELIVERABLE,
    "FAILED": ReceiptState.UNDELIVERABLE,
    "REJECTD": ReceiptState.REJECTED,
    "REJECTED": ReceiptState.REJECTED,
} | {str(number): state for number, state in _BY_NUMBER.items()}
"""The words of `stat:`, cut to 7 letters by most, and the numbers that some put there."""

_FIELD = re.compile(
    r"(?<!\w)(id|sub|dlvrd|submit[ _]?date|done[ _]?date|stat|err|text)\s*:", re.IGNORECASE
)
_HEX = re.compile(r"[0-9a-fA-F]{1,40}")
_DEC = re.compile(r"[0-9]{1,40}")
_MOST = 2**64
"""Ids are converted as numbers up to here."""
_AROUND = " \t\r\n,;\0"
_DATE_FORMATS = {10: "%y%m%d%H%M", 12: "%y%m%d%H%M%S"}


@dataclass(frozen=True, slots=True)
class Receipt:
    """`stat`: the state in the SMSC's own words; `error`: its error code, as text; aware UTC."""

    message_id: str | None
    state: ReceiptState
    stat: str
    error: str | None
    done_at: datetime | None


def is_final(state: ReceiptState) -> bool:
    """Whether no later receipt may change it. UNKNOWN is open: a known state says more."""
    return state in _FINAL


def read(text: str | None, message_id_tlv: str | None, state_tlv: int | None) -> Receipt | None:
    """Read a receipt; each TLV goes before the text's field. None: neither an id nor a state.

    Dates are local to the SMSC, which is taken to stand in Vietnam. Never raises.
    """
    fields = _fields(text or "")
    message_id = (message_id_tlv or "").strip(_AROUND) or _word(fields, "id")
    stat = _word(fields, "stat")
    if message_id is None and stat is None and state_tlv is None:
        return None
    return Receipt(
        message_id=message_id,
        state=_state(stat, state_tlv),
        stat=stat or ("" if state_tlv is None else str(state_tlv)),
        error=_word(fields, "err"),
        done_at=_date(fields.get("donedate", "")),
    )


def is_one(text: str, state_tlv: int | None) -> bool:
    """Whether a deliver_sm that calls itself a text is a receipt all the same, as some SMSCs send.

    No subscriber's text bears a message_state, or has an id and a state in the SMSC's own words.
    """
    if state_tlv is not None:
        return True
    if "stat:" not in text.lower():
        return False
    fields = _fields(text)
    return "id" in fields and (_word(fields, "stat") or "").upper() in _BY_WORD


def normal_forms(message_id: str) -> tuple[str, ...]:
    """Give all ids that may mean this one, the likeliest first; an empty id means none.

    Some SMSCs answer a submit_sm in hexadecimal and send the receipt in decimal (8 and 10 digits
    where padded), change the case or drop zeros. All other text is opaque: it means itself only.
    """
    if not message_id:
        return ()
    forms = [message_id]
    if _HEX.fullmatch(message_id):
        bare = message_id.lstrip("0") or "0"
        forms += [*_cases(message_id), *_cases(bare)]
        if _DEC.fullmatch(message_id):
            forms += [bare.zfill(10), *_hexadecimal(int(bare))]
        forms += [*_cases(bare.zfill(8)), *_decimal(int(bare, 16))]
    return tuple(dict.fromkeys(forms))


def _fields(text: str) -> dict[str, str]:
    """The fields by name, the first of each. After `stat:`, a `text:` is the message to its end."""
    _, *found = _FIELD.split(text)
    fields: dict[str, str] = {}
    for name, value in zip(found[::2], found[1::2], strict=True):
        key = re.sub(r"[ _]", "", name).lower()
        if key == "text" and "stat" in fields:
            break
        fields.setdefault(key, value.strip(_AROUND))
    return fields


def _word(fields: dict[str, str], name: str) -> str | None:
    words = re.split(r"[\s,;]", fields.get(name, ""), maxsplit=1)
    return words[0] or None


def _state(stat: str | None, state_tlv: int | None) -> ReceiptState:
    by_word = _BY_WORD.get((stat or "").upper(), ReceiptState.UNKNOWN)
    return by_word if state_tlv is None else _BY_NUMBER.get(state_tlv, by_word)


def _date(digits: str) -> datetime | None:
    known = _DATE_FORMATS.get(len(digits))
    if known is None or re.fullmatch("[0-9]+", digits) is None:
        return None
    try:
        return datetime.strptime(digits, known).replace(tzinfo=LOCAL).astimezone(UTC)
    except ValueError:
        return None


def _cases(digits: str) -> tuple[str, str]:
    return digits.lower(), digits.upper()


def _hexadecimal(number: int) -> list[str]:
    if number >= _MOST:
        return []
    return [*_cases(f"{number:x}"), *_cases(f"{number:08x}")]


def _decimal(number: int) -> list[str]:
    return [f"{number}", f"{number:010}"] if number < _MOST else []
