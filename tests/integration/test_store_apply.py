"""Facts of one call, told twice, late, in any order and in any batches: the same rows. I/O."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.dispositions import Disposition
from domain.states import AttemptState, QueueOutcome
from store import attempts
from store.apply import apply
from store.claims import Claimed
from store.engine import Store
from store.facts import AgentConnected, Fact, HandedOver, LeftAgents
from store.models import Attempt, Callback, Event, KeyPress, Registration
from tests.rows import (
    BY_NINE,
    NOW,
    all_rows,
    answered,
    asked,
    claim_some,
    ended,
    make_campaign,
    numbers,
    pressed,
    wants_advice,
)

SECOND = timedelta(seconds=1)


def story(call: Claimed) -> list[Fact]:
    """A call with all that can be told of one; its end was unknown before it was known."""
    source, campaign_id = call.attempt_id, call.campaign_id
    ringing, up = NOW + 2 * SECOND, NOW + 9 * SECOND
    return [
        answered(call, up),
        pressed(call, "3", NOW + 12 * SECOND),
        HandedOver(call.attempt_id, NOW + 12 * SECOND, NOW + timedelta(hours=1)),
        AgentConnected(call.attempt_id, 7, NOW + 13 * SECOND),
        LeftAgents(call.attempt_id, QueueOutcome.CONNECTED, NOW + 20 * SECOND),
        wants_advice(call.msisdn, NOW + 13 * SECOND, source, campaign_id),
        pressed(call, "1", NOW + 14 * SECOND, "handing_over"),
        asked(call.msisdn, NOW + 14 * SECOND, source, campaign_id=campaign_id),
        ended(call, Disposition.UNKNOWN, NOW + 15 * SECOND, answered_at=up),
        ended(
            call,
            Disposition.ANSWERED,
            NOW + 20 * SECOND,
            cause=16,
            tech_cause=200,
            ringing_at=ringing,
            answered_at=up,
        ),
    ]


async def tell(store: Store, *batches: Sequence[Fact]) -> None:
    for batch in batches:
        await store.write(apply, batch, BY_NINE)


def _without_ids(row: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    own = {"id", "attempt_id", "target_id", "msisdn", "source_id", "registration_id", "once"}
    return tuple(
        (name, str(value).replace(str(row.get("attempt_id")), "…"))
        for name, value in row.items()
        if name not in own and not isinstance(value, dict)
    )


async def what_is_known(store: Store, call: Claimed) -> dict[str, Any]:
    """All rows of one call or its number, without what only names them."""
    known: dict[str, Any] = {}
    for table in (Attempt, KeyPress, Registration, Callback, Event):
        known[table.__name__] = sorted(
            _without_ids(row)
            for row in await all_rows(store, table)
            if call.msisdn == row.get("msisdn")
            or call.attempt_id in (row.get("attempt_id"), row.get("id"))
        )
    return known


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    order=st.permutations([*range(10), *range(10)]),
    cuts=st.lists(st.integers(0, 20), max_size=6).map(sorted),
)
async def test_any_order_any_batches_and_twice_over_give_the_same_rows(
    store: Store, order: list[int], cuts: list[int]
) -> None:
    straight, crooked = await _two_calls(store)
    await tell(store, story(straight))
    facts = [story(crooked)[number] for number in order]
    edges = [0, *cuts, len(facts)]
    await tell(store, *(facts[a:b] for a, b in pairwise(edges) if a < b))
    told, expected = await what_is_known(store, crooked), await what_is_known(store, straight)
    assert told == expected
    assert len(expected["KeyPress"]) == len(expected["Callback"]) == 2
    assert "ended" in str(expected["Attempt"])


async def _two_calls(store: Store) -> tuple[Claimed, Claimed]:
    """Calls to two numbers that no example before has used."""
    used = len(await all_rows(store, Attempt))
    campaign = await make_campaign(store, numbers(2, first=used), f"c{used}")
    one, two = await claim_some(store, campaign)
    return one, two


async def call_of(store: Store) -> Claimed:
    [call] = await claim_some(store, await make_campaign(store, numbers(1)))
    return call


async def attempt_row(store: Store) -> dict[str, Any]:
    [row] = await all_rows(store, Attempt)
    return row


async def test_nothing_replaces_a_known_end(store: Store) -> None:
    call = await call_of(store)
    busy = ended(call, Disposition.BUSY, NOW + 5 * SECOND, cause=17, tech_cause=486)
    await tell(store, [busy])
    stands = await attempt_row(store)
    await tell(store, [ended(call, Disposition.UNKNOWN, NOW + 60 * SECOND)])
    await tell(store, [ended(call, Disposition.NO_ANSWER, NOW + 90 * SECOND, cause=19)])
    assert await attempt_row(store) == stands
    assert (stands["disposition"], stands["ended_at"]) == ("busy", NOW + 5 * SECOND)


async def test_a_second_unknown_end_does_not_move_the_first(store: Store) -> None:
    """Retries are counted from the end: it may not wander by being told again, later."""
    call = await call_of(store)
    await tell(store, [ended(call, Disposition.UNKNOWN, NOW + 5 * SECOND)])
    await tell(store, [ended(call, Disposition.UNKNOWN, NOW + 600 * SECOND)])
    assert (await attempt_row(store))["ended_at"] == NOW + 5 * SECOND


async def test_an_answer_told_after_the_end_does_not_open_the_attempt(store: Store) -> None:
    call = await call_of(store)
    await tell(store, [ended(call, Disposition.UNKNOWN, NOW + 30 * SECOND)])
    await tell(store, [answered(call, NOW + 9 * SECOND)])
    row = await attempt_row(store)
    assert (row["state"], row["answered_at"]) == (AttemptState.ENDED, NOW + 9 * SECOND)


async def test_an_answer_is_dated_by_its_first_report(store: Store) -> None:
    call = await call_of(store)
    await tell(store, [answered(call, NOW + 9 * SECOND)], [answered(call, NOW + 11 * SECOND)])
    assert (await attempt_row(store))["answered_at"] == NOW + 9 * SECOND


async def test_a_key_pressed_twice_is_two_and_delivered_twice_is_one(store: Store) -> None:
    call = await call_of(store)
    first, second = pressed(call, "2", NOW), pressed(call, "2", NOW + SECOND)
    await tell(store, [first, second, first], [second])
    keys = await all_rows(store, KeyPress)
    assert [(row["key"], row["pressed_at"]) for row in keys] == [("2", NOW), ("2", NOW + SECOND)]


async def test_open_attempts_are_found_by_node_by_deadline_and_by_trunk(store: Store) -> None:
    campaign = await make_campaign(store, numbers(4))
    here = await claim_some(store, campaign, limit=2)
    there = await claim_some(store, campaign, limit=2, node="node2", trunk="south")
    await tell(store, [ended(here[1], Disposition.BUSY, NOW)], [answered(here[0], NOW)])

    assert ids(await store.read(attempts.open_on, "node1")) == {here[0].attempt_id}
    assert ids(await store.read(attempts.open_on, "node2")) == {c.attempt_id for c in there}
    assert await store.read(attempts.open_channels) == {
        (campaign.id, "carrier"): 1,
        (campaign.id, "south"): 2,
    }
    deadline = (await store.read(attempts.open_on, "node1"))[0].deadline_at
    assert await store.read(attempts.overdue, "node1", deadline) == []
    late = deadline + SECOND
    assert ids(await store.read(attempts.overdue, "node1", late)) == {here[0].attempt_id}
    orphaned = deadline + timedelta(hours=1) + SECOND
    everything = {here[0].attempt_id, *(call.attempt_id for call in there)}
    assert ids(await store.read(attempts.overdue, "node1", orphaned)) == everything

    await store.write(attempts.adopted, [here[0].attempt_id])
    await store.write(attempts.adopted, [])
    adoptions = {row["id"]: row["adoptions"] for row in await all_rows(store, Attempt)}
    assert adoptions[here[0].attempt_id] == 1
    assert sum(adoptions.values()) == 1


def ids(rows: Sequence[Attempt]) -> set[UUID]:
    return {row.id for row in rows}
