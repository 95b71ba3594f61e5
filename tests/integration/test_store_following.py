"""Who is called after a text: those who neither registered nor opted out, once. Both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, update

from domain.errors import InputError
from domain.states import CampaignState
from store import following
from store.apply import apply
from store.consent import OptOutAsked, opt_out
from store.engine import Store
from store.following import Copied
from store.models import Target
from store.standing import cancel
from tests.rows import BY_NINE, all_rows, asked, make_campaign, numbers
from tests.text_campaigns import TextWorld, make_text_campaign

HOUR = timedelta(hours=1)


async def test_the_silent_ones_are_called_so_many_hours_after_their_text(store: Store) -> None:
    texts = await make_text_campaign(store, numbers(8), cps=4.0)
    calls = await make_campaign(
        store, numbers(1), "calls", CampaignState.DRAFT, follows="texts", follow_after_hours=24.0
    )
    world = TextWorld(store)
    await store.write(apply, [asked(numbers(8)[7], world.now)], BY_NINE)  # before its text
    await world.passes(4)
    after = world.now + HOUR
    await store.write(apply, [asked(n, after) for n in numbers(2, first=1)], BY_NINE)
    await store.write(cancel, numbers(8)[2], after, ("sms", "9"))
    await store.write(opt_out, [OptOutAsked(numbers(8)[3], after, "sms:3")], after)
    assert await store.write(following.follow, calls.id, texts.id, 24.0, 0) == Copied(3, None)
    found = {
        row["msisdn"]: row
        for row in await all_rows(store, Target)
        if row["campaign_id"] == calls.id
    }
    assert sorted(found) == [*numbers(1), *numbers(3, first=4)]
    posted = {out.msisdn: at for at, out in world.sent}
    for number in numbers(3, first=4):
        row = found[number]
        assert row["not_before"] == posted[number] + 24 * HOUR
        assert (row["province"], row["district"], row["list_no"]) == ("Vĩnh Long", "Châu Thành", 1)
        assert row["attributes"] == {"tên": "Nguyễn Thị Sáu"}
        assert (row["state"], row["attempts_made"]) == ("ready", 0)
    # Again, whatever has become of them: nobody is there twice.
    await store.write(_all_done)
    assert await store.write(following.follow, calls.id, texts.id, 24.0, 0) == Copied(0, None)


def _all_done(connection: Connection) -> None:
    connection.execute(update(Target).values(state="done", outcome="answered"))


async def test_a_large_audience_goes_in_steps(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = await make_text_campaign(store, numbers(5), cps=50.0)
    calls = await make_campaign(store, name="calls")
    world = TextWorld(store)
    await world.passes(2)
    added, after, steps = 0, following.FIRST, 0
    limited = following._SILENT.limit(2)
    monkeypatch.setattr(following, "_SILENT", limited)
    monkeypatch.setattr(following, "AT_ONCE", 2)
    while after is not None:
        copied = await store.write(following.follow, calls.id, texts.id, 1.0, after)
        added, after, steps = added + copied.added, copied.after, steps + 1
    assert (added, steps) == (5, 3)


async def test_only_a_text_campaign_is_followed(store: Store) -> None:
    await make_campaign(store, name="calls")
    with pytest.raises(InputError, match="'calls' sends no texts: it can't be followed"):
        await store.read(following.require_followed, "calls")
