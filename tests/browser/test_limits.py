"""The limits before an operator: previewed, set, reverted; screenshots and axe. Chromium."""

from domain.roles import Role
from domain.states import CampaignState
from store import campaigns, limits
from store.engine import Store
from store.limits import Caps
from tests.browsing import Browsing
from tests.rows import NOW, make_campaign, numbers


async def test_limits_are_previewed_set_and_reverted(browsing: Browsing, store: Store) -> None:
    await make_campaign(store, numbers(400), name="mekong", cps=5.0)
    paused = await make_campaign(store, numbers(5), name="de-sau")
    await store.write(campaigns.move, paused, CampaignState.PAUSED, NOW)
    page = await browsing.logged_in(Role.OPERATOR)
    await page.click("a[href='/limits']")
    await page.wait_for_selector("h1:has-text('Giới hạn')")
    await browsing.shoot(page, "limits")
    await browsing.assert_accessible(page)
    await page.fill("form[action='/limits/global/change'] input[name='cps']", "0.5")
    await page.click("form[action='/limits/global/change'] button")
    await page.wait_for_selector("#apply:focus")
    await browsing.shoot(page, "limits-preview")
    await browsing.assert_accessible(page)
    assert await store.read(limits.read) == {}
    await page.keyboard.press("Enter")
    await page.wait_for_selector("p.notice")
    assert (await store.read(limits.read))["global"].cps == 0.5
    await browsing.shoot(page, "limits-changed")
    await browsing.assert_accessible(page)
    await page.click("form[action='/limits/global/revert'] button")
    await page.wait_for_selector("text=Đã hoàn tác", timeout=5000)
    assert await store.read(limits.read) == {}


async def test_a_limit_that_can_not_be_is_told(browsing: Browsing, store: Store) -> None:
    await store.write(limits.put, "trunk:carrier", Caps(7.5, 90), NOW)
    page = await browsing.logged_in(Role.OPERATOR)
    await page.goto(browsing.rig.path("/limits"))
    await page.fill("form[action='/limits/trunk:carrier/change'] input[name='channels']", "viele")
    await page.click("form[action='/limits/trunk:carrier/change'] button")
    await page.wait_for_selector("[role='alert']:has-text('số nguyên từ 0 đến 20000')")
    await browsing.shoot(page, "limits-refused")
    await browsing.assert_accessible(page)
