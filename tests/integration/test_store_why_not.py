"""Why nothing is dialled: every target is counted once, and one number's trail agrees. I/O."""

from datetime import date, timedelta

from sqlalchemy import Connection, update

from domain.addresses import Scheme
from domain.dispositions import Disposition
from domain.gate import Refusal, Shut
from domain.states import ContactScope, Purpose, Stand, TargetState
from store import attempts, consent, do_not_call, phases, registrations, settlement, why_not
from store.engine import Store
from store.facts import OptOutAsked
from store.models import Target
from store.phases import NewPhase
from store.settlement import Verdict
from store.why_not import Counts, Finding
from tests.rows import BY_NINE, NOW, asked, claim_some, ended, make_campaign, numbers

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def test_every_target_is_counted_once(store: Store) -> None:
    busy, refuses, answers, retries, *rest = numbers(8)
    campaign = await make_campaign(store, [busy, refuses, answers, retries, *rest[:2]])
    other = await make_campaign(store, [busy], "other")
    await claim_some(store, other)
    await store.write(consent.opt_out, [OptOutAsked(refuses, NOW, "sms:1")], NOW)
    calls = {c.msisdn: c for c in await claim_some(store, campaign, limit=4)}
    ends = [ended(calls[n], Disposition.ANSWERED, NOW) for n in (answers, retries)]
    await store.write(attempts.record_ended, ends)
    verdicts = [
        Verdict(calls[n].attempt_id, calls[n].target_id, Disposition.ANSWERED, 1, due)
        for n, due in ((answers, None), (retries, NOW + HOUR))
    ]
    await store.write(settlement.settle, verdicts, NOW)
    more = await make_campaign(store, numbers(3, first=50), "more")
    assert await store.read(why_not.counts, campaign.id, NOW) == Counts(
        due=0,
        retry=1,
        held={Refusal.BUSY_ELSEWHERE: 1},
        in_the_air=2,
        done={Refusal.OPTED_OUT: 1, "answered": 1},
        next_due=NOW + timedelta(minutes=1),
        held_until={Refusal.BUSY_ELSEWHERE: NOW + timedelta(minutes=1)},
    )
    # Once its time has come, who was held is due again.
    assert await store.read(why_not.counts, campaign.id, NOW + HOUR) == Counts(
        due=2,
        retry=0,
        held={},
        in_the_air=2,
        done={Refusal.OPTED_OUT: 1, "answered": 1},
        next_due=None,
        held_until={},
    )
    assert (await store.read(why_not.counts, more.id, NOW)).due == 3


async def test_the_trail_of_one_number(store: Store) -> None:
    [one] = numbers(1)
    campaign = await make_campaign(store, [one], purpose=Purpose.ADVERTISING, by_phase=True)
    trail = await store.read(why_not.trail, campaign.id, one, NOW)
    assert (trail.verdict, trail.phase) == (Refusal.PHASE_CLOSED, None)
    place = {"province_code": "86", "district_code": None}
    await store.write(lambda c: c.execute(update(Target).values(**place)).rowcount)
    phase = NewPhase(Scheme.VN_2021, "86", None, date(2021, 3, 26), None)
    await store.write(phases.put, [phase], "lan", NOW)
    trail = await store.read(why_not.trail, campaign.id, one, NOW)
    assert trail.verdict is None
    assert trail.phase is not None
    assert trail.phase["opens_on"] == date(2021, 3, 26)
    other = await make_campaign(store, [one], "other")
    await claim_some(store, other)
    trail = await store.read(why_not.trail, campaign.id, one, NOW)
    assert (trail.verdict, trail.is_in_the_air) == (Refusal.BUSY_ELSEWHERE, True)
    assert [dial["campaign_id"] for dial in trail.dials] == [other.id]
    new = await store.write(do_not_call.begin, ContactScope.ALL, "l", "lan", NOW)
    await store.write(do_not_call.add, new, ContactScope.ALL, [one])
    await store.write(registrations.register, [asked(one, NOW)], BY_NINE)
    trail = await store.read(why_not.trail, campaign.id, one, NOW)
    assert (trail.verdict, trail.do_not_call) == (Refusal.DO_NOT_CALL, ["all"])
    assert trail.registration is not None
    await store.write(consent.opt_out, [OptOutAsked(one, NOW, "agent:1")], NOW)
    trail = await store.read(why_not.trail, campaign.id, one, NOW)
    assert (trail.verdict, trail.opted_out) == (Refusal.OPTED_OUT, True)
    stranger = await store.read(why_not.trail, campaign.id, "+84900000099", NOW)
    assert (stranger.target, stranger.verdict) == (None, None)


async def test_a_trail_comes_to_one_finding(store: Store) -> None:
    held, waits, free, done, flying = numbers(5)
    campaign = await make_campaign(store, [held, waits, free, done, flying])
    other = await make_campaign(store, [held], "other")
    await claim_some(store, other)
    values = {
        waits: {"not_before": NOW + HOUR, "held_by": "capped"},
        done: {"state": TargetState.DONE, "outcome": "busy"},
        flying: {"state": TargetState.CLAIMED},
    }

    def change(connection: Connection) -> None:
        for msisdn, columns in values.items():
            of_it = (Target.msisdn == msisdn, Target.campaign_id == campaign.id)
            connection.execute(update(Target).where(*of_it).values(**columns))

    await store.write(change)
    shut = Shut(Refusal.HOLIDAY, "a holiday", NOW + DAY)
    for msisdn, closed, found in (
        (held, shut, Finding(Stand.HELD, Refusal.BUSY_ELSEWHERE)),
        (waits, shut, Finding(Stand.LATER, Refusal.CAPPED, NOW + HOUR)),
        (free, shut, Finding(Stand.CLOSED, Refusal.HOLIDAY, NOW + DAY)),
        (free, None, Finding(Stand.FREE)),
        (done, shut, Finding(Stand.DONE, "busy")),
        (flying, shut, Finding(Stand.IN_THE_AIR)),
        ("+84900000099", shut, Finding(Stand.NOT_HERE)),
    ):
        trail = await store.read(why_not.trail, campaign.id, msisdn, NOW)
        assert why_not.finding(trail, closed, NOW) == found
