"""What the journal of an SMSC that has died says, for the one that goes on after it. I/O.

As with a real one, a text that was taken is kept: nothing is answered before it stands in the file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from lab.smsc.codec import ROK, TEMPORARY, Address, Message, command_and_body
from lab.smsc.records import Delivery, Mt

Line = Mapping[str, Any]


@dataclass
class Past:
    """All that came and went, in the order of arrival."""

    mos: list[Delivery] = field(default_factory=list)
    receipts: list[Delivery] = field(default_factory=list)
    mts: list[Mt] = field(default_factory=list)


def read_past(file: Path) -> Past:
    """Of no file: nothing. A last line that was cut off is taken away: others are to follow."""
    past, deliveries = Past(), dict[int, Delivery]()
    for line in _lines(file):
        match line["event"]:
            case "mo" | "receipt" as kind:
                delivery = deliveries[line["id"]] = _delivery(line)
                (past.mos if kind == "mo" else past.receipts).append(delivery)
            case "deliver":
                _send(deliveries[line["id"]], line["times"], line["at"])
            case "ack":
                _answer(deliveries[line["id"]], line["status"], line["at"])
            case "mt":
                past.mts.append(_mt(line))
    return past


def _lines(file: Path) -> Iterator[Line]:
    if not file.exists():
        return
    with file.open("r+b") as stream:
        for line in stream.read().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                stream.truncate(stream.tell() - len(line))
                return
            yield orjson.loads(line)


def _send(delivery: Delivery, times: int, at: float) -> None:
    delivery.times = times
    delivery.sent_at = delivery.sent_at or at


def _answer(delivery: Delivery, status: int, at: float) -> None:
    if status in TEMPORARY:
        delivery.refusals += 1
        return
    if delivery.status is None:
        delivery.status, delivery.acked_at = status, at
    delivery.acks += status == ROK


def _delivery(line: Line) -> Delivery:
    message = _message(line)
    command, body = command_and_body(message, by_data_sm=line["by_data_sm"])
    about = (line["id"], line["account"], message, command, body, line["queued_at"])
    return Delivery(*about, receipt_for=line["receipt_for"])


def _mt(line: Line) -> Mt:
    names = ("id", "at", "account", "bind", "sequence", "status", "message_id", "answered")
    return Mt(message=_message(line), number=0, **{name: line[name] for name in names})


def _message(line: Line) -> Message:
    return Message(
        source=_address(line, "source"),
        destination=_address(line, "destination"),
        payload=bytes.fromhex(line["payload"]),
        data_coding=line["data_coding"],
        esm_class=line["esm_class"],
        registered_delivery=line["registered_delivery"],
        validity_period=line["validity_period"],
        service_type=line["service_type"],
        protocol_id=line["protocol_id"],
        priority=line["priority"],
        tlvs={int(tag, 16): bytes.fromhex(value) for tag, value in line["tlvs"].items()},
        payload_in_tlv=line["in_tlv"],
    )


def _address(line: Line, which: str) -> Address:
    ton, npi = line[f"{which}_ton_npi"]
    return Address(ton, npi, line[which])
