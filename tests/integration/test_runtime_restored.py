"""What a restored store does not do again, on both databases. I/O."""

from pathlib import Path

import pytest
from sqlalchemy import Connection

from dialer.settling import settle_ended
from domain.clock import utc_now
from domain.errors import InputError
from domain.roles import Role
from domain.states import CampaignState
from runtime.backup.making import make
from runtime.settings import Settings
from store import campaigns, restored, sessions, users
from store.engine import Store
from store.models import Attempt, Campaign, Event, MessageOut, Registration, Session, Target
from store.revision import head, require_current
from store.spool import Spool
from store.users import NewUser
from tests.backups import back, destroy, fill, opened, settings_for
from tests.journals import running
from tests.rows import NOW, all_rows, asked, claim_some, make_campaign, numbers, pressed
from tests.text_campaigns import TextWorld, make_text_campaign


@pytest.fixture
def settings(store_url: str, tmp_path: Path) -> Settings:
    return settings_for(store_url, tmp_path)


async def test_what_comes_back_and_what_of_it_stands_still(
    settings: Settings, tmp_path: Path
) -> None:
    async with opened(settings) as store:
        await fill(store)
        targets = await all_rows(store, Target)
        before = utc_now()
        made = await make(settings, tmp_path / "kept", before)
    assert (made.revision, made.made_at) == (head(), before)
    await destroy(settings)
    done = await back(settings, tmp_path / "kept")
    assert (done.calmed.paused, done.calmed.attempts, done.calmed.texts) == (["mekong"], 2, 1)
    async with opened(settings) as store:
        await require_current(store)
        assert await all_rows(store, Target) == targets
        [campaign] = await all_rows(store, Campaign)
        assert campaign["state"] == CampaignState.PAUSED
        attempts = await all_rows(store, Attempt)
        assert {(row["state"], row["disposition"]) for row in attempts} == {("ended", "unknown")}
        assert all(row["ended_at"] > before for row in attempts)
        texts = {row["once"]: row["state"] for row in await all_rows(store, MessageOut)}
        assert texts == {"due": "unknown", "later": "queued"}
        events = {row["kind"]: row["data"] for row in await all_rows(store, Event)}
        assert events["campaign_paused"]["reason"] == "store_restored"
        assert events["store_restored"]["made_at"] == before.isoformat()
        await make_campaign(store, numbers(1), name="new")  # ids go on after those that came back


async def test_a_login_ends(settings: Settings, tmp_path: Path) -> None:
    async with opened(settings) as store:
        user = await store.write(users.add, NewUser("lan", "Lan", Role.ADMINISTRATOR, "x"), NOW)
        await store.write(sessions.start, user, "hash", "csrf", NOW)
        await make(settings, tmp_path / "kept", utc_now())
    await back(settings, tmp_path / "kept", overwrite=True)
    async with opened(settings) as store:
        [session] = await all_rows(store, Session)
        assert session["ended_at"] is not None


async def test_numbers_that_were_contacted_since_are_not_dialled_again(
    settings: Settings, tmp_path: Path
) -> None:
    async with opened(settings) as store:
        await fill(store)
        with pytest.raises(InputError, match="not restored"):
            await store.write(restored.contacted, numbers(1), utc_now())
        await make(settings, tmp_path / "kept", utc_now())
    await back(settings, tmp_path / "kept", overwrite=True)
    async with opened(settings) as store:
        since = numbers(4)  # two of them were under way already
        assert await store.write(restored.contacted, since, utc_now()) == 2
        assert await store.write(restored.contacted, since, utc_now()) == 0
        now = utc_now()
        await store.write(settle_ended, now)
        assert await store.write(restored.contacted, since, utc_now()) == 0
        states = {row["msisdn"]: row["not_before"] > now for row in await all_rows(store, Target)}
        assert states == {msisdn: msisdn in since for msisdn in numbers(5)}
        attempts = await all_rows(store, Attempt)
        assert len(attempts) == 4
        assert {row["attempts_made"] for row in await all_rows(store, Target)} == {0, 1}


async def test_numbers_that_were_texted_since_are_not_texted_again(
    settings: Settings, tmp_path: Path
) -> None:
    async with opened(settings) as store:
        await make_text_campaign(store, numbers(3))
        await make(settings, tmp_path / "kept", utc_now())
        assert await texted(store) == numbers(3)
    await back(settings, tmp_path / "kept", overwrite=True)
    async with opened(settings) as store:
        assert await store.write(restored.contacted, numbers(2), utc_now()) == 2
        await store.write(start, "texts")
        assert await texted(store) == numbers(1, first=2)


async def texted(store: Store) -> list[str]:
    """Whom a text campaign sends to in the next seconds."""
    world = TextWorld(store)
    await world.passes(5)
    return sorted(world.numbers)


def start(connection: Connection, name: str) -> None:
    campaigns.move(connection, campaigns.by_name(connection, name), CampaignState.RUNNING, NOW)


async def test_the_spool_comes_back_beside_what_waits_in_it(
    settings: Settings, tmp_path: Path
) -> None:
    first, second, third = (asked(msisdn, NOW) for msisdn in numbers(3))
    async with opened(settings):
        spool = Spool(settings.spool.path)
        await spool.keep([first, second])
        await make(settings, tmp_path / "kept", utc_now())  # while it is open
        [(place, _), _] = await spool.oldest(5)
        await spool.remove([place])
        await spool.keep([third])
        spool.close()
    for _ in range(2):  # once more changes nothing
        assert (await back(settings, tmp_path / "kept", overwrite=True)).facts == 3
    spool = Spool(settings.spool.path)
    assert {fact.msisdn for _, fact in await spool.oldest(9)} == set(numbers(3))  # type: ignore[union-attr]
    spool.close()


async def test_a_registration_of_the_spool_outlives_the_attempt_that_it_came_by(
    settings: Settings, tmp_path: Path
) -> None:
    """The spool was on another disk than the store: key 1 after the backup is not lost."""
    async with opened(settings) as store:
        campaign = await make_campaign(store, numbers(1))
        await make(settings, tmp_path / "kept", utc_now())
        [attempt] = await claim_some(store, campaign)
        spool = Spool(settings.spool.path)
        fact = asked(attempt.msisdn, NOW, attempt.attempt_id, campaign_id=campaign.id)
        await spool.keep([pressed(attempt, "1", NOW), fact])
        spool.close()
    await back(settings, tmp_path / "kept", overwrite=True)
    async with opened(settings) as store, running(store, settings.spool.path) as journal:
        await journal.replay()
        assert [row["msisdn"] for row in await all_rows(store, Registration)] == numbers(1)
        assert journal.spooled == 0
