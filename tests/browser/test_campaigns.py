"""The operator's pages in a browser: the whole way of a campaign, by mouse and by keyboard. I/O."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from domain.clock import utc_now
from domain.dispositions import Disposition
from domain.roles import Role
from domain.states import CampaignState
from store import apply, campaigns
from store.engine import Store
from store.models import Campaign
from store.settlement import Verdict, settle
from tests.browsing import Browsing, press_until
from tests.consoles import Rig
from tests.rows import BY_NINE, answered, asked, claim_some, ended, make_campaign, numbers, pressed

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
ALWAYS = ["00:00-24:00"]
ROWS = "Số thuê bao,Tỉnh,Quận/huyện,Gói cước\n" + "".join(
    f"09{number:08d},Vĩnh Long,Vũng Liêm,ST90\n" for number in range(1, 40)
)


async def busy_hour(store: Store) -> Campaign:
    """A campaign that has dialled for an hour, with every kind of end."""
    campaign = await make_campaign(
        store,
        numbers(600),
        name="mien-tay-dot-1",
        cps=5.0,
        max_channels=60,
        windows=ALWAYS,
        due=utc_now() - timedelta(hours=2),
        call_on_holidays=True,
    )
    await make_campaign(store, numbers(5), name="bac-trung-nam-bo-2026", state=CampaignState.DRAFT)
    await make_campaign(
        store, numbers(5, first=5000), name="thu-nghiem", state=CampaignState.PAUSED
    )
    now = utc_now()
    for minute in range(55, 0, -1):
        await minute_of_calls(store, campaign, now - minute * MINUTE, 4 + minute % 7)
    await claim_some(store, campaign, 6, now)
    return campaign


async def minute_of_calls(store: Store, campaign: Campaign, at: Any, count: int) -> None:
    """Calls that begin at `at`: answered, with keys, or not."""
    facts: list[Any] = []
    verdicts = []
    for place, one in enumerate(await claim_some(store, campaign, count, at)):
        end = at + (20 + 15 * place) * SECOND
        how = [Disposition.ANSWERED, Disposition.NO_ANSWER, Disposition.BUSY][place % 3]
        if how is Disposition.ANSWERED:
            facts += [answered(one, at + 9 * SECOND), pressed(one, "123"[place // 3 % 3], end)]
            if place == 0:
                facts.append(asked(one.msisdn, end, one.attempt_id, campaign_id=campaign.id))
        cause = {Disposition.ANSWERED: 16, Disposition.NO_ANSWER: 19}.get(how, 17)
        facts.append(ended(one, how, end, cause=cause, tech_cause=None))
        later = (
            None if how is Disposition.ANSWERED else utc_now() + (place + 1) * timedelta(hours=1)
        )
        verdicts.append(Verdict(one.attempt_id, one.target_id, how, 1, later))
    await store.write(apply.apply, facts, BY_NINE)
    await store.write(settle, verdicts, at + 5 * MINUTE)


async def opened(desk: Rig, browsing: Browsing, path: str = "/campaigns", **more: bool) -> Page:
    """The operator before a page that is live."""
    page = await browsing.logged_in(Role.OPERATOR, **more)
    await page.wait_for_url(desk.path("/campaigns"))
    await page.goto(desk.path(path))
    await page.wait_for_selector(".live.is-live")
    return page


async def test_an_empty_list(desk: Rig, browsing: Browsing) -> None:
    page = await opened(desk, browsing)
    await browsing.shoot(page, "campaigns-empty")
    await browsing.assert_accessible(page)


@pytest.mark.parametrize("dark", [False, True])
async def test_a_busy_campaign(desk: Rig, browsing: Browsing, store: Store, dark: bool) -> None:
    campaign = await busy_hour(store)
    desk.report["why_idle"] = {campaign.name: "the trunk carrier takes no calls"}
    page = await opened(desk, browsing, dark=dark)
    await browsing.shoot(page, "campaigns-dark" if dark else "campaigns")
    await browsing.assert_accessible(page)
    await page.click(f"#open-{campaign.id}")
    await page.wait_for_selector(".live.is-live")
    await page.wait_for_selector("#curve-channels canvas")
    await browsing.shoot(page, "campaign-dark" if dark else "campaign")
    await browsing.assert_accessible(page)


async def test_figures_change_without_a_reload_and_what_is_typed_stays(
    desk: Rig, browsing: Browsing, store: Store
) -> None:
    campaign = await busy_hour(store)
    page = await opened(desk, browsing, f"/campaigns/{campaign.id}")
    await page.fill("#cps", "7")
    await store.write(campaigns.move, campaign, CampaignState.PAUSED, utc_now())
    await page.wait_for_selector(".campaign-paused")
    await page.wait_for_selector("#start")
    assert await page.input_value("#cps") == "7"


async def test_the_funnel_grows_without_a_reload(
    desk: Rig, browsing: Browsing, store: Store
) -> None:
    """As it is counted: nobody called, then four of ten, of whom two answer and one presses 1."""
    now = utc_now()
    campaign = await make_campaign(store, numbers(10), windows=ALWAYS, due=now - MINUTE)
    page = await opened(desk, browsing, f"/campaigns/{campaign.id}")

    async def steps(*counts: int) -> None:
        await page.wait_for_function(_FUNNEL, arg=" ".join(map(str, counts)))

    await steps(10, 0, 0, 0, 0, 0, 0, 0)
    one, other, *_ = await claim_some(store, campaign, 4, now)
    await steps(10, 4, 0, 0, 0, 0, 0, 0)
    answers: list[Any] = [answered(one, now), pressed(one, "1", now)]
    answers.append(asked(one.msisdn, now, one.attempt_id, campaign_id=campaign.id))
    ends = [ended(each, Disposition.ANSWERED, now, cause=16) for each in (one, other)]
    await store.write(apply.apply, answers + ends, BY_NINE)
    await steps(10, 4, 2, 1, 0, 0, 1, 0)


_FUNNEL = """
    (counts) => [...document.querySelectorAll("[sse-swap=funnel] td.amount:nth-child(3)")]
        .map((cell) => cell.textContent.trim()).join(" ") === counts
