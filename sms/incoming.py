"""What a deliver_sm or data_sm is to the store: a text, or a receipt. Pure; never raises."""

from datetime import datetime

from domain.msisdn import BadNumber, parse_msisdn
from domain.states import ReceiptState
from sms import receipts
from sms.joining import body_of, part_of
from sms.keywords import subscriber
from sms.pdu.types import Message, Unparsable
from store.messages import NewText
from store.receipts import NewReceipt


def incoming(account: str, bind: str, message: Message, at: datetime) -> NewText | NewReceipt:
    """A receipt by its esm_class, or by what it says; all else is a text, a part of one maybe."""
    said = message.payload.decode("latin-1")
    if message.is_receipt_class or receipts.is_one(said, message.message_state):
        return _receipt(account, message, said, at)
    part = part_of(message.payload, message.esm_class, message.tlvs)
    return NewText(
        account=account,
        bind=bind,
        received_at=at,
        source=message.source.digits,
        msisdn=subscriber(message.source.digits, message.source.ton),
        destination=message.destination.digits,
        data_coding=message.data_coding,
        esm_class=message.esm_class,
        raw=message.raw,
        body=part.body if part else body_of(message.payload, message.esm_class),
        part=(part.reference, part.bits, part.total, part.number) if part else None,
    )


def of_unparsable(account: str, bind: str, pdu: Unparsable, at: datetime) -> NewText:
    """What cannot be read is kept as it came, for people to look at."""
    return NewText(
        account=account,
        bind=bind,
        received_at=at,
        source="",
        msisdn=None,
        destination="",
        data_coding=0,
        esm_class=0,
        raw=pdu.raw,
        body=b"",
    )


def _receipt(account: str, message: Message, said: str, at: datetime) -> NewReceipt:
    read = receipts.read(said, message.receipted_message_id, message.message_state)
    return NewReceipt(
        account=account,
        raw=message.raw,
        message_id=read.message_id if read else None,
        forms=receipts.normal_forms(read.message_id or "") if read else (),
        state=read.state if read else ReceiptState.UNKNOWN,
        stat=read.stat if read else "",
        error=read.error if read else None,
        received_at=at,
        msisdn=_number(message.source.digits),
    )


def _number(digits: str) -> str | None:
    try:
        return parse_msisdn(digits)
    except BadNumber:
        return None
