"""Who wants no more invitations, by call or by text; and requests that are cancelled. I/O."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from domain.states import CallbackState, CampaignState, Channel, RegistrationState, TargetState
from store import audience, campaigns, consent, history, registrations, standing
from store.consent import OptedOut, OptOutAsked
from store.engine import Store, open_store
from store.models import Callback, Event, OptOut, Registration, Target
from store.registrations import Answer
from tests.rows import (
    BY_NINE,
    NOW,
    all_rows,
    asked,
    claim_some,
    make_campaign,
    numbers,
    wants_advice,
)

NUMBER, OTHER = "+84900000001", "+84900000002"
MINUTE = timedelta(minutes=1)
TEXT = (Channel.SMS, "7")


async def opt_out(store: Store, *refusals: OptOutAsked, after: timedelta = MINUTE) -> Any:
    return await store.write(consent.opt_out, refusals, NOW + after)


async def kinds(store: Store) -> list[str]:
    return [row["kind"] for row in await all_rows(store, Event)]


async def test_a_refusal_is_in_force_at_once_and_answered_with_both_times(store: Store) -> None:
    asks = OptOutAsked(NUMBER, NOW, "sms:1")
    told = OptedOut(NUMBER, NOW, NOW + MINUTE)
    assert await opt_out(store, asks) == [told]
    assert await opt_out(store, asks, asks, after=2 * MINUTE) == [told, told]
    later = OptOutAsked(NUMBER, NOW + MINUTE, "sms:2")
    assert await opt_out(store, later, after=3 * MINUTE) == [
        OptedOut(NUMBER, NOW + MINUTE, NOW + 3 * MINUTE)
    ]
    assert await store.read(consent.opted_out, [OTHER, NUMBER, NUMBER]) == {NUMBER}
    assert await store.read(consent.opted_out, []) == set()
    assert await opt_out(store) == []
    assert len(await all_rows(store, OptOut)) == 2
    assert await kinds(store) == ["opted_out", "opted_out"]


async def test_two_nodes_take_one_refusal_once(store: Store, store_url: str) -> None:
    other, asks = open_store(store_url), OptOutAsked(NUMBER, NOW, "sms:1")
    try:
        answers = await asyncio.gather(*(opt_out((store, other)[n % 2], asks) for n in range(10)))
    finally:
        await other.close()
    assert answers == [answers[0]] * 10
    assert await kinds(store) == ["opted_out"]


async def test_refusals_are_kept_for_ever(store: Store) -> None:
    await opt_out(store, OptOutAsked(NUMBER, NOW, "sms:1"))
    for change in ("DELETE FROM opt_outs", "UPDATE opt_outs SET msisdn = '+84'"):
        with pytest.raises(DBAPIError, match="append-only"):
            await store.write(lambda c, sql=change: c.exec_driver_sql(sql).rowcount)


async def test_a_number_that_opted_out_is_not_dialled_but_done(store: Store) -> None:
    campaign = await make_campaign(store, [NUMBER, OTHER])
    await opt_out(store, OptOutAsked(NUMBER, NOW, "sms:1"))
    await store.write(registrations.register, [asked(NUMBER, NOW)], BY_NINE)
    assert [call.msisdn for call in await claim_some(store, campaign)] == [OTHER]
    rows = {row["msisdn"]: row for row in await all_rows(store, Target)}
    assert (rows[NUMBER]["state"], rows[NUMBER]["outcome"]) == (TargetState.DONE, "opted_out")
    assert rows[NUMBER]["attempts_made"] == 0
    assert await claim_some(store, campaign) == []


async def test_the_latest_campaign_of_a_number_in_the_audience(store: Store) -> None:
    first = await make_campaign(store, numbers(3))
    other = await make_campaign(store, numbers(2, first=2), name="other")
    known = await store.read(audience.campaigns_of, [*numbers(5), *numbers(5)])
    one, two, both, last = numbers(4)
    assert known == {one: first.id, two: first.id, both: other.id, last: other.id}
    assert await store.read(audience.campaigns_of, []) == {}


async def test_the_campaign_that_invited_a_number_goes_before_the_next_months_draft(
    store: Store,
) -> None:
    [both, drafted] = numbers(2)
    stopped = await make_campaign(store, [both], name="before", state=CampaignState.STOPPED)
    invited = await make_campaign(store, [both], state=CampaignState.DRAFT)
    draft = await make_campaign(store, numbers(2), name="next", state=CampaignState.DRAFT)
    assert await answered(store) == {both: stopped.id, drafted: draft.id}
    await store.write(campaigns.move, invited, CampaignState.RUNNING, NOW + MINUTE)
    assert await answered(store) == {both: invited.id, drafted: draft.id}
    again = await make_campaign(store, [both], name="again")
    assert again.started_at < NOW + MINUTE
    assert await answered(store) == {both: invited.id, drafted: draft.id}


async def answered(store: Store) -> dict[str, int]:
    return await store.read(audience.campaigns_of, numbers(2))


async def cancel(store: Store, source: tuple[str, str] = TEXT) -> Registration | None:
    return await store.write(standing.cancel, NUMBER, NOW + MINUTE, source)


async def test_a_request_is_cancelled_with_its_call_back_and_no_other(store: Store) -> None:
    await store.write(registrations.register, [asked(NUMBER, NOW), asked(OTHER, NOW)], BY_NINE)
    await store.write(
        lambda c: registrations.callbacks.promise_advice(c, [wants_advice(NUMBER, NOW)], BY_NINE)
    )
    gone = await cancel(store)
    assert gone is not None
    assert (gone.msisdn, gone.state, gone.registered_at) == (NUMBER, "cancelled", NOW)
    rows = {row["msisdn"]: row["state"] for row in await all_rows(store, Registration)}
    assert rows == {NUMBER: RegistrationState.CANCELLED, OTHER: RegistrationState.OPEN}
    calls = {(row["msisdn"], row["kind"]): row["state"] for row in await all_rows(store, Callback)}
    assert calls == {
        (NUMBER, "confirm"): CallbackState.CANCELLED,
        (NUMBER, "advice"): CallbackState.OPEN,
        (OTHER, "confirm"): CallbackState.OPEN,
    }
    told = [e for e in await store.read(history.timeline, NUMBER) if "cancelled" in e["kind"]]
    assert [entry["kind"] for entry in told] == ["registration_cancelled", "callback_cancelled"]
    assert (told[0]["channel"], told[0]["source_id"], told[1]["callback"]) == (
        "sms",
        "7",
        "confirm",
    )


async def test_one_source_cancels_once_even_if_asked_again_after_a_new_request(
    store: Store,
) -> None:
    await store.write(registrations.register, [asked(NUMBER, NOW)], BY_NINE)
    first = await cancel(store)
    assert await store.write(registrations.register, [asked(NUMBER, NOW)], BY_NINE) == [
        Answer.REGISTERED
    ]
    assert await cancel(store) == first
    assert list(await store.read(standing.standing, [NUMBER])) == [NUMBER]
    again = await cancel(store, (Channel.SMS, "8"))
    assert again is not None
    assert again != first
    assert (await kinds(store)).count("registration_cancelled") == 2


async def test_there_is_nothing_to_cancel(store: Store) -> None:
    assert await cancel(store) is None
    await store.write(registrations.register, [asked(OTHER, NOW)], BY_NINE)
    assert await cancel(store) is None
    assert "registration_cancelled" not in await kinds(store)


async def test_what_stands(store: Store) -> None:
    await store.write(registrations.register, [asked(NUMBER, NOW), asked(OTHER, NOW)], BY_NINE)
    await cancel(store)
    found = await store.read(standing.standing, [NUMBER, OTHER, "+84900000003"])
    assert {number: each.registered_at for number, each in found.items()} == {OTHER: NOW}
    assert found[OTHER].id
    assert await store.read(standing.standing, []) == {}