"""


async def test_the_whole_way_of_a_campaign_by_the_keyboard_alone(
    desk: Rig, browsing: Browsing, store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "danh-sach.csv"
    file.write_text(ROWS + "12,Vĩnh Long,Vũng Liêm,\n", encoding="utf-8")
    page = await opened(desk, browsing)
    await press_until(page, "Tab", "a[href='/campaigns/new']")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#name")
    await create(page, browsing)
    await import_file(page, browsing, file)
    await start_and_tune(page, browsing, store)
    await pause_and_export(page, browsing)


async def create(page: Page, browsing: Browsing) -> None:
    await page.keyboard.insert_text("1")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".notice-problem")
    await browsing.shoot(page, "campaign-new-refused")
    await browsing.assert_accessible(page)
    await page.fill("#name", "dot-2-ben-tre")
    await page.focus("#purpose")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await browsing.shoot(page, "campaign-new")
    await press_until(page, "Tab", "#make")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".notice-done")
    await browsing.shoot(page, "campaign-draft")
    await browsing.assert_accessible(page)


async def import_file(page: Page, browsing: Browsing, file: Path) -> None:
    await press_until(page, "Tab", "#import")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#file")
    await browsing.shoot(page, "import")
    await browsing.assert_accessible(page)
    await page.set_input_files("#file", file)
    await press_until(page, "Tab", "#send")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#confirm")
    await browsing.shoot(page, "import-preview")
    await browsing.assert_accessible(page)
    await press_until(page, "Tab", "#confirm")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#rejects")
    await browsing.shoot(page, "import-done")
    await browsing.assert_accessible(page)
    await press_until(page, "Tab", "#rejects")
    async with page.expect_download() as download:
        await page.keyboard.press("Enter")
    assert (await download.value).suggested_filename == "rejects-1.csv"
    await press_until(page, "Tab", "#to-campaign")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#start")


async def start_and_tune(page: Page, browsing: Browsing, store: Store) -> None:
    await press_until(page, "Tab", "#start")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".campaign-running")
    await press_until(page, "Tab", "#cps")
    await page.keyboard.press("Control+A")
    await page.keyboard.insert_text("0.5")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#apply")
    await browsing.shoot(page, "campaign-preview")
    await browsing.assert_accessible(page)
    await page.keyboard.press("Enter")  # the focus is on the button
    await page.wait_for_selector(".notice-done")
    assert (await store.read(campaigns.by_name, "dot-2-ben-tre")).cps == 0.5
    await page.wait_for_selector("#revert")
    await browsing.shoot(page, "campaign-tuned")
    await press_until(page, "Tab", "#revert", most=80)
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".notice-done:has-text('hoàn tác')")
    assert (await store.read(campaigns.by_name, "dot-2-ben-tre")).cps == 5.0


async def pause_and_export(page: Page, browsing: Browsing) -> None:
    await press_until(page, "Tab", "#pause")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".campaign-paused")
    await press_until(page, "Tab", "#attempts-csv", most=60)
    async with page.expect_download() as download:
        await page.keyboard.press("Enter")
    assert (await download.value).suggested_filename.startswith("attempts-")
    await press_until(page, "Shift+Tab", "#stop", most=60)
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#stop-it")
    await browsing.shoot(page, "campaign-stop")
    await browsing.assert_accessible(page)


async def test_a_refused_change_says_what_it_must_be(
    desk: Rig, browsing: Browsing, store: Store
) -> None:
    campaign = await make_campaign(store)
    page = await opened(desk, browsing, f"/campaigns/{campaign.id}")
    await page.fill("#cps", "0")
    await page.fill("#windows", "17:00-08:00")
    await page.click("#preview")
    await page.wait_for_selector(".notice-problem")
    await browsing.shoot(page, "campaign-refused")
    await browsing.assert_accessible(page)


async def test_a_lost_connection_is_said(desk: Rig, browsing: Browsing, store: Store) -> None:
    campaign = await make_campaign(store)
    page = await opened(desk, browsing, f"/campaigns/{campaign.id}")
    await desk.console.close()
    await page.wait_for_selector("#lost:not([hidden])")
    await browsing.shoot(page, "campaign-lost")


async def test_the_first_load_is_light(desk: Rig, browsing: Browsing, store: Store) -> None:
    campaign = await busy_hour(store)
    page = await browsing.logged_in(Role.OPERATOR)
    sizes: list[int] = []
    client = await page.context.new_cdp_session(page)
    await client.send("Network.enable")
    await client.send("Network.setCacheDisabled", {"cacheDisabled": True})
    client.on("Network.loadingFinished", lambda told: sizes.append(told["encodedDataLength"]))
    await page.goto(desk.path(f"/campaigns/{campaign.id}"))
    await page.wait_for_selector("#curve-channels canvas")
    assert sum(sizes) <= 150_000
