"""What an SMSC may do wrong, or merely in its own way. All can be set while it runs. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from domain.errors import InputError
from lab.smsc.codec import RBINDFAIL, RTHROTTLED
from lab.smsc.garbage import Garbage
from lab.smsc.message_ids import IdForm

FOR_EVER = -1


@dataclass(slots=True)
class Faults:
    """Each field is off by default; "every n-th" counts per link, and 0 is never.

    Counts of what is still to be refused go down as it is refused; FOR_EVER does not.
    """

    # Links. Counted in PDUs taken from the ESME on one link, since it began or faults were set.
    cut_after: int = 0  # the n-th PDU is the last: a submit is taken, an ack is not seen
    cut_after_most: int = 0  # with it, each link's n lies anywhere from cut_after to here
    cut_by_reset: bool = False  # RST, which also throws away what the ESME has not read
    unbind_after: int = 0
    frozen: bool = False  # the socket stays open, nothing is read or written
    chunk_bytes: int = 0  # what we write goes out in pieces of this size,
    chunk_seconds: float = 0.0  # so far apart

    # Binds
    refuse_binds: int = 0  # so many
    refuse_binds_status: int = RBINDFAIL
    ignore_binds: bool = False  # no answer at all
    bind_seconds: float = 0.0  # until the answer

    # Answers
    latency_seconds: float = 0.0  # until a submit_sm_resp
    enquire_latency_seconds: float = 0.0  # until an enquire_link_resp
    unanswered_every: int = 0  # every n-th submit is taken, and never answered
    ignore_enquire_links: bool = False
    answers_shuffled: bool = False  # what was read at once is answered in any order
    refuse_submits: int = 0  # so many
    refuse_submits_status: int = RTHROTTLED
    refuse_submits_every: int = 1  # refuse the n-th only
    tps: float = 0.0  # more submits a second than that on an account are throttled; 0: no bound
    errors_with_body: bool = False  # an error submit_sm_resp still has its message_id field

    # Subscribers
    redeliver_every: int = 0  # every n-th MO is delivered once more although it is acknowledged
    garbage_every: int = 0  # every n-th MO comes after one of the `garbage`
    garbage: list[Garbage] = field(default_factory=lambda: list(Garbage.framed()))

    # Message ids and receipts
    id_form: IdForm = IdForm.DECIMAL  # in the submit_sm_resp
    receipts: bool = True  # to who asks for them
    receipt_seconds: float = 0.0  # from the answer to the receipt
    receipt_states: list[str] = field(default_factory=lambda: ["DELIVRD"])  # one receipt each
    receipt_id_form: IdForm | None = None  # None: as in the response
    receipt_text: bool = True
    receipt_tlvs: bool = False
    receipt_id_without_nul: bool = False
    receipt_12_digit_dates: bool = False
    receipt_by_data_sm: bool = False
    receipt_copies: int = 1
    receipt_before_response: bool = False
    receipt_on_other_bind: bool = False
    receipt_orphans_every: int = 0  # every n-th comes with one more, for an id that never was


def change(faults: Faults, values: Mapping[str, Any]) -> None:
    """Sets fields, from JSON too. Raises InputError at an unknown one or a wrong kind of value."""
    kinds = {one.name: type(getattr(Faults(), one.name)) for one in fields(Faults)}
    read: dict[str, Any] = {}
    for name, value in values.items():
        if name not in kinds:
            raise InputError(f"no fault is called {name}: see lab/smsc/faults.py")
        try:
            read[name] = _read(name, kinds[name], value)
        except ValueError as error:
            raise InputError(f"{name}: {error}") from None
    for name, value in read.items():
        setattr(faults, name, value)


def spend(left: int) -> int:
    """One less to go, unless it is FOR_EVER."""
    return left if left == FOR_EVER else left - 1


def _read(name: str, kind: type, value: object) -> object:
    if name == "receipt_id_form":
        return None if value is None else IdForm(str(value))
    if name == "id_form":
        return IdForm(str(value))
    if name == "garbage" and isinstance(value, list):
        return [Garbage(one) for one in value]
    if kind is float and isinstance(value, int):
        return float(value)
    if type(value) is not kind:
        raise ValueError(f"{value!r} is no {kind.__name__}")
    return value
