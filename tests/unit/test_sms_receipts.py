"""Receipts as vendors write them, and ids in all their forms. Pure."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.states import ReceiptState
from sms.receipts import Receipt, is_final, normal_forms, read

WHOLE = (
    "id:0123456789 sub:001 dlvrd:001 submit date:2103261000 done date:2103261001 "
    "stat:DELIVRD err:000 text:Tin nhan"
)
DONE_AT = datetime(2021, 3, 26, 3, 1, tzinfo=UTC)
DELIVERED = Receipt("0123456789", ReceiptState.DELIVERED, "DELIVRD", "000", DONE_AT)


@pytest.mark.parametrize(
    "text",
    [
        WHOLE,
        WHOLE.replace("done date:2103261001", "done date:210326100100"),
        WHOLE.replace("done date:", "done_date: ").replace("submit date", "submitdate"),
        WHOLE.replace(" sub", ",sub").replace(" stat", "; stat").replace(" err", ",err"),
        WHOLE.replace("DELIVRD", "DELIVRD\0").replace(":", ": "),
        WHOLE + " id:9 stat:EXPIRED err:007",  # the words of the message
        "text:Tin nhan err:000 stat:DELIVRD done date:2103261001 id:0123456789",
    ],
)
def test_fields_in_any_order_and_spelling(text: str) -> None:
    assert read(text, None, None) == DELIVERED


def test_names_in_any_case() -> None:
    names = WHOLE.replace("id:", "ID:").replace("stat:", "Stat:").replace("done date", "DONE DATE")
    assert read(names, None, None) == DELIVERED


@given(
    st.permutations(WHOLE.removesuffix(" text:Tin nhan").replace(" date", "_date").split()),
    st.integers(0, 7),
)
def test_any_field_may_be_missing(fields: list[str], kept: int) -> None:
    receipt = read(" ".join(fields[:kept]), None, None)
    names = {field.split(":")[0] for field in fields[:kept]}
    if not names & {"id", "stat"}:
        assert receipt is None
        return
    assert receipt is not None
    assert receipt.message_id == ("0123456789" if "id" in names else None)
    assert receipt.stat == ("DELIVRD" if "stat" in names else "")
    assert receipt.error == ("000" if "err" in names else None)
    assert receipt.done_at == (DONE_AT if "done_date" in names else None)


@pytest.mark.parametrize(
    ("stat", "state"),
    [
        ("DELIVRD", ReceiptState.DELIVERED),
        ("delivrd", ReceiptState.DELIVERED),
        ("EXPIRED", ReceiptState.EXPIRED),
        ("DELETED", ReceiptState.DELETED),
        ("UNDELIV", ReceiptState.UNDELIVERABLE),
        ("FAILED", ReceiptState.UNDELIVERABLE),
        ("ACCEPTD", ReceiptState.ACCEPTED),
        ("ENROUTE", ReceiptState.ENROUTE),
        ("BUFFERED", ReceiptState.ENROUTE),
        ("REJECTD", ReceiptState.REJECTED),
        ("2", ReceiptState.DELIVERED),
        ("UNKNOWN", ReceiptState.UNKNOWN),
        ("ESOTERIC", ReceiptState.UNKNOWN),
    ],
)
def test_states_by_word(stat: str, state: ReceiptState) -> None:
    receipt = read(f"id:1 stat:{stat}", None, None)
    assert receipt is not None
    assert (receipt.state, receipt.stat) == (state, stat)


@pytest.mark.parametrize(
    ("text", "message_id", "number", "expected"),
    [
        (None, "ab12", 2, Receipt("ab12", ReceiptState.DELIVERED, "2", None, None)),
        (None, "ab12\0", 5, Receipt("ab12", ReceiptState.UNDELIVERABLE, "5", None, None)),
        ("id:1 stat:EXPIRED", "2", 2, Receipt("2", ReceiptState.DELIVERED, "EXPIRED", None, None)),
        ("id:1 stat:EXPIRED", "", 77, Receipt("1", ReceiptState.EXPIRED, "EXPIRED", None, None)),
        ("id:1 stat:EXPIRED", None, 7, Receipt("1", ReceiptState.EXPIRED, "EXPIRED", None, None)),
        (None, None, 77, Receipt(None, ReceiptState.UNKNOWN, "77", None, None)),
        ("TSTN", "ab12", None, Receipt("ab12", ReceiptState.UNKNOWN, "", None, None)),
        ("TSTN", None, None, None),
        ("id: stat:", None, None, None),
        ("", None, None, None),
        (None, None, None, None),
    ],
)
def test_tlvs_go_before_text(
    text: str | None, message_id: str | None, number: int | None, expected: Receipt | None
) -> None:
    assert read(text, message_id, number) == expected


@pytest.mark.parametrize(
    "date", ["", "0000000000", "2113261001", "21032610", "20210326100100", "soon", "٢١٠٣٢٦١٠٠١"]
)
def test_a_date_of_garbage_is_none(date: str) -> None:
    receipt = read(f"id:1 done date:{date} stat:DELIVRD", None, None)
    assert receipt == Receipt("1", ReceiptState.DELIVERED, "DELIVRD", None, None)


def test_what_is_final() -> None:
    assert {state for state in ReceiptState if not is_final(state)} == {
        ReceiptState.ENROUTE,
        ReceiptState.ACCEPTED,
        ReceiptState.UNKNOWN,
    }


@given(
    st.one_of(st.none(), st.text(), st.text(st.sampled_from("id:stadone text09 ,\0"))),
    st.one_of(st.none(), st.text()),
    st.one_of(st.none(), st.integers()),
)
def test_nothing_raises(text: str | None, message_id: str | None, state: int | None) -> None:
    read(text, message_id, state)


@given(st.integers(1, 2**32 - 1), st.data())
def test_one_number_however_the_smsc_writes_it(number: int, data: st.DataObject) -> None:
    writings = [f"{number:{how}}" for how in ("d", "x", "X", "08x", "08X", "010d")]
    sent, received = data.draw(st.tuples(*[st.sampled_from(writings)] * 2))
    assert sent in normal_forms(received)


@given(st.text(max_size=50))
def test_the_first_form_is_the_id_itself_and_each_comes_once(message_id: str) -> None:
    forms = normal_forms(message_id)
    assert list(forms[:1]) == ([message_id] if message_id else [])
    assert len(set(forms)) == len(forms)
    assert "" not in forms


@pytest.mark.parametrize("opaque", ["aZ-09", "Msg1", "12 34", "٣٤", "0x1f", "1-2", "a" * 41])
def test_opaque_ids_mean_themselves_only(opaque: str) -> None:
    assert normal_forms(opaque) == (opaque,)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Msg1", "msg1"), ("007-1", "7-1"), ("1", "2"), ("12d687", "12d688"), ("", "0")],
)
def test_different_ids_stay_apart(one: str, other: str) -> None:
    assert not {*normal_forms(one)} & {*normal_forms(other)}


def test_a_long_id_is_changed_in_case_and_zeros_only() -> None:
    assert normal_forms("00AB" + "1" * 30) == (
        "00AB" + "1" * 30,
        "00ab" + "1" * 30,
        "ab" + "1" * 30,
        "AB" + "1" * 30,
    )
