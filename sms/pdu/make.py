"""Outbound PDUs as bytes. Pure.

submit_sm and the answers to texts are packed here, twenty times faster than by smpplib and to the
same octets; smpplib makes what a session needs now and then. It shortens what is too long without
a word, so lengths are checked before.
"""

from dataclasses import dataclass
from enum import StrEnum
from struct import Struct
from typing import NamedTuple

from smpplib import command  # type: ignore[import-untyped]

from sms.pdu.codes import DATA_SM_RESP, DELIVER_SM_RESP, RESPONSE_BIT, SUBMIT_SM
from sms.pdu.types import Address

_HEADER = Struct(">IIII")
_HEADER_AND_NO_ID = Struct(">IIIIx")
_TLV = Struct(">HH")

_ADDRESS_MOST = 20
_SHORT_MESSAGE_MOST = 254
_TIME_MOST = 16
_PASSWORD_MOST = 8
_LONG_PASSWORD_MOST = 16


class BindKind(StrEnum):
    """What a bind carries: texts both ways, only ours to the SMSC, or only theirs to us."""

    TRX = "trx"
    TX = "tx"
    RX = "rx"


_BIND_NAMES = {
    BindKind.TRX: "bind_transceiver",
    BindKind.TX: "bind_transmitter",
    BindKind.RX: "bind_receiver",
}


@dataclass(frozen=True, slots=True)
class Submit:
    """One text, or one part of a long one, as it goes to the SMSC.

    Attributes:
        payload: up to 254 octets, with its user data header; longer ones go as a TLV.
        validity_period: SMPP's 16 characters (7.1.1), or "" for the SMSC's own.
        tlvs: (tag, value) in the order they are sent.
    """

    source: Address
    destination: Address
    payload: bytes
    data_coding: int
    esm_class: int
    registered_delivery: int
    validity_period: str
    tlvs: tuple[tuple[int, bytes], ...]


def submit_sm(sequence: int, submit: Submit) -> bytes:
    """Send a text. Raises ValueError where a field is too long or cannot be written."""
    source, destination, payload = submit.source, submit.destination, submit.payload
    if len(payload) > _SHORT_MESSAGE_MOST:
        raise ValueError(f"a payload of {len(payload)} octets, {_SHORT_MESSAGE_MOST} at most")
    body = b"\0%c%c%b\0%c%c%b\0%c\0\0\0%b\0%c\0%c\0%c%b" % (
        source.ton,
        source.npi,
        _octets("source address", source.digits, _ADDRESS_MOST),
        destination.ton,
        destination.npi,
        _octets("destination address", destination.digits, _ADDRESS_MOST),
        submit.esm_class,
        _octets("validity_period", submit.validity_period, _TIME_MOST),
        submit.registered_delivery,
        submit.data_coding,
        len(payload),
        payload,
    )
    for tag, value in submit.tlvs:
        body += _TLV.pack(tag, len(value)) + value
    return _HEADER.pack(_HEADER.size + len(body), SUBMIT_SM, 0, sequence) + body


def deliver_sm_resp(sequence: int, status: int = 0) -> bytes:
    """Acknowledge a text, or with a status refuse it."""
    return _HEADER_AND_NO_ID.pack(_HEADER_AND_NO_ID.size, DELIVER_SM_RESP, status, sequence)


def data_sm_resp(sequence: int, status: int = 0) -> bytes:
    """As deliver_sm_resp, for a text that came by data_sm."""
    return _HEADER_AND_NO_ID.pack(_HEADER_AND_NO_ID.size, DATA_SM_RESP, status, sequence)


def response(command: int, sequence: int, status: int) -> bytes:
    """Answer any request with a header alone; `command` is the request's."""
    return _HEADER.pack(_HEADER.size, command | RESPONSE_BIT, status, sequence)


def bind(
    kind: BindKind,
    sequence: int,
    *,
    system_id: str,
    password: str,
    system_type: str = "",
    address_range: str = "",
    interface_version: int = 0x34,
    long_password: bool = False,
) -> bytes:
    """Ask for a session.

    Args:
        long_password: allow 16 characters, as some SMSCs do; SMPP says 8.

    Raises:
        ValueError: where a field does not fit; never with the password in it.
    """
    password_most = _LONG_PASSWORD_MOST if long_password else _PASSWORD_MOST
    _octets("system_id", system_id, 15)
    _octets("password", password, password_most)
    _octets("system_type", system_type, 12)
    _octets("address_range", address_range, 40)
    pdu = command.factory(
        _BIND_NAMES[kind],
        client=_Numbered(sequence),
        system_id=system_id,
        password=password,
        system_type=system_type,
        address_range=address_range,
    )
    pdu.interface_version = interface_version
    pdu.params = {**pdu.params, "password": command.Param(type=str, max=password_most + 1)}
    return bytes(pdu.generate())


def enquire_link(sequence: int) -> bytes:
    """Ask whether the peer is alive."""
    return _bare("enquire_link", sequence)


def enquire_link_resp(sequence: int) -> bytes:
    """Say that we are."""
    return _bare("enquire_link_resp", sequence)


def unbind(sequence: int) -> bytes:
    """Ask for the end of the session."""
    return _bare("unbind", sequence)


def unbind_resp(sequence: int, status: int = 0) -> bytes:
    """Agree to its end."""
    return _bare("unbind_resp", sequence, status)


def generic_nack(sequence: int, status: int) -> bytes:
    """Answer what is no request that we know."""
    return _bare("generic_nack", sequence, status)


class _Numbered(NamedTuple):
    """What smpplib takes for its client: the one place it takes a sequence number from."""

    sequence: int

    def next_sequence(self) -> int:
        return self.sequence


def _bare(name: str, sequence: int, status: int = 0) -> bytes:
    return bytes(command.factory(name, client=_Numbered(sequence), status=status).generate())


def _octets(name: str, text: str, most: int) -> bytes:
    """Latin-1, short enough, and without a NUL that would end it early."""
    try:
        octets = text.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(f"{name}: Latin-1 only") from None
    if len(octets) > most or b"\0" in octets:
        raise ValueError(f"{name}: {most} characters at most, and no NUL")
    return octets
