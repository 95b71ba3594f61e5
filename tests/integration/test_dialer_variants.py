"""A campaign that splits its audience between script versions, on both databases."""

from collections import Counter
from datetime import timedelta

from dialer.variants import version_of
from domain.dispositions import Disposition
from store import variants
from store.apply import apply
from store.engine import Store
from store.models import Attempt
from store.variants import VersionFigures
from tests.dialling import World
from tests.rows import BY_NINE, NOW, all_rows, answered, claim_some, ended, make_campaign, numbers
from tests.rows import pressed as press

EVENLY = {"vi-1": 50, "vi-2": 50}
BOTH = frozenset({"vi-1", "vi-2"})


async def test_each_attempt_says_the_version_that_its_number_hears(store: Store) -> None:
    campaign = await make_campaign(store, numbers(60), variants=EVENLY)
    world = World(store, scripts=BOTH)
    await world.passes(2)
    wanted = {number: version_of(EVENLY, "vi-1", campaign.id, number) for number in numbers(60)}
    rows = await all_rows(store, Attempt)
    assert {row["msisdn"]: row["script_version"] for row in rows} == wanted
    told = {attempt.msisdn: attempt.script_version for _, attempt in world.carrier.dialled}
    assert told == wanted
    assert set(wanted.values()) == BOTH
    assert world.carrier.unwritten == []


async def test_weights_are_tuned_while_it_runs(store: Store) -> None:
    await make_campaign(store, numbers(60), cps=10.0, variants=EVENLY)
    world = World(store, scripts=BOTH)
    await world.passes(2)
    heard = len(world.carrier.dialled)
    await world.tune("mekong", variants={"vi-2": 1})
    await world.passes(1)
    after = [attempt.script_version for at, attempt in world.carrier.dialled[heard + 10 :]]
    await world.passes(1)
    later = [attempt.script_version for _, attempt in world.carrier.dialled[heard + 10 :]]
    assert len(later) > len(after)
    assert set(later) == {"vi-2"}


async def test_a_version_without_prompts_stops_the_campaign_and_is_named(store: Store) -> None:
    await make_campaign(store, numbers(3), variants={"vi-1": 1, "vi-9": 1})
    world = World(store, scripts=BOTH)
    await world.passes(1)
    assert world.carrier.dialled == []
    assert world.engine.why_idle == {"mekong": "the prompts of script vi-9 are not built"}


async def test_the_figures_count_numbers_by_version(store: Store) -> None:
    campaign = await make_campaign(store, numbers(6), script_version="vi-1")
    claimed = await claim_some(store, campaign)

    def second(msisdn: str) -> str:
        return "vi-1" if msisdn in numbers(2) else "vi-2"

    heard = await store.write(variants.split, claimed, second)
    by_number = {attempt.msisdn: attempt for attempt in heard}
    assert Counter(one.script_version for one in heard) == {"vi-1": 2, "vi-2": 4}
    later = NOW + timedelta(seconds=20)
    facts = [
        answered(by_number[numbers(6)[0]], later),
        press(by_number[numbers(6)[0]], "1", later),
        *(answered(by_number[number], later) for number in numbers(2, first=2)),
        press(by_number[numbers(6)[2]], "2", later),
        press(by_number[numbers(6)[2]], "2", later + timedelta(seconds=9)),
        press(by_number[numbers(6)[2]], "1", later + timedelta(seconds=19)),
        press(by_number[numbers(6)[3]], "3", later),
        ended(by_number[numbers(6)[1]], Disposition.BUSY, later),
        ended(by_number[numbers(6)[5]], Disposition.NOT_DIALLED, later),
    ]
    await store.write(apply, facts, BY_NINE)
    assert await store.read(variants.figures, campaign.id) == [
        VersionFigures("vi-1", called=2, answered=1, keys={"1": 1}),
        VersionFigures("vi-2", called=3, answered=2, keys={"1": 1, "2": 1, "3": 1}),
    ]
