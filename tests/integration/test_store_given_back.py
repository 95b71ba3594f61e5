"""What was claimed and not written, on both databases: it goes out later, and only once. I/O."""

from collections.abc import Sequence

import pytest

from domain.states import PostKind
from store import outbox, outcomes
from store.engine import Store
from store.models import MessageOut
from store.outbox import Outgoing
from store.outcomes import Refused, Sent, Unknown
from tests.rows import NOW, all_rows
from tests.texts import OTHER, SECOND, claim, give_back, new_post

LATER = NOW + 60 * SECOND
PERMANENT, THROTTLED = 0x0B, 0x58


async def long_text(store: Store, kind: PostKind = PostKind.INVITATION) -> list[Outgoing]:
    """The three parts of one that is claimed."""
    await store.write(outbox.post, [new_post(kind=kind, once="1:1", parts=3)], NOW)
    return await claim(store)


def parts(outs: Sequence[Outgoing]) -> list[int]:
    return [out.part for out in outs]


@pytest.mark.parametrize("is_answered", [True, False])
async def test_the_rest_of_a_text_whose_head_went_out_follows(
    store: Store, is_answered: bool
) -> None:
    head, *rest = await long_text(store)
    told = Sent(head.id, "a", NOW) if is_answered else Unknown(head.id, 1, NOW)
    await store.write(outcomes.record, [told])
    await give_back(store, rest)
    await store.write(outbox.post, [new_post(OTHER, PostKind.INVITATION, once="1:2")], LATER)
    [second] = await claim(store, 1, now=LATER)
    assert (second.id, second.tries) == (rest[0].id, 1)
    third, other = await claim(store, 2, now=LATER)  # a PDU each
    assert (third.id, third.tries, other.msisdn) == (rest[1].id, 1, OTHER)
    assert await claim(store, now=LATER) == []


async def test_the_rest_waits_until_its_head_has_its_answer(store: Store) -> None:
    head, *rest = await long_text(store)
    await give_back(store, rest)
    assert await claim(store) == []
    await store.write(outcomes.record, [Refused(head.id, 1, THROTTLED, LATER, NOW)])
    assert await claim(store) == []
    again = await claim(store, 1, now=LATER)
    assert [(out.part, out.tries) for out in again] == [(1, 2), (2, 1), (3, 1)]


async def test_the_rest_of_a_text_whose_head_was_refused_ends_with_it(store: Store) -> None:
    head, *rest = await long_text(store)
    await give_back(store, rest)
    await store.write(outcomes.record, [Refused(head.id, 1, PERMANENT, None, NOW)])
    await store.write(outbox.post, [new_post(OTHER, PostKind.INVITATION, once="1:2")], NOW)
    [other] = await claim(store)
    assert other.msisdn == OTHER
    ended = [(row["state"], row["tries"]) for row in await all_rows(store, MessageOut)]
    assert sorted(ended) == [("failed", 0), ("failed", 0), ("failed", 1), ("sending", 1)]
    assert await claim(store, now=LATER) == []


async def test_a_later_part_that_was_throttled_takes_nobody_along(store: Store) -> None:
    head, second, third = await long_text(store, PostKind.MANUAL)
    await store.write(
        outcomes.record,
        [Sent(head.id, "a", NOW), Refused(second.id, 1, THROTTLED, LATER, NOW)],
    )
    await give_back(store, [third])
    assert parts(await claim(store)) == [3]
    assert parts(await claim(store, now=LATER)) == [2]


async def test_a_text_of_which_nothing_went_out_comes_again_as_it_was(store: Store) -> None:
    await give_back(store, await long_text(store))
    assert [(out.part, out.tries) for out in await claim(store, 1)] == [(1, 1), (2, 1), (3, 1)]


async def test_a_give_back_that_is_told_again_takes_nothing_from_another_bind(
    store: Store,
) -> None:
    """As after a COMMIT whose answer was lost."""
    await store.write(outbox.post, [new_post(kind=PostKind.INVITATION, once="1:1")], NOW)
    one = await claim(store)
    await give_back(store, one)
    [other] = await claim(store, now=NOW + SECOND, bind="node2:acc:1")
    await give_back(store, one)
    assert await claim(store, now=LATER) == []
    await store.write(outcomes.record, [Sent(other.id, "a", LATER)])
    await give_back(store, one)
    assert [row["state"] for row in await all_rows(store, MessageOut)] == ["accepted"]


async def test_a_give_back_that_is_told_again_takes_nothing_from_a_later_claim(
    store: Store,
) -> None:
    await store.write(outbox.post, [new_post(kind=PostKind.INVITATION, once="1:1")], NOW)
    one = await claim(store)
    await give_back(store, one)
    [again] = await claim(store, now=NOW + SECOND)
    await give_back(store, one)
    assert await claim(store, now=LATER) == []
    await give_back(store, [again], NOW + SECOND)
    [third] = await claim(store, now=LATER)
    assert third.tries == 1
