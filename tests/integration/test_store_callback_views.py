"""What the desks see: the queue, one call-back, statistics, the day's report. I/O."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

from sqlalchemy import Connection

from domain.callbacks import Outcome
from domain.clock import LOCAL
from domain.dispositions import Disposition
from domain.sla import SlaState, sla_bounds, sla_state
from domain.states import CallbackKind, Duty
from store import (
    callback_calls,
    callback_queue,
    callback_statistics,
    callback_views,
    duty,
    sla,
    standing,
)
from store.callback_calls import NewCall
from store.callback_statistics import Work, work_of_agents
from store.engine import Store
from store.models import SlaReport
from tests.answering_calls import advise, callback_of, close, on_duty, register, release, taken
from tests.rows import NOW, all_rows, numbers

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
MARGIN = 3 * HOUR
AGES = [hours * HOUR for hours in (0, 1, 3, 10, 14, 26, 31, 35, 36, 40, 47, 48, 60)]


async def aged(store: Store) -> list[str]:
    """A call-back asked for so long ago, for each of AGES."""
    listed = numbers(len(AGES))
    for msisdn, age in zip(listed, AGES, strict=True):
        await register(store, msisdn, at=NOW - age)
    return listed


async def test_counts_and_pages_agree_with_the_rule(store: Store) -> None:
    await aged(store)
    seen: set[SlaState] = set()
    for now in (NOW, NOW + 9 * HOUR):
        bounds = sla_bounds(now, MARGIN)
        counts = await store.read(callback_views.sla_counts, bounds)
        assert sum(counts.values()) == len(AGES)
        for state in SlaState:
            page = await store.read(callback_views.queue, bounds, 100, state)
            assert len(page.rows) == counts[state]
            for row in page.rows:
                judged = sla_state(row["target_at"], row["promise_at"], now, MARGIN)
                assert row["sla"] == judged == state
                seen.add(judged)
    assert seen == set(SlaState)


async def test_pages_follow_each_other_in_the_order_of_service(store: Store) -> None:
    listed = await aged(store)
    bounds = sla_bounds(NOW, MARGIN)
    seen: list[str] = []
    place: callback_views.Place | None = None
    while True:
        page = await store.read(callback_views.queue, bounds, 4, None, place)
        seen += [row["msisdn"] for row in page.rows]
        if (place := page.next) is None:
            break
    assert seen == listed[::-1]


async def test_what_is_closed_is_not_in_the_queue(store: Store) -> None:
    await register(store, *numbers(2))
    await store.write(standing.cancel, numbers(1)[0], NOW, ("sms", "1"))
    counts = await store.read(callback_views.sla_counts, sla_bounds(NOW, MARGIN))
    assert sum(counts.values()) == 1


async def test_the_story_of_one_call_back(store: Store) -> None:
    [msisdn] = numbers(1)
    await register(store, msisdn)
    await release(store)
    await on_duty(store, 1, 2)
    first = await taken(store, 1)
    await store.write(callback_queue.give_back, first.claim_id, NOW + MINUTE, "hết giờ")
    second = await taken(store, 2, NOW + 2 * MINUTE)
    call = uuid4()
    await store.write(
        callback_calls.begin, NewCall(call, second.claim_id, "node1", NOW + 3 * MINUTE)
    )
    await close(store, second, Outcome.CONFIRMED, NOW + 5 * MINUTE)
    story = await store.read(callback_views.story, first.callback_id)
    assert story is not None
    assert story.callback["msisdn"] == msisdn
    assert [claim["agent_id"] for claim in story.claims] == [1, 2]
    assert [row["id"] for row in story.calls] == [call]
    assert story.address is not None
    assert story.address["province"] == "Trà Vinh"
    assert await store.read(callback_views.story, 99) is None


async def test_a_call_is_written_step_by_step_and_ends_once(store: Store) -> None:
    await register(store, *numbers(1))
    await release(store)
    await on_duty(store, 1)
    claim = await taken(store, 1)
    call = uuid4()
    opened = await store.write(callback_calls.begin, NewCall(call, claim.claim_id, "node1", NOW))
    assert (opened.agent_id, opened.msisdn) == (1, claim.msisdn)
    await store.write(callback_calls.record, call, agent_ringing_at=NOW)
    await store.write(callback_calls.record, call, agent_answered_at=NOW + MINUTE)
    await store.write(callback_calls.record, call, agent_answered_at=NOW + 2 * MINUTE)
    [listed] = await store.read(callback_calls.open_calls, "node1")
    assert (listed.id, listed.agent_answered_at) == (call, NOW + MINUTE)
    end = (call, NOW + 3 * MINUTE, Disposition.BUSY, 17, 486)
    assert await store.write(callback_calls.finish, *end)
    assert not await store.write(callback_calls.finish, call, NOW, Disposition.ANSWERED)
    assert await store.read(callback_calls.open_calls, "node1") == []
    story = await store.read(callback_views.story, claim.callback_id)
    assert story is not None
    assert story.calls[0]["disposition"] == Disposition.BUSY


async def test_what_agents_did_in_a_day(store: Store) -> None:
    await register(store, *numbers(3))
    await release(store)
    await on_duty(store, 1, 2)
    for outcome, minutes in ((Outcome.NO_ANSWER, 1), (Outcome.REFUSED, 4)):
        claim = await taken(store, 1, NOW)
        await close(store, claim, outcome, NOW + minutes * MINUTE)
    claim = await taken(store, 2, NOW)
    call = uuid4()
    await store.write(callback_calls.begin, NewCall(call, claim.claim_id, "node1", NOW))
    await store.write(callback_calls.record, call, subscriber_answered_at=NOW + MINUTE)
    await store.write(callback_calls.finish, call, NOW + 3 * MINUTE, Disposition.ANSWERED)
    await store.write(duty.set_duty, 1, Duty.PAUSED, NOW + 10 * MINUTE, "giờ ăn")
    await store.write(duty.set_duty, 1, Duty.OFF, NOW + 15 * MINUTE)
    start, end = sla.local_day(date(2021, 4, 1))
    works = await store.read(work_of_agents, start, end, NOW + 20 * MINUTE)
    one, two = works[1], works[2]
    assert (one.results, one.reached, one.handling_seconds) == (2, 1, 150)
    assert (one.on_seconds, one.paused_seconds) == (600, 300)
    assert (two.calls, two.answered, two.talk_seconds, two.on_seconds) == (1, 1, 120, 1200)
    total = callback_statistics.together(works)
    assert (total.results, total.calls, total.on_seconds) == (2, 1, 1800)
    assert await store.read(work_of_agents, end, end + timedelta(days=1), NOW) == {2: Work()}


async def test_duty_is_told_and_kept_in_spans(store: Store) -> None:
    await on_duty(store, 1, 2)
    await store.write(duty.set_duty, 2, Duty.PAUSED, NOW + MINUTE, "họp")
    await store.write(duty.set_duty, 2, Duty.PAUSED, NOW + 2 * MINUTE, "họp")
    told = await store.read(duty.on_duty)
    assert [(one.agent_id, one.duty, one.pause_reason) for one in told] == [
        (1, Duty.ON, None),
        (2, Duty.PAUSED, "họp"),
    ]
    assert told[1].since == NOW + MINUTE
    await store.write(duty.set_duty, 1, Duty.OFF, NOW + HOUR)
    assert [one.agent_id for one in await store.read(duty.on_duty)] == [2]
    assert await store.read(duty.duty_of, 1) is await store.read(duty.duty_of, 9) is Duty.OFF


async def report(store: Store, day: date, now: datetime) -> bool:
    """Make the day's report and keep it."""
    rows = await store.read(sla.day_report, day, now)

    def keep(connection: Connection) -> bool:
        return sla.keep(connection, rows)

    return await store.write(keep)


