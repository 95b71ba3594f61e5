"""Text campaigns in a browser: what they cost while they are written, and how they go. I/O."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from domain.clock import utc_now
from domain.roles import Role
from domain.states import CampaignState
from store import campaigns
from store.apply import apply
from store.consent import OptOutAsked, opt_out
from store.engine import Store
from tests.braking import draw_brakes
from tests.browsing import Browsing, press_until
from tests.consoles import Rig, console
from tests.integration.test_console_texts import WORDS, Priced
from tests.rows import BY_NINE, asked, make_campaign, numbers
from tests.text_campaigns import TextWorld, make_text_campaign


@pytest_asyncio.fixture(loop_scope="session")
async def desk(store: Store, tmp_path: Path) -> AsyncIterator[Rig]:
    """A server with two SMSC accounts and a price."""
    priced = Priced(tmp_path, "acc", "du-phong")
    async with console(store, clock=utc_now, control=priced) as rig:
        yield rig


async def test_a_text_campaign_is_written_and_started_by_the_keyboard_alone(
    desk: Rig, browsing: Browsing, store: Store
) -> None:
    page = await browsing.logged_in(Role.OPERATOR)
    await press_until(page, "Tab", "a[href='/campaigns/new-text']")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#text")
    await browsing.shoot(page, "text-new")
    await browsing.assert_accessible(page)
    await page.keyboard.type("moi-dot-1")
    await press_until(page, "Tab", "#purpose")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await press_until(page, "Tab", "#text")
    await page.keyboard.insert_text(WORDS * 2)
    await page.wait_for_selector("#size td:has-text('7.000.000')")
    await browsing.shoot(page, "text-new-cost")
    await browsing.assert_accessible(page)
    await press_until(page, "Tab", "#plain")
    await page.keyboard.press("Space")
    await press_until(page, "Tab", "#numbers")
    await page.keyboard.press("Control+A")
    await page.keyboard.type("2000")
    await press_until(page, "Tab", "#account")
    await page.wait_for_selector("#size td:has-text('1.400.000')")
    await press_until(page, "Tab", "#make")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#start")
    made = await store.read(campaigns.by_name, "moi-dot-1")
    assert (made.purpose, made.account) == ("customer_care", "acc")
    assert made.text is not None
    assert made.text.isascii()
    await browsing.shoot(page, "text-draft")
    await browsing.assert_accessible(page)


@pytest.mark.parametrize("dark", [False, True])
async def test_a_text_campaign_under_way(
    desk: Rig, browsing: Browsing, store: Store, dark: bool
) -> None:
    texts = await make_text_campaign(
        store,
        numbers(60),
        "nhan-tin-dot-1",
        due=utc_now() - timedelta(hours=1),
        cps=20.0,
        windows=["00:00-24:00"],
        call_on_holidays=True,
    )
    world = TextWorld(store, utc_now() - timedelta(seconds=3))
    await store.write(opt_out, [OptOutAsked(numbers(60)[3], world.now, "sms:1")], world.now)
    await world.passes(2)
    facts = [asked(one, utc_now(), campaign_id=texts.id) for one in world.numbers[:7]]
    await store.write(apply, facts, BY_NINE)
    await make_campaign(
        store, name="goi-sau-tin", state=CampaignState.DRAFT, follows=texts.name,
        follow_after_hours=24.0,
    )  # fmt: skip
    page = await browsing.logged_in(Role.OPERATOR, dark=dark)
    await page.wait_for_selector(".live.is-live")
    await browsing.shoot(page, "campaigns-texts-dark" if dark else "campaigns-texts")
    await browsing.assert_accessible(page)
    await page.click(f"#open-{texts.id}")
    await page.wait_for_selector(".live.is-live")
    await page.wait_for_selector("#outcomes-head ~ .scroll tr")
    await browsing.shoot(page, "text-running-dark" if dark else "text-running")
    await browsing.assert_accessible(page)
    before = await page.inner_text(".figures")
    world.now = utc_now() - timedelta(seconds=1)
    await world.passes(0.5)
    await page.wait_for_function(
        "was => document.querySelector('.figures').innerText !== was", arg=before
    )
    own, _ = await draw_brakes(store, texts, utc_now())
    await page.click(f"#override-{own}")
    await page.wait_for_selector(f"#release-{own}")
    await browsing.shoot(page, "text-braked-dark" if dark else "text-braked")
    await browsing.assert_accessible(page)
    await page.fill("#cps", "40")
    await page.click("#preview")
    await page.wait_for_selector("#apply")
    await browsing.shoot(page, "text-preview")
    await browsing.assert_accessible(page)
    await page.click("#apply")
    await page.wait_for_selector(".notice-done")
    assert (await store.read(campaigns.by_name, texts.name)).cps == 40.0


async def test_a_call_campaign_that_follows(desk: Rig, browsing: Browsing, store: Store) -> None:
    await make_text_campaign(store, [], "nhan-tin-dot-1")
    page = await browsing.logged_in(Role.OPERATOR)
    await page.click("a[href='/campaigns/new']")
    await page.fill("#name", "goi-sau-tin")
    await page.click("details summary")
    await page.select_option("#follows", "nhan-tin-dot-1")
    await browsing.shoot(page, "campaign-new-follows")
    await browsing.assert_accessible(page)
    await page.click("#make")
    await page.wait_for_selector("text=sau 24 giờ")
    await browsing.shoot(page, "campaign-follows")
    await browsing.assert_accessible(page)
