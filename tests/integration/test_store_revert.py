"""One-click revert: the last tuning is undone, by a tuning. I/O."""

from typing import Any

import pytest
from sqlalchemy import Connection

from domain.errors import InputError
from domain.states import CampaignState
from store import campaign_changes, campaigns
from store.engine import Store
from store.models import Event
from tests.rows import NOW, all_rows, make_campaign


async def test_a_tuning_is_undone_one_after_the_other(store: Store) -> None:
    campaign = await make_campaign(store, cps=5.0)
    for values in ({"cps": 8.0}, {"cps": 8.0}, {"windows": ["09:00-11:00"], "priority": 7}):
        campaign = await store.read(campaigns.by_name, "mekong")
        await store.write(campaigns.tune, campaign, values, NOW)
    undone = [await store.write(_revert) for _ in range(2)]
    assert undone == [{"windows": ["08:00-17:00"], "priority": 5}, {"cps": 5.0}]
    row = await store.read(campaigns.by_name, "mekong")
    assert (row.cps, row.windows, row.priority) == (5.0, ["08:00-17:00"], 5)
    with pytest.raises(InputError, match=r"^campaign 'mekong' has no tuning to undo$"):
        await store.write(_revert)
    tuned = [row["data"] for row in await all_rows(store, Event) if row["kind"] == "campaign_tuned"]
    assert tuned[-1]["before"] == {"cps": 8.0}
    assert tuned[-1]["after"] == {"cps": 5.0}
    await store.write(campaigns.tune, row, {"cps": 9.0}, NOW)
    assert await store.write(_revert) == {"cps": 5.0}
    with pytest.raises(InputError):
        await store.write(_revert)


def _revert(connection: Connection) -> dict[str, Any]:
    return campaign_changes.revert(connection, campaigns.by_name(connection, "mekong"), NOW)


async def test_a_purpose_cannot_be_taken_back_from_a_campaign_that_was_started(
    store: Store,
) -> None:
    campaign = await make_campaign(store, state=CampaignState.DRAFT, purpose=None)
    await store.write(campaigns.tune, campaign, {"purpose": "customer_care"}, NOW)
    await store.write(_start)
    with pytest.raises(InputError, match=r"can't go back to .*purpose.*it was started since"):
        await store.write(_revert)


def _start(connection: Connection) -> None:
    campaigns.move(connection, campaigns.by_name(connection, "mekong"), CampaignState.RUNNING, NOW)