async def test_the_report_of_a_day_counts_and_is_kept_once(store: Store) -> None:
    in_time, late, dead, given_up, standing_open = numbers(5)
    await register(store, in_time, at=NOW)
    await register(store, late, at=NOW - 26 * HOUR)  # due at 21:00 today
    await register(store, dead, at=NOW - 47 * HOUR)  # promised for 11:00 today
    await register(store, given_up, standing_open, at=NOW)
    await release(store)
    await on_duty(store, 1)
    for msisdn, at in ((dead, NOW + 2 * HOUR), (late, NOW + 12 * HOUR)):
        claim = await taken(store, 1, at)
        assert claim.msisdn == msisdn
        await close(store, claim, Outcome.REFUSED, at)
    claim = await taken(store, 1, NOW + 12 * HOUR)
    await close(store, claim, Outcome.CONFIRMED, NOW + 12 * HOUR)
    await store.write(standing.cancel, given_up, NOW + HOUR, ("sms", "1"))
    day, after = date(2021, 4, 1), NOW + 24 * HOUR
    assert await report(store, day, after)
    kept = await all_rows(store, SlaReport)
    assert not await report(store, day, after + HOUR)
    assert await all_rows(store, SlaReport) == kept
    [confirm] = [row for row in kept if row["kind"] == CallbackKind.CONFIRM]
    assert {name: confirm[name] for name in confirm if name not in ("day", "kind", "made_at")} == {
        "requested": 3,
        "done": 3,
        "done_by_target": 1,
        "done_by_promise": 2,
        "done_late": 1,
        "unreachable": 0,
        "cancelled": 1,
        "targets_missed": 1,
        "promises_broken": 1,
        "open_at_end": 1,
    }
    [advice] = [row for row in kept if row["kind"] == CallbackKind.ADVICE]
    assert advice["requested"] == advice["open_at_end"] == 0
    assert await store.read(sla.reports, day, day) == sorted(kept, key=lambda row: row["kind"])


