"""What is held on one number: all of it is shown, and what may go is taken out. I/O."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from domain.dispositions import Disposition
from domain.errors import InputError
from domain.states import TargetState
from sms.answering import answer_texts
from store import attempts, consent, outbox, outcomes, subscribers
from store.claims import Claimed
from store.engine import Store
from store.models import Audit, Base, Event, MessageIn, OptOut, SmsReference, Target, table
from store.outcomes import Sent
from store.settlement import Verdict, settle
from tests.integration.test_sms_answering import SETTING, said
from tests.rows import NOW, all_rows, claim_some, ended, make_campaign, pressed
from tests.texts import NUMBER, OTHER, claim, new_post, take_in

DAY = timedelta(days=1)


async def live(store: Store) -> Claimed:
    """A number that is called, presses keys, texts a question, and refuses by text."""
    campaign = await make_campaign(store, [NUMBER, OTHER])
    calls = {call.msisdn: call for call in await claim_some(store, campaign)}
    call = calls[NUMBER]
    await store.write(attempts.record_keys, [pressed(call, "2", NOW)])
    ends = [ended(each, Disposition.ANSWERED, NOW) for each in calls.values()]
    await store.write(attempts.record_ended, ends)
    await store.write(settle, [over(each) for each in calls.values()], NOW)
    await store.write(outbox.next_reference, "9231", NUMBER)
    await take_in(store, said("hướng dẫn"), said("TC", at=NOW + DAY))
    while await store.write(answer_texts, SETTING, NOW + DAY, 1):
        pass
    outs = await claim(store, now=NOW + DAY)
    await store.write(outcomes.record, [Sent(out.id, f"m{out.id}", NOW) for out in outs])
    return call


def over(call: Claimed) -> Verdict:
    return Verdict(call.attempt_id, call.target_id, Disposition.ANSWERED, 1, None)


async def erase(store: Store, days: int = 3) -> dict[str, int]:
    return await store.write(subscribers.erase, NUMBER, "lan", NOW + days * DAY)


async def tables_with(store: Store, number: str) -> set[str]:
    """The tables in which the number stands anywhere."""
    found = set()
    for mapper in Base.registry.mappers:
        row: Any = mapper.class_
        cells = str(await all_rows(store, row))
        if number in cells:
            found.add(table(row).name)
    return found


async def test_all_that_is_held_is_given_as_json(store: Store) -> None:
    call = await live(store)
    held = await store.write(subscribers.export, NUMBER, "lan", NOW)
    stands_in = await tables_with(store, NUMBER) - {"sms_references"}  # only a counter
    assert {name for name, rows in held.items() if rows} == stands_in | {"key_presses"}
    assert held["attempts"][0]["id"] == call.attempt_id
    assert [row["text"] for row in held["messages_in"]] == ["hướng dẫn", "TC"]
    orjson.dumps(held, default=str)
    [looked] = [r for r in await all_rows(store, Audit) if r["action"] == "subscriber_exported"]
    assert (looked["subject"], looked["data"]) == ("090****001", {"by": "lan"})
    assert not any((await store.read(subscribers.held, "+84999999999")).values())


async def test_what_the_law_does_not_want_kept_is_taken_out(store: Store) -> None:
    await live(store)
    others = [row for row in await all_rows(store, Target) if row["msisdn"] == OTHER]
    changed = await erase(store)
    assert (changed["targets"], changed["attempts"], changed["messages_in"]) == (1, 1, 1)
    kept = {"opt_outs", "events", "messages_in", "messages_out"}
    assert await tables_with(store, NUMBER) == kept
    texts = {row["msisdn"]: row["text"] for row in await all_rows(store, MessageIn)}
    assert texts == {"#1": None, NUMBER: "TC"}
    assert [row for row in await all_rows(store, Target) if row["msisdn"] == OTHER] == others
    [done] = [r for r in await all_rows(store, Audit) if r["action"] == "subscriber_erased"]
    assert (done["data"]["by"], done["data"]["rows"]["attempts"]) == ("lan", 1)
    assert sum((await erase(store)).values()) == 0


async def test_a_refusal_stays_a_year_as_text_and_for_ever_as_a_refusal(store: Store) -> None:
    await live(store)
    await erase(store, days=367)
    assert await tables_with(store, NUMBER) == {"opt_outs", "events"}
    assert await store.read(consent.opted_out, [NUMBER]) == {NUMBER}
    assert len(await all_rows(store, OptOut)) == 1
    assert await all_rows(store, Event)
    assert await all_rows(store, SmsReference) == []


async def test_who_waits_to_be_called_is_not_called_any_more(store: Store) -> None:
    campaign = await make_campaign(store, [NUMBER])
    await erase(store)
    [row] = await all_rows(store, Target)
    assert (row["state"], row["outcome"], row["attributes"]) == (TargetState.DONE, "erased", {})
    assert await claim_some(store, campaign) == []


async def test_nothing_is_taken_out_from_under_what_is_under_way(store: Store) -> None:
    campaign = await make_campaign(store, [NUMBER])
    [call] = await claim_some(store, campaign)
    with pytest.raises(InputError, match="something in attempts is still under way"):
        await erase(store)
    await store.write(attempts.record_ended, [ended(call, Disposition.BUSY, NOW)])
    with pytest.raises(InputError, match="something in targets is still under way"):
        await erase(store)
    await store.write(settle, [over(call)], NOW)
    with pytest.raises(InputError, match="within the last 24 hours"):
        await erase(store, days=0)
    assert await tables_with(store, NUMBER) == {"targets", "attempts"}
    await store.write(outbox.post, [new_post()], NOW)
    with pytest.raises(InputError, match="something in messages_out is still under way"):
        await erase(store)
