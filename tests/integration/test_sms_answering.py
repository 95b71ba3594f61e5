"""Texts that wait are read once: acted on, answered, in the order they came. Both databases."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from domain.addresses import Scheme
from domain.states import CallbackState, RegistrationState
from sms.answering import answer_texts
from sms.replies import DEFAULTS
from sms.setting import TextSetting
from store import phases
from store.engine import Store
from store.messages import NewText
from store.models import (
    Callback,
    Campaign,
    Event,
    MessageIn,
    MessageOut,
    OptOut,
    Registration,
    Target,
)
from store.phases import NewPhase
from tests.rows import NOW, all_rows, make_campaign, numbers
from tests.texts import NUMBER, OTHER, new_text, take_in

SETTING = TextSetting(
    replies={str(kind): text for kind, text in DEFAULTS.items()}, accounts={}, target_by=time(21)
)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def audience(store: Store) -> Store:
    """A store whose campaign has some numbers."""
    await make_campaign(store, [NUMBER, OTHER, *numbers(5, first=100)])
    return store


async def come(store: Store, *texts: NewText, now: datetime = NOW) -> list[tuple[str, str | None]]:
    """Texts come in and are read; what each was taken for, and the kind of its answer."""
    ids = await take_in(store, *texts)
    while await store.write(answer_texts, SETTING, now, 50):
        pass
    rows = {row["id"]: row for row in await all_rows(store, MessageIn)}
    return [(rows[i]["verdict"], rows[i]["answer"]) for i in ids]


def said(text: str, msisdn: str | None = NUMBER, at: datetime = NOW, **other: Any) -> NewText:
    return new_text(msisdn, at=at, body=text.encode("utf-16-be"), data_coding=8, **other)


async def answers(store: Store) -> list[str]:
    return [row["text"] for row in await all_rows(store, MessageOut)]


async def test_a_registration_with_its_callback_and_its_answer(audience: Store) -> None:
    assert await come(audience, said("Đăng ký TSTN")) == [("register", "ok")]
    [row] = await all_rows(audience, Registration)
    assert (row["msisdn"], row["channel"], row["state"]) == (NUMBER, "sms", RegistrationState.OPEN)
    assert row["registered_at"] == NOW
    assert row["evidence"] == {"text": "Đăng ký TSTN", "note": None}
    assert row["campaign_id"] is not None
    [callback] = await all_rows(audience, Callback)
    assert callback["promise_at"] == NOW + timedelta(hours=48)
    assert await answers(audience) == [DEFAULTS["ok"]]


async def test_the_note_is_evidence_and_the_sender_is_registered(audience: Store) -> None:
    await come(audience, said("TSTN, 0901234567"))
    [row] = await all_rows(audience, Registration)
    assert row["msisdn"] == NUMBER
    assert row["evidence"]["note"] == "0901234567"


async def test_delivered_twice_is_one_text(audience: Store) -> None:
    first, again = said("TSTN"), said("TSTN", at=NOW + MINUTE)
    assert await come(audience, first) == [("register", "ok")]
    assert await come(audience, again) == [("register", None)]
    assert len(await all_rows(audience, Registration)) == 1
    assert len(await answers(audience)) == 1


async def test_delivered_twice_at_the_same_time_is_one_text(audience: Store) -> None:
    assert await come(audience, said("TSTN"), said("TSTN")) == [
        ("register", "ok"),
        ("register", None),
    ]
    assert len(await answers(audience)) == 1


async def test_a_second_request_is_told_the_day_of_the_first(audience: Store) -> None:
    await come(audience, said("TSTN"))
    later = NOW + timedelta(days=2)
    assert await come(audience, said("TSTN", at=later), now=later) == [("register", "already")]
    assert NOW.strftime("%d/%m/%Y") in (await answers(audience))[1]
    assert len(await all_rows(audience, Callback)) == 1


async def test_register_cancel_register(audience: Store) -> None:
    three = [said("TSTN"), said("HUY", at=NOW + 2 * MINUTE), said("TSTN", at=NOW + 4 * MINUTE)]
    assert await come(audience, *three) == [
        ("register", "ok"),
        ("cancel", "cancelled"),
        ("register", "ok"),
    ]
    states = [row["state"] for row in await all_rows(audience, Registration)]
    assert sorted(states) == [RegistrationState.CANCELLED, RegistrationState.OPEN]
    callbacks = [row["state"] for row in await all_rows(audience, Callback)]
    assert sorted(callbacks) == [CallbackState.CANCELLED, CallbackState.OPEN]


async def test_redelivered_out_of_order_after_a_lost_link(audience: Store) -> None:
    at = NOW + timedelta(seconds=20)
    await come(audience, said("TSTN"), said("HUY", at=NOW + timedelta(seconds=1)))
    assert await come(audience, said("TSTN", at=at), said("HUY", at=at)) == [
        ("register", None),
        ("cancel", None),
    ]
    [row] = await all_rows(audience, Registration)
    assert row["state"] == RegistrationState.CANCELLED


async def test_nothing_to_cancel_and_nothing_to_report(audience: Store) -> None:
    assert await come(audience, said("HUY TSTN"), said("KT", OTHER)) == [
        ("cancel", "none_standing"),
        ("status", "none_standing"),
    ]


async def test_status_of_what_is_really_there(audience: Store) -> None:
    await come(audience, said("TSTN"))
    assert await come(audience, said("KT TSTN")) == [("status", "status_open")]
    assert NOW.strftime("%d/%m/%Y") in (await answers(audience))[1]


async def test_not_in_the_audience_is_held_and_told_so(audience: Store) -> None:
    stranger = "+84999999999"
    assert await come(audience, said("TSTN", stranger)) == [("register", "ineligible")]
    assert await all_rows(audience, Registration) == []
    held = [row for row in await all_rows(audience, Event) if row["kind"] == "registration_held"]
    assert [row["msisdn"] for row in held] == [stranger]


async def test_opt_out_is_in_force_and_confirmed(audience: Store) -> None:
    assert await come(audience, said("Từ chối")) == [("opt_out", "opted_out")]
    assert [row["msisdn"] for row in await all_rows(audience, OptOut)] == [NUMBER]


@pytest.mark.parametrize("text", ["TSTM", "xin chào"])
async def test_the_syntax_for_what_is_no_request(audience: Store, text: str) -> None:
    [(_, answer)] = await come(audience, said(text))
    assert answer == "syntax"
    assert await all_rows(audience, Registration) == []


async def test_help(audience: Store) -> None:
    assert await come(audience, said("HD")) == [("help", "help")]


async def test_silence_for_what_is_empty_ours_or_of_no_subscriber(audience: Store) -> None:
    assert await come(
        audience, said("  "), said(DEFAULTS["ok"], OTHER), said("TSTN", None, source="9090")
    ) == [("empty", None), ("echo", None), ("not_a_subscriber", None)]
    assert await answers(audience) == []


async def test_what_cannot_be_decoded_is_kept_and_told_the_syntax(audience: Store) -> None:
    odd = new_text(body=b"\x00T\x00", data_coding=8)
    assert await come(audience, odd) == [("undecodable", "syntax")]
    [row] = await all_rows(audience, MessageIn)
    assert (row["body"], row["text"]) == (b"\x00T\x00", None)


async def test_one_more_than_the_most_is_answered_and_then_silence(audience: Store) -> None:
    many = [
        said(f"hello {chr(ord('a') + n)}", at=NOW + timedelta(seconds=n))
        for n in range(SETTING.most_an_hour + 4)
    ]
    given = [answer for _, answer in await come(audience, *many)]
    answered = SETTING.most_an_hour + 1
    assert given == ["syntax"] * answered + [None] * 3


async def test_in_silence_a_cancel_still_cancels(audience: Store) -> None:
    many = [said(f"hello {chr(ord('a') + n)}", at=NOW) for n in range(SETTING.most_an_hour + 1)]
    await come(audience, said("TSTN"), *many)
    assert await come(audience, said("HUY", at=NOW)) == [("cancel", None)]
    [row] = await all_rows(audience, Registration)
    assert row["state"] == RegistrationState.CANCELLED


async def test_a_long_text_of_parts_in_any_order(audience: Store) -> None:
    body = "TSTN số 12 ấp 3 xã Lương Hòa".encode("utf-16-be")
    parts = [
        new_text(body=body[:21], data_coding=8, part=(7, 8, 2, 1), at=NOW + MINUTE / 4),
        new_text(body=body[21:], data_coding=8, part=(7, 8, 2, 2)),
    ]
    assert await come(audience, parts[1]) == [(None, None)]
    await come(audience, parts[0])
    [row] = await all_rows(audience, Registration)
    assert row["evidence"]["note"] == "số 12 ấp 3 xã Lương Hòa"
    assert row["registered_at"] == NOW, "n is the receipt of the first part"
    assert len(await answers(audience)) == 1


async def test_parts_that_wait_too_long_are_read_as_they_are(audience: Store) -> None:
    part = new_text(body=b"TSTN so 12", part=(7, 8, 2, 1))
    assert await come(audience, part) == [(None, None)]
    late = NOW + timedelta(seconds=SETTING.join_seconds + 1)
    assert len(await audience.write(answer_texts, SETTING, late, 50)) == 1
    assert await answers(audience) == [DEFAULTS["ok"]]


async def test_read_again_changes_nothing(audience: Store) -> None:
    await come(audience, said("TSTN"))
    assert not await audience.write(answer_texts, SETTING, NOW + HOUR, 50)
    assert len(await answers(audience)) == 1


async def test_a_refusal_is_confirmed_once(audience: Store) -> None:
    later = NOW + HOUR
    assert await come(audience, said("TC")) == [("opt_out", "opted_out")]
    assert await come(audience, said("Từ chối", at=later), now=later) == [("opt_out", None)]
    assert len(await answers(audience)) == 1
    assert len(await all_rows(audience, OptOut)) == 2


async def closed_district(store: Store) -> None:
    """The phase of everybody's district is over since 31/03."""
    place = {"province_code": "86", "district_code": "861"}
    await store.write(lambda c: c.execute(update(Target).values(**place)).rowcount)
    await store.write(lambda c: c.execute(update(Campaign).values(by_phase=True)).rowcount)
    phase = NewPhase(Scheme.VN_2021, "86", "861", date(2021, 3, 26), date(2021, 3, 31))
    await store.write(phases.put, [phase], "lan", NOW)