async def test_a_day_that_goes_on_has_missed_only_what_is_past(store: Store) -> None:
    await register(store, *numbers(1), at=NOW - 24 * HOUR)
    for now, missed in ((NOW, 0), (NOW + 11 * HOUR, 1)):  # 10:00 and 21:00
        rows = await store.read(sla.day_report, date(2021, 4, 1), now)
        assert sum(row["targets_missed"] for row in rows) == missed


async def test_reports_are_made_up_for_after_an_absence(store: Store) -> None:
    await advise(store, *numbers(1))
    midnight = datetime(2021, 4, 2, tzinfo=LOCAL).astimezone(UTC)
    assert await store.read(sla.missing_days, midnight - MINUTE) == [date(2021, 3, 31)]
    assert await store.read(sla.missing_days, midnight) == [date(2021, 4, 1)]
    await report(store, date(2021, 4, 1), midnight)
    assert await store.read(sla.missing_days, midnight + HOUR) == []
    missing = await store.read(sla.missing_days, midnight + timedelta(days=3))
    assert missing == [date(2021, 4, day) for day in (2, 3, 4)]
    assert len(await store.read(sla.missing_days, midnight + timedelta(days=300))) == 31


async def test_what_was_open_at_the_end_of_a_day_is_told_the_same_later(store: Store) -> None:
    [msisdn] = numbers(1)
    await advise(store, msisdn)
    await release(store)
    await on_duty(store, 1)
    next_day = NOW + 24 * HOUR
    await close(store, await taken(store, 1, next_day), Outcome.ADVISED, next_day)
    assert (await callback_of(store, msisdn))["closed_at"] == next_day
    for now in (next_day, next_day + 24 * HOUR):
        rows = await store.read(sla.day_report, date(2021, 4, 1), now)
        [advice] = [row for row in rows if row["kind"] == CallbackKind.ADVICE]
        assert (advice["requested"], advice["done"], advice["open_at_end"]) == (1, 0, 1)
