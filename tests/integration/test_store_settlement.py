"""What follows from an ended attempt: the rules judge each once, counted from its end. I/O."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from dialer.retry import RetryRule, rules_to_row
from dialer.settling import settle_ended
from domain.dispositions import Disposition
from domain.states import TargetState
from store.apply import apply
from store.claims import Claimed
from store.engine import Store, open_store
from store.facts import Fact
from store.models import Attempt, Campaign, Target
from store.settlement import unsettled
from tests.rows import BY_NINE, NOW, all_rows, claim_some, ended, make_campaign, numbers

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
RULES = rules_to_row(
    {
        Disposition.BUSY: RetryRule(max=2, delay_seconds=900),
        Disposition.NO_ANSWER: RetryRule(max=2, delay_seconds=3600, factor=2),
        Disposition.UNKNOWN: RetryRule(max=1, delay_seconds=4 * 3600),
    }
)


async def end(store: Store, *facts: Fact, now: datetime = NOW) -> None:
    """Tell the ends, and let the rules judge."""
    await store.write(apply, facts, BY_NINE)
    await store.write(settle_ended, now)


async def targets(store: Store) -> list[tuple[Any, ...]]:
    return [
        (row["state"], row["outcome"], row["attempts_made"], row["not_before"])
        for row in await all_rows(store, Target)
    ]


async def dial(store: Store, campaign: Campaign, now: datetime = NOW) -> Claimed:
    [call] = await claim_some(store, campaign, now=now)
    return call


async def one_number(store: Store, **knobs: Any) -> Campaign:
    return await make_campaign(store, numbers(1), **({"retry": RULES} | knobs))


async def test_the_retry_is_counted_from_the_end_not_from_the_verdict(store: Store) -> None:
    campaign = await one_number(store)
    call = await dial(store, campaign)
    ended_at = NOW + 41 * SECOND
    await end(store, ended(call, Disposition.BUSY, ended_at), now=ended_at + 5 * MINUTE)
    assert await targets(store) == [(TargetState.READY, None, 1, ended_at + 15 * MINUTE)]
    [row] = await all_rows(store, Attempt)
    assert row["settled_at"] == ended_at + 5 * MINUTE


async def test_fixed_and_multiplied_delays_and_the_last_outcome(store: Store) -> None:
    campaign = await one_number(store, max_attempts=20)
    at = NOW
    for disposition, delay in (
        (Disposition.NO_ANSWER, HOUR),
        (Disposition.BUSY, 15 * MINUTE),
        (Disposition.NO_ANSWER, 2 * HOUR),
        (Disposition.BUSY, 15 * MINUTE),
    ):
        await end(store, ended(await dial(store, campaign, at), disposition, at + 30 * SECOND))
        at += 30 * SECOND + delay
        [(state, _, _, not_before)] = await targets(store)
        assert (state, not_before) == (TargetState.READY, at)
        assert await claim_some(store, campaign, now=at - SECOND) == []
    await end(store, ended(await dial(store, campaign, at), Disposition.NO_ANSWER, at))
    [(state, outcome, made, _)] = await targets(store)
    assert (state, outcome, made) == (TargetState.DONE, Disposition.NO_ANSWER, 5)


async def test_the_hard_cap_ends_a_target_whose_rule_would_go_on(store: Store) -> None:
    campaign = await one_number(store, max_attempts=2)
    await end(store, ended(await dial(store, campaign), Disposition.BUSY, NOW))
    at = NOW + 15 * MINUTE
    await end(store, ended(await dial(store, campaign, at), Disposition.NO_ANSWER, at))
    [(state, outcome, made, _)] = await targets(store)
    assert (state, outcome, made) == (TargetState.DONE, Disposition.NO_ANSWER, 2)


async def test_without_a_rule_the_first_end_is_the_last(store: Store) -> None:
    campaign = await one_number(store)
    await end(store, ended(await dial(store, campaign), Disposition.ANSWERED, NOW))
    [(state, outcome, made, _)] = await targets(store)
    assert (state, outcome, made) == (TargetState.DONE, Disposition.ANSWERED, 1)


async def test_what_was_not_sent_counts_for_nothing(store: Store) -> None:
    """Not as an attempt, not towards the cap, however often."""
    campaign = await one_number(store, max_attempts=1)
    at = NOW
    for _ in range(3):
        await end(store, ended(await dial(store, campaign, at), Disposition.NOT_DIALLED, at))
        [(state, outcome, made, not_before)] = await targets(store)
        assert (state, outcome, made) == (TargetState.READY, None, 0)
        assert at < not_before <= at + 2 * MINUTE
        at = not_before
    await end(store, ended(await dial(store, campaign, at), Disposition.BUSY, at))
    [(state, outcome, made, _)] = await targets(store)
    assert (state, outcome, made) == (TargetState.DONE, Disposition.BUSY, 1)


async def test_a_verdict_is_given_once(store: Store) -> None:
    campaign = await one_number(store)
    call = await dial(store, campaign)
    await end(store, ended(call, Disposition.BUSY, NOW))
    stands = await targets(store), await all_rows(store, Attempt)
    await end(store, ended(call, Disposition.BUSY, NOW), now=NOW + HOUR)
    assert (await targets(store), await all_rows(store, Attempt)) == stands


async def test_open_attempts_await_no_verdict_and_the_oldest_ends_are_first(store: Store) -> None:
    campaign = await make_campaign(store, numbers(4), retry=RULES)
    calls = await claim_some(store, campaign)
    facts = [ended(call, Disposition.BUSY, NOW - turn * MINUTE) for turn, call in enumerate(calls)]
    await store.write(apply, facts[1:], BY_NINE)
    waiting = await store.write(unsettled, 2)
    assert [row.attempt_id for row in waiting] == [calls[3].attempt_id, calls[2].attempt_id]
    assert {row.alike for row in waiting} == {1}
    await store.write(settle_ended, NOW)
    assert await store.write(unsettled, 10) == []
    assert [state for state, *_ in await targets(store)].count(TargetState.CLAIMED) == 1


async def test_two_servers_judge_each_end_once(store: Store, store_url: str) -> None:
    campaign = await make_campaign(store, numbers(60), retry=RULES)
    calls = await claim_some(store, campaign, limit=60)
    await store.write(apply, [ended(call, Disposition.BUSY, NOW) for call in calls], BY_NINE)
    other = open_store(store_url)
    try:
        await asyncio.gather(
            *((store, other)[turn % 2].write(settle_ended, NOW) for turn in range(8))
        )
    finally:
        await other.close()
    assert set(await targets(store)) == {(TargetState.READY, None, 1, NOW + 15 * MINUTE)}
    assert all(row["settled_at"] == NOW for row in await all_rows(store, Attempt))


async def test_an_end_that_becomes_known_after_the_verdict_is_judged_again(store: Store) -> None:
    """Another server's spool comes late: who is now known to have answered is not called again."""
    campaign = await make_campaign(store, numbers(2), retry=RULES)
    answering, busy = await claim_some(store, campaign)
    lost = NOW + MINUTE
    unknown = [ended(call, Disposition.UNKNOWN, lost) for call in (answering, busy)]
    await end(store, *unknown)
    assert {state for state, *_ in await targets(store)} == {TargetState.READY}
    known: Sequence[Fact] = [
        ended(answering, Disposition.ANSWERED, lost, cause=16, answered_at=NOW),
        ended(busy, Disposition.BUSY, lost, cause=17),
    ]
    await end(store, *known, now=lost + MINUTE)
    (state, outcome, *_), (other_state, _, made, due) = await targets(store)
    assert (state, outcome) == (TargetState.DONE, Disposition.ANSWERED)
    assert (other_state, made, due) == (TargetState.READY, 1, lost + 15 * MINUTE)


