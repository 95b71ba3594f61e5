"""The pace is measured on the last hour's calls of one campaign. I/O."""

from datetime import timedelta

from domain.dispositions import Disposition
from store import pace_figures
from store.engine import Store
from store.pace_figures import GUESSED, PaceFigures
from tests.braking import calls
from tests.rows import NOW, make_campaign, numbers

HOUR = timedelta(hours=1)
EARLY, LATELY = NOW - timedelta(hours=3), NOW - timedelta(minutes=5)


async def measured(store: Store, identity: int) -> PaceFigures:
    return await store.read(pace_figures.measured, identity, NOW)


async def test_answers_keys_and_seconds_of_the_last_hour(store: Store) -> None:
    campaign = await make_campaign(store, numbers(300), due=EARLY)
    other = await make_campaign(store, numbers(60, first=500), "other", due=EARLY)
    await calls(store, campaign, 50, at=NOW - 2 * HOUR)
    await calls(store, campaign, 50, at=NOW)  # of these the long ones may be talking
    await calls(store, other, 60, keys="3", at=LATELY)
    assert await measured(store, campaign.id) == GUESSED
    await calls(store, campaign, 30, keys="11", at=LATELY)
    await calls(store, campaign, 10, keys="23", at=LATELY)
    await calls(store, campaign, 60, disposition=Disposition.NO_ANSWER, at=LATELY)
    await calls(store, campaign, 40, disposition=Disposition.NOT_DIALLED, at=LATELY)
    found = await measured(store, campaign.id)
    assert found == PaceFigures(
        calls=100,
        answer_rate=0.4,
        ring_seconds=0.4 * 10 + 0.6 * 30,
        talk_seconds=20,
        key_1_rate=0.75,
        key_3_rate=0.25,
        agent_seconds=GUESSED.agent_seconds,
        missed={Disposition.NO_ANSWER: 1.0},
    )
    assert found.is_measured
    assert await store.read(pace_figures.numbers_left, campaign.id) == 300 - 240


async def test_only_the_newest_calls_are_looked_at(store: Store) -> None:
    campaign = await make_campaign(store, numbers(1100), due=EARLY)
    await calls(store, campaign, 100, at=NOW - timedelta(minutes=30))
    for _ in range(10):
        await calls(store, campaign, 100, disposition=Disposition.BUSY, at=LATELY)
    found = await measured(store, campaign.id)
    assert (found.calls, found.answer_rate) == (1000, 0.0)
