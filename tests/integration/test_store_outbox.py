"""Texts to subscribers: posted once, claimed once, never sent again but as the rules say. I/O."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError

from domain.states import PostKind
from sms.esme import listener
from sms.resending import outcome_of
from store import consent, outbox, outcomes
from store.consent import OptOutAsked
from store.engine import Store, open_store
from store.models import MessageOut
from store.outbox import PartRow
from store.outcomes import Refused, Sent, Unknown
from tests.rows import NOW, all_rows
from tests.texts import (
    BIND,
    NUMBER,
    OTHER,
    SECOND,
    claim,
    new_post,
    new_text,
    post_reply,
    send,
    take_in,
)

INVITATION, MANUAL = PostKind.INVITATION, PostKind.MANUAL
LATER = NOW + 60 * SECOND


async def post(store: Store, *posts: outbox.Post) -> list[int]:
    return await store.write(outbox.post, posts, NOW)


async def record(store: Store, *told: outcomes.Outcome) -> None:
    await store.write(outcomes.record, told)


async def states(store: Store) -> list[str]:
    return [row["state"] for row in await all_rows(store, MessageOut)]


async def only(store: Store) -> dict[str, Any]:
    [row] = await all_rows(store, MessageOut)
    return row


async def test_a_text_is_posted_claimed_and_accepted(store: Store) -> None:
    parts = (PartRow(b"\x05\0", 8, 0x40, ((0x020C, b"\0\7"), (0x0204, b""))),)
    [message] = await post(store, new_post(parts=parts, campaign_id=None))
    [out] = await claim(store)
    assert (out.id, out.message, out.part, out.total, out.tries) == (message, message, 1, 1, 1)
    assert (out.msisdn, out.source, out.kind, out.posted_at) == (NUMBER, "9231", MANUAL, NOW)
    assert (out.payload, out.data_coding, out.esm_class) == (b"\x05\0", 8, 0x40)
    assert out.tlvs == ((0x020C, b"\0\7"), (0x0204, b""))
    row = await only(store)
    assert (row["state"], row["bind"], row["sending_at"]) == ("sending", BIND, NOW)
    await record(store, Sent(out.id, "a1", LATER))
    row = await only(store)
    assert (row["state"], row["message_id"], row["responded_at"]) == ("accepted", "a1", LATER)
    assert await claim(store, now=LATER) == []


async def test_a_key_is_posted_once_and_gives_the_standing_id(store: Store) -> None:
    twice = new_post(once="invite:1:x", parts=3)
    first, second = await post(store, twice, twice)
    assert first == second
    new, again, anew = await post(store, new_post(), twice, new_post(once="other", parts=2))
    assert again == first
    assert len({first, new, anew}) == 3
    assert [row["id"] for row in await all_rows(store, MessageOut) if row["head_id"] is None] == [
        first,
        *sorted((new, anew)),
    ]
    assert len(await all_rows(store, MessageOut)) == 3 + 1 + 2
    assert await post(store) == []
    assert (await post(store, twice))[0] == first


async def test_a_text_has_one_reply_whoever_writes_it(store: Store) -> None:
    [came] = await take_in(store, new_text())
    reply = new_post(kind=PostKind.REPLY, in_reply_to=came, text="ok")
    other = new_post(kind=PostKind.REPLY, in_reply_to=came, text="something else")
    assert await post(store, reply) == await post(store, other) == await post(store, reply)
    assert [row["text"] for row in await all_rows(store, MessageOut)] == ["ok"]
    with pytest.raises(IntegrityError):
        await post(store, new_post(kind=PostKind.REPLY))


async def test_two_nodes_post_a_key_once(store: Store, store_url: str) -> None:
    other = open_store(store_url)
    try:
        ids = await asyncio.gather(
            *(post((store, other)[n % 2], new_post(once="x", parts=2)) for n in range(10))
        )
    finally:
        await other.close()
    assert len({message for [message] in ids}) == 1
    assert len(await all_rows(store, MessageOut)) == 2


async def test_references_count_for_each_pair_and_wrap(store: Store) -> None:
    async def take(destination: str) -> int:
        return await store.write(outbox.next_reference, "9231", destination)

    assert [await take(NUMBER), await take(OTHER), await take(NUMBER)] == [1, 1, 2]
    await store.write(
        lambda c: c.exec_driver_sql("UPDATE sms_references SET reference = 65535").rowcount
    )
    assert [await take(NUMBER), await take(NUMBER)] == [0, 1]


async def test_replies_go_first_then_what_is_due_first(store: Store) -> None:
    early, late = NOW - 2 * SECOND, NOW - SECOND
    ids = await post(
        store,
        new_post(kind=INVITATION, once="i", not_before=early),
        new_post(not_before=late),
        new_post(not_before=early),
        new_post(not_before=NOW + SECOND),
        new_post(account="acc2"),
    )
    reply = await post_reply(store)
    order = [reply, ids[2], ids[1], ids[0]]
    assert [out.id for out in await claim(store, 2)] == order[:2]
    assert [out.id for out in await claim(store, 9)] == order[2:]
    assert await claim(store, 9) == []
    assert [out.id for out in await claim(store, now=LATER)] == [ids[3]]
    assert [out.id for out in await claim(store, account="acc2")] == [ids[4]]


async def test_parts_come_together_and_in_order_whatever_the_limit(store: Store) -> None:
    one, long, last = await post(
        store, new_post(), new_post(parts=4, text="long"), new_post(not_before=NOW + SECOND)
    )
    found = await claim(store, 2)
    assert [(out.message, out.part) for out in found] == [
        (one, 1),
        *((long, number) for number in (1, 2, 3, 4)),
    ]
    assert [out.payload for out in found[1:]] == [b"long0", b"long1", b"long2", b"long3"]
    assert [out.message for out in await claim(store, 2, LATER)] == [last]
    assert await claim(store, 0, LATER) == []


async def test_two_binds_never_claim_the_same_and_share_no_text(
    store: Store, store_url: str
) -> None:
    other = open_store(store_url)
    await post(store, *(new_post(parts=3) for _ in range(20)))
    try:
        claims = await asyncio.gather(
            *(claim((store, other)[n % 2], 4, bind=f"b{n}") for n in range(14))
        )
    finally:
        await other.close()
    messages_of = [{out.message for out in some} for some in claims]
    assert sum(map(len, messages_of)) == len(set().union(*messages_of)) == 20
    assert sum(map(len, claims)) == 60


async def test_a_busy_smsc_gets_it_again_later_and_a_refusal_is_for_good(store: Store) -> None:
    await post(store, new_post(kind=INVITATION, once="i"))
    [out] = await claim(store)
    busy = Refused(out.id, out.tries, 0x58, LATER, NOW)
    await record(store, busy)
    assert await states(store) == ["queued"]
    assert await claim(store) == []
    [again] = await claim(store, now=LATER)
    assert (again.id, again.tries) == (out.id, 2)
    await record(store, busy)  # told again: of the first try
    assert await states(store) == ["sending"]
    await record(store, Refused(again.id, again.tries, 0x0B, None, LATER))
    row = await only(store)
    assert (row["state"], row["status"], row["responded_at"]) == ("failed", 0x0B, LATER)
    await record(store, busy, Sent(out.id, "x", LATER), Unknown(out.id, 2, LATER))
    assert await states(store) == ["failed"]


@pytest.mark.parametrize("status", [0x14, 0x08])
async def test_a_reply_that_was_throttled_often_is_not_ended_by_a_busy_smsc(
    store: Store, status: int
) -> None:
    await post_reply(store)
    now = NOW
    for said in (*[0x58] * 12, status):
        now += SECOND
        [out] = await claim(store, now=now)
        await record(store, outcome_of(out, listener.Refused(said), now))
    assert await claim(store, now=now) == []
    [again] = await claim(store, now=LATER)
    await record(store, outcome_of(again, listener.Accepted("a1", {}), LATER))
    assert await states(store) == ["accepted"]


async def test_a_reply_without_an_answer_is_sent_once_more_and_no_oftener(store: Store) -> None:
    await post_reply(store)
    [first] = await claim(store)
    lost = Unknown(first.id, first.tries, NOW + SECOND)
    await record(store, lost)
    [second] = await claim(store, now=LATER)
    assert second.tries == 2
    await record(store, lost)  # told again: of the first try
    assert await states(store) == ["sending"]
    await record(store, Unknown(second.id, second.tries, LATER))
    assert await states(store) == ["unknown"]
    assert await claim(store, now=LATER) == []
    assert (await only(store))["unanswered_at"] == LATER


async def test_a_reply_that_was_refused_before_is_still_sent_once_more(store: Store) -> None:
    await post_reply(store)
    [out] = await claim(store)
    await record(store, Refused(out.id, 1, 0x58, NOW, NOW))
    [out] = await claim(store)
    await record(store, Unknown(out.id, 2, NOW))
    [out] = await claim(store)
    await record(store, Refused(out.id, 3, 0x58, NOW, NOW))
    [out] = await claim(store)
    await record(store, Unknown(out.id, 4, NOW))
    assert await states(store) == ["unknown"]


@pytest.mark.parametrize("kind", [INVITATION, MANUAL])
async def test_nothing_else_is_ever_sent_again(store: Store, kind: PostKind) -> None:
    await post(store, new_post(kind=kind, once="i"))
    [out] = await claim(store)
    await record(store, Unknown(out.id, 1, NOW))
    assert await states(store) == ["unknown"]
    assert await claim(store, now=LATER) == []
    with pytest.raises(IntegrityError):
        await store.write(
            lambda c: c.exec_driver_sql("UPDATE messages_out SET state = 'queued'").rowcount
        )


async def test_a_late_answer_still_counts(store: Store) -> None:
    await post(store, new_post(kind=INVITATION, once="i"), new_post(), new_post(OTHER))
    await post_reply(store)
    reply, *others = await claim(store)
    await record(store, *(Unknown(out.id, 1, NOW) for out in [reply, *others]))
    one, two, three = others
    await record(
        store,
        Sent(reply.id, "r", LATER),
        Sent(one.id, "1", LATER),
        Refused(two.id, 1, 0x58, LATER, LATER),
        Refused(three.id, 1, 0x0B, None, LATER),
    )
    rows = {row["id"]: row["state"] for row in await all_rows(store, MessageOut)}
    assert [rows[out.id] for out in (reply, one, two, three)] == [
        *("accepted", "accepted", "queued", "failed"),
    ]
    assert [out.id for out in await claim(store, now=LATER)] == [two.id]


async def test_what_a_bind_was_sending_when_it_died(store: Store) -> None:
    await post_reply(store)
    await post(store, new_post(), new_post(OTHER), new_post(OTHER))
    reply, manual = await claim(store, 2)
    [other] = await claim(store, 1, bind="b2")
    [later] = await claim(store, 1, now=NOW + SECOND)
    assert await store.write(outcomes.abandon, [BIND], NOW) == 2
    rows = {row["id"]: row for row in await all_rows(store, MessageOut)}
    assert [rows[out.id]["state"] for out in (reply, manual, other, later)] == [
        *("queued", "unknown", "sending", "sending"),
    ]
    assert await store.write(outcomes.abandon, [BIND], NOW) == 0
    assert await store.write(outcomes.abandon, [], LATER) == 0
    assert await store.write(outcomes.abandon_older, NOW, LATER) == 1
    assert rows[reply.id]["unanswered"] == 1


async def test_told_twice_changes_nothing(store: Store) -> None:
    await post(store, *(new_post() for _ in range(4)))
    a, b, c, d = await claim(store)
    told = (
        Sent(a.id, "1", NOW),
        Refused(b.id, 1, 0x0B, None, NOW),
        Unknown(c.id, 1, NOW),
        Refused(d.id, 1, 0x58, LATER, NOW),
    )
    await record(store, *told)
    before = await all_rows(store, MessageOut)
    await record(store, *told)
    await record(store)
    assert await all_rows(store, MessageOut) == before


async def test_an_id_may_be_empty_or_stand_already(store: Store) -> None:
    await send(store, "same")
    await send(store, "same")
    await post(store, new_post())
    [out] = await claim(store)
    await record(store, Sent(out.id, "", NOW))
    rows = await all_rows(store, MessageOut)
    assert [row["message_id"] for row in rows] == ["same", "same", None]


async def test_an_invitation_ends_where_its_number_opts_out(store: Store) -> None:
    before, reply = new_post(kind=INVITATION, once="1", parts=2), await post_reply(store)
    _, wanted = await post(store, before, new_post(OTHER, INVITATION, once="2"))
    await store.write(consent.opt_out, [OptOutAsked(NUMBER, NOW, "sms:1")], NOW)
    assert await states(store) == ["queued", "failed", "queued", "failed"]
    await post(store, new_post(kind=INVITATION, once="3", parts=2))  # by a race
    assert {out.msisdn: out.id for out in await claim(store, 3)} == {
        NUMBER: reply,
        OTHER: wanted,
    }
    ended = [row for row in await all_rows(store, MessageOut) if row["error"] == "opted_out"]
    assert [row["once"] for row in ended if row["once"]] == ["1", "3"]
    assert [row["state"] for row in ended] == ["failed"] * 4
    assert await claim(store, now=LATER) == []


async def test_the_database_itself_keeps_final_states(store: Store) -> None:
    await post(store, new_post())
    [out] = await claim(store)
    await record(store, Refused(out.id, 1, 0x0B, None, NOW))
    for state in ("queued", "sending", "unknown"):
        with pytest.raises(DBAPIError, match="never goes back"):
            await store.write(
                lambda c, s=state: (
                    c.exec_driver_sql(
                        f"UPDATE messages_out SET state = '{s}'"  # noqa: S608
                    ).rowcount
                )
            )


async def test_a_claim_that_is_rolled_back_never_was(store: Store) -> None:
    await post(store, new_post())

    def fail(connection: Any) -> None:
        assert outbox.claim(connection, "acc", BIND, 10, NOW)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await store.write(fail)
    [out] = await claim(store, now=NOW + timedelta(days=1))
    assert out.tries == 1
