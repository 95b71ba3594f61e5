"""Who dials the test calls: one at a time, within the capacity, whatever campaigns do. I/O."""

from datetime import timedelta
from typing import Any

import pytest

from dialer.trials import Trials, TrialSetting
from domain.states import CampaignState
from store import limits, trial_calls
from store.engine import Store
from store.limits import Caps, of_trunk
from store.models import TrialCall
from store.trial_calls import Asked
from tests.dialling import World
from tests.rows import NOW, all_rows, make_campaign, numbers

OWN = "+84901234567"


def trials_of(world: World) -> Trials:
    setting = TrialSetting("node1", "carrier", 180)
    clock = lambda: world.now  # noqa: E731
    return Trials(setting, world.store, world.carrier, world.engine.capacity, clock)


async def ask(store: Store, msisdn: str = OWN) -> None:
    campaign = await make_campaign(store, state=CampaignState.DRAFT, name=f"of-{msisdn[-3:]}")
    await store.write(trial_calls.ask, Asked(campaign, msisdn, "vi-1", "Lan"), NOW)


async def rows(store: Store) -> list[dict[str, Any]]:
    return await all_rows(store, TrialCall)


class Opened(World):
    """A world whose carrier knows calls that are no attempts."""

    def __init__(self, store: Store, **setting: Any) -> None:
        super().__init__(store, **setting)
        self.called: list[str] = []
        self.carrier.originate = self._originate  # type: ignore[method-assign]

    async def _originate(self, attempt: Any) -> bool:
        [row] = [row for row in await rows(self.store) if row["id"] == attempt.attempt_id]
        assert row["started_at"] is not None  # committed before it is dialled
        self.called.append(attempt.msisdn)
        return True


async def test_it_is_dialled_once_and_only_after_its_commit(store: Store) -> None:
    world = Opened(store)
    await ask(store)
    trials = trials_of(world)
    for _ in range(3):
        await trials.tick()
    assert world.called == [OWN]


async def test_a_trunk_without_a_free_channel_is_waited_for(store: Store) -> None:
    world = Opened(store)
    await store.write(limits.put, of_trunk("carrier"), Caps(5, 0), NOW)
    await world.tick()
    await ask(store)
    await trials_of(world).tick()
    assert world.called == []
    await store.write(limits.put, of_trunk("carrier"), Caps(5, 1), NOW)
    await world.passes(1)
    await trials_of(world).tick()
    assert world.called == [OWN]


async def test_its_channel_is_one_less_for_campaigns(store: Store) -> None:
    world = World(store, defaults=Caps(1000, 3))
    await ask(store)
    await store.write(trial_calls.take, "node1", "carrier", 180, NOW)
    await make_campaign(store, numbers(5))
    await world.passes(1)
    assert await world.most_open_at_once() == 2


@pytest.mark.parametrize("ready", [True, False])
async def test_nothing_is_taken_while_asterisk_is_away(store: Store, ready: bool) -> None:
    world = Opened(store)
    world.carrier.ready = ready
    await ask(store)
    await trials_of(world).tick()
    assert (world.called == [OWN]) is ready
    world.now = NOW + timedelta(seconds=60)
    world.carrier.ready = True
    await trials_of(world).tick()
    [row] = await rows(store)
    assert (row["disposition"] is None) is ready  # who has waited a minute is not called
