"""One inbound PDU from bytes to a typed value, or to a typed fault; never an exception. Pure.

smpplib's own parser is not used: it raises on optional parameters that SMPP allows, ignores their
lengths, and cuts the last character off an id without its NUL. Here a text counts more than the
rules: whoever breaks them is understood as far as source, destination and payload can be found.
"""

import re
from struct import Struct

from sms.pdu.codes import DATA_SM, DELIVER_SM, REQUESTS, RESPONSE_BIT, TLV_MESSAGE_PAYLOAD
from sms.pdu.types import Address, Message, Pdu, Request, Response, UnknownCommand, Unparsable

_BODY = 16
_HEADER = Struct(">4xIII")
_TLV = Struct(">HH")

# The mandatory fields (4.6.1, 4.7.1) as patterns. Types and plans of numbers are never printable,
# addresses always are: one that has lost its NUL and runs into the next field shows by this.
_TEXT = rb"[^\0]*+\0"
_ADDRESS = rb"([^ -~]{2})([^\0-\x1f]{0,64}+)\0"
_SOURCE = rb"([^\0]*+)\0" + _ADDRESS
_DESTINATION = _SOURCE + _ADDRESS
_TO_SOURCE = re.compile(_SOURCE, re.DOTALL)
_TO_DESTINATION = re.compile(_DESTINATION, re.DOTALL)
_DELIVER_SM = re.compile(_DESTINATION + rb"(...)" + _TEXT + _TEXT + rb"(.).(.).(.)", re.DOTALL)
_DATA_SM = re.compile(_DESTINATION + rb"(...)", re.DOTALL)


def parse(frame: bytes) -> Pdu:
    """Read one PDU.

    Args:
        frame: a whole PDU, 16 octets or more; its length field is not looked at.
    """
    command, status, sequence = _HEADER.unpack_from(frame)
    if command & RESPONSE_BIT:
        return _response(sequence, command, status, frame)
    if command == DELIVER_SM:
        return _deliver_sm(sequence, frame) or _unparsable(sequence, command, status, frame)
    if command == DATA_SM:
        return _data_sm(sequence, frame) or _unparsable(sequence, command, status, frame)
    if command in REQUESTS:
        return Request(sequence, command)
    return UnknownCommand(sequence, command, frame)


def _deliver_sm(sequence: int, frame: bytes) -> Message | None:
    match = _DELIVER_SM.match(frame, _BODY)
    if match is None:
        return None
    (
        service_type,
        source_kind,
        source,
        destination_kind,
        destination,
        (esm_class, protocol_id, priority),
        (registered_delivery,),
        (data_coding,),
        (sm_length,),
    ) = match.groups()
    begin = match.end()
    tlvs = _tlvs(frame, begin + sm_length)
    payload = frame[begin : begin + sm_length] or tlvs.get(TLV_MESSAGE_PAYLOAD, b"")
    if sm_length and not payload:
        return None
    return Message(
        sequence,
        DELIVER_SM,
        _address(source_kind, source),
        _address(destination_kind, destination),
        esm_class,
        data_coding,
        payload,
        protocol_id,
        priority,
        registered_delivery,
        service_type.decode("latin-1"),
        tlvs,
        frame,
    )


def _data_sm(sequence: int, frame: bytes) -> Message | None:
    match = _DATA_SM.match(frame, _BODY)
    if match is None:
        return None
    (
        service_type,
        source_kind,
        source,
        destination_kind,
        destination,
        (esm_class, registered_delivery, data_coding),
    ) = match.groups()
    tlvs = _tlvs(frame, match.end())
    return Message(
        sequence=sequence,
        command=DATA_SM,
        source=_address(source_kind, source),
        destination=_address(destination_kind, destination),
        esm_class=esm_class,
        data_coding=data_coding,
        payload=tlvs.get(TLV_MESSAGE_PAYLOAD, b""),
        protocol_id=0,
        priority=0,
        registered_delivery=registered_delivery,
        service_type=service_type.decode("latin-1"),
        tlvs=tlvs,
        raw=frame,
    )


def _address(kind: bytes, digits: bytes) -> Address:
    ton, npi = kind
    return Address(ton, npi, digits.decode("latin-1"))


def _unparsable(sequence: int, command: int, status: int, frame: bytes) -> Unparsable:
    if not _TO_SOURCE.match(frame, _BODY):
        reason = "the source address has no end"
    elif not _TO_DESTINATION.match(frame, _BODY):
        reason = "the destination address has no end"
    else:
        reason = "it ends before its payload"
    return Unparsable(sequence, command, status, reason, frame)


def _response(sequence: int, command: int, status: int, frame: bytes) -> Response:
    end = frame.find(b"\0", _BODY)
    if end < 0:
        return Response(sequence, command, status, frame[_BODY:].decode("latin-1"), {})
    message_id = frame[_BODY:end].decode("latin-1")
    return Response(sequence, command, status, message_id, _tlvs(frame, end + 1))


def _tlvs(frame: bytes, begin: int) -> dict[int, bytes]:
    """The optional parameters from there on, up to the first that is cut short.

    Of a message_payload that is cut short, what there is of it is kept: it may be all we ask for.
    """
    tlvs: dict[int, bytes] = {}
    while begin + _TLV.size <= len(frame):
        tag, length = _TLV.unpack_from(frame, begin)
        begin += _TLV.size + length
        if begin <= len(frame) or tag == TLV_MESSAGE_PAYLOAD:
            tlvs[tag] = frame[begin - length : begin]
    return tlvs