async def test_an_end_that_becomes_known_while_the_next_call_is_on_disturbs_nothing(
    store: Store,
) -> None:
    campaign = await one_number(store)
    first = await dial(store, campaign)
    await end(store, ended(first, Disposition.UNKNOWN, NOW))
    later = NOW + 4 * HOUR
    second = await dial(store, campaign, later)
    await end(store, ended(first, Disposition.BUSY, NOW, cause=17), now=later)
    [(state, outcome, made, _)] = await targets(store)
    assert (state, outcome, made) == (TargetState.CLAIMED, None, 2)
    await end(store, ended(second, Disposition.ANSWERED, later))
    [(state, outcome, made, _)] = await targets(store)
    assert (state, outcome, made) == (TargetState.DONE, Disposition.ANSWERED, 2)


async def test_an_end_that_becomes_known_late_does_not_bring_a_retry_forward(
    store: Store,
) -> None:
    """It is the first call's, and the second has ended meanwhile: the second one's delay holds."""
    campaign = await one_number(store)
    first = await dial(store, campaign)
    await end(store, ended(first, Disposition.UNKNOWN, NOW))
    later = NOW + 4 * HOUR
    await end(store, ended(await dial(store, campaign, later), Disposition.BUSY, later), now=later)
    stands = await targets(store)
    assert stands == [(TargetState.READY, None, 2, later + 15 * MINUTE)]
    await end(store, ended(first, Disposition.NO_ANSWER, NOW, cause=19), now=later + SECOND)
    assert await targets(store) == stands
