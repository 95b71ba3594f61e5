"""The operator steers in a browser: brakes, gate, one number, versions, preview, once more. I/O."""

from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Page
from sqlalchemy import Connection, update

from domain.clock import utc_now
from domain.roles import Role
from domain.states import BrakeCause, CampaignState
from store import brakes, campaigns
from store.brakes import Scope
from store.engine import Store
from store.models import Attempt, Brake, Campaign, Target
from tests.braking import draw_brakes
from tests.browser.test_campaigns import busy_hour, opened
from tests.browsing import Browsing, press_until
from tests.consoles import Rig
from tests.rows import all_rows, make_campaign, numbers

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


async def steered(store: Store) -> Campaign:
    """A campaign of an hour that compares two versions, with every kind of refusal."""
    campaign = await busy_hour(store)
    weights = {"variants": {"vi-1": 50, "vi-2": 50}, "priority": 8}
    await store.write(campaigns.tune, campaign, weights, utc_now())
    held = {"phase_closed": 80, "capped": 22, "busy_elsewhere": 3}
    gone = {"opted_out": 41, "do_not_call": 17, "already_registered": 5, "attempts_spent": 2}

    def change(connection: Connection) -> None:
        second = Attempt.msisdn.like("%1")
        connection.execute(update(Attempt).where(second).values(script_version="vi-2"))
        first = 590
        for word, count in (held | gone).items():
            chosen = Target.msisdn.in_(numbers(count, first=first - count))
            values: dict[str, Any] = (
                {"held_by": word, "not_before": utc_now() + HOUR}
                if word in held
                else {"state": "done", "outcome": word}
            )
            of_it = (chosen, Target.campaign_id == campaign.id, Target.state == "ready")
            connection.execute(update(Target).where(*of_it).values(**values))
            first -= count

    await store.write(change)
    return campaign


async def in_english(page: Page) -> None:
    await page.click("text=English")
    await page.wait_for_selector("html[lang=en]")
    await page.wait_for_selector(".live.is-live")


@pytest.mark.parametrize("dark", [False, True])
async def test_a_campaign_that_is_slowed(
    desk: Rig, browsing: Browsing, store: Store, dark: bool
) -> None:
    campaign = await steered(store)
    await draw_brakes(store, campaign, utc_now())
    name = "-dark" if dark else ""
    page = await opened(desk, browsing, dark=dark)
    await page.wait_for_selector(".mood-trouble")
    await browsing.shoot(page, f"campaigns-slowed{name}")
    await browsing.assert_accessible(page)
    await page.click(f"#open-{campaign.id}")
    await page.wait_for_selector(".brake")
    await page.wait_for_selector("#curve-channels canvas")
    await page.wait_for_selector(".versions")
    await browsing.shoot(page, f"campaign-slowed{name}")
    await browsing.assert_accessible(page)
    if not dark:
        await in_english(page)
        await page.wait_for_selector("#curve-channels canvas")
        await browsing.shoot(page, "campaign-slowed-english")
        await browsing.assert_accessible(page)


async def test_a_brake_appears_is_overridden_and_heeded_again_without_a_reload(
    desk: Rig, browsing: Browsing, store: Store
) -> None:
    campaign = await make_campaign(
        store, numbers(5), windows=["00:00-24:00"], call_on_holidays=True
    )
    page = await opened(desk, browsing, f"/campaigns/{campaign.id}")
    assert await page.locator(".brake").count() == 0
    await page.evaluate("window.stays = true")
    await draw_brakes(store, campaign, utc_now())
    [own, _trunk] = await all_rows(store, Brake)
    await page.wait_for_selector(f"#override-{own['id']}")
    assert await page.evaluate("window.stays")
    await page.select_option(f"#minutes-{own['id']}", "60")
    await press_until(page, "Tab", f"#override-{own['id']}")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".notice-done")
    await page.wait_for_selector(f"#release-{own['id']}")
    assert "operator" in await page.inner_text("#brakes")
    await browsing.shoot(page, "campaign-brake-overridden")
    await browsing.assert_accessible(page)
    await page.wait_for_selector(".live.is-live")
    await page.evaluate("window.stays = true")
    other = Scope(BrakeCause.PROMISE, campaign_id=campaign.id)
    await store.write(brakes.release, other, "lan", utc_now())
    await page.wait_for_selector(f"#override-{own['id']}")
    assert await page.evaluate("window.stays")