async def test_who_is_late_is_registered_and_flagged(audience: Store) -> None:
    in_time = datetime(2021, 3, 31, 16, 59, tzinfo=NOW.tzinfo)  # 23:59 in Viet Nam
    await closed_district(audience)
    assert await come(audience, said("TSTN", at=in_time), said("TSTN", OTHER)) == [
        ("register", "ok"),
        ("register", "ok"),
    ]
    rows = {row["msisdn"]: row["evidence"] for row in await all_rows(audience, Registration)}
    assert rows[OTHER]["late_since"] == "2021-03-31"
    assert "late_since" not in rows[NUMBER]
    told = {
        row["msisdn"]: row["data"]["evidence"]
        for row in await all_rows(audience, Event)
        if row["kind"] == "registered"
    }
    assert told == rows


async def test_where_late_ones_are_not_taken_they_are_told_so_and_kept(audience: Store) -> None:
    await closed_district(audience)
    strict = replace(SETTING, accept_late=False)
    await take_in(audience, said("TSTN"))
    await audience.write(answer_texts, strict, NOW, 50)
    assert await all_rows(audience, Registration) == []
    assert await answers(audience) == [DEFAULTS["ineligible"]]
    [held] = [r for r in await all_rows(audience, Event) if r["kind"] == "registration_held"]
    assert held["data"]["late_since"] == "2021-03-31"