async def test_one_number_is_asked_for(desk: Rig, browsing: Browsing, store: Store) -> None:
    campaign = await steered(store)
    held = numbers(1, first=480)[0]
    page = await opened(desk, browsing, f"/campaigns/{campaign.id}")
    await page.fill("#number", f"0{held[3:]}")
    await page.press("#number", "Enter")
    await page.wait_for_selector(".verdict")
    assert "Thuê bao đã từ chối nhận lời mời" in await page.inner_text(".verdict")
    await browsing.shoot(page, "campaign-number")
    await browsing.assert_accessible(page)
    called = (await all_rows(store, Attempt))[0]["msisdn"]
    await page.fill("#number", f"0{called[3:]}")
    await page.press("#number", "Enter")
    await page.wait_for_selector("td.moment")
    await browsing.shoot(page, "campaign-number-called")
    await page.fill("#number", "12")
    await page.press("#number", "Enter")
    await page.wait_for_selector(".notice-problem")
    await browsing.shoot(page, "campaign-number-refused")
    await browsing.assert_accessible(page)


async def test_numbers_are_put_back_by_the_keyboard(
    desk: Rig, browsing: Browsing, store: Store
) -> None:
    campaign = await make_campaign(store, numbers(60), state=CampaignState.PAUSED)

    def done(connection: Connection) -> None:
        values = {"state": "done", "outcome": "no_answer", "attempts_made": 3}
        connection.execute(update(Target).values(**values))

    await store.write(done)
    page = await opened(desk, browsing, f"/campaigns/{campaign.id}")
    await press_until(page, "Tab", "#recycle")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#look")
    await browsing.shoot(page, "campaign-recycle")
    await browsing.assert_accessible(page)
    await press_until(page, "Tab", "[value=no_answer]")
    await page.keyboard.press("Space")
    await press_until(page, "Tab", "#look")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#recycle-it")
    await browsing.shoot(page, "campaign-recycle-preview")
    await browsing.assert_accessible(page)
    await page.keyboard.press("Enter")  # the focus is on the button
    await page.wait_for_selector(".notice-done")
    rows = await all_rows(store, Target)
    assert {row["state"] for row in rows} == {"ready"}
    await browsing.shoot(page, "campaign-recycled")


async def test_a_preview_shows_what_the_agents_can_not_keep(
    desk: Rig, browsing: Browsing, store: Store
) -> None:
    campaign = await steered(store)
    page = await opened(desk, browsing, f"/campaigns/{campaign.id}")
    await page.fill("#cps", "40")
    await page.fill("#max_channels", "900")
    await page.fill("#priority", "9")
    await page.click("#preview")
    await page.wait_for_selector("#apply")
    assert "CPS" in await page.inner_text("main")
    await browsing.shoot(page, "campaign-preview-late")
    await browsing.assert_accessible(page)
    await page.click("text=English")
    await page.wait_for_selector("html[lang=en]")
    assert "channels of trunk and server" in await page.inner_text(".effect")
    await browsing.shoot(page, "campaign-preview-late-english")


async def test_the_script_is_changed_on_the_page_and_reverted(
    desk: Rig, browsing: Browsing, store: Store
) -> None:
    campaign = await make_campaign(store, numbers(5))
    page = await opened(desk, browsing, f"/campaigns/{campaign.id}")
    await page.select_option("#by_phase", "true")
    await page.fill("#variants", "vi-1 50, vi-2 50")
    await page.locator(".knobs-form").scroll_into_view_if_needed()
    await browsing.shoot(page, "campaign-script-tuned")
    await page.click("#preview")
    await page.wait_for_selector("#apply")
    assert "vi-1 50, vi-2 50" in await page.inner_text("main")
    await browsing.shoot(page, "campaign-script-preview")
    await browsing.assert_accessible(page)
    await page.click("#apply")
    await page.wait_for_selector(".notice-done")
    [tuned] = await all_rows(store, Campaign)
    assert (tuned["by_phase"], tuned["variants"]) == (True, {"vi-1": 50, "vi-2": 50})
    await page.click("#revert")
    await page.wait_for_selector("#script_version")
    [back] = await all_rows(store, Campaign)
    assert (back["by_phase"], back["variants"]) == (False, {})


async def test_an_auditor_sees_all_of_it_and_has_no_button(
    desk: Rig, browsing: Browsing, store: Store
) -> None:
    campaign = await steered(store)
    await draw_brakes(store, campaign, utc_now())
    page = await browsing.logged_in(Role.AUDITOR)
    await page.goto(desk.path(f"/campaigns/{campaign.id}"))
    await page.wait_for_selector(".versions")
    assert await page.locator("[id^=override]").count() == 0
    await browsing.shoot(page, "campaign-slowed-auditor")
