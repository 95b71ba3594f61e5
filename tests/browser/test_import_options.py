"""The options of an import, its refused rows, and its undoing, in a browser. I/O."""

from pathlib import Path

from domain.roles import Role
from domain.states import CampaignState
from store.engine import Store
from store.models import Target
from tests.browsing import Browsing
from tests.consoles import Rig
from tests.rows import all_rows, make_campaign

ROWS = "Số thuê bao,Tỉnh\n0901000001,Vĩnh Long\n0901000002,Cà Mau\n12,Cà Mau\n"


async def test_an_import_with_options_is_undone(
    desk: Rig, browsing: Browsing, store: Store, tmp_path: Path
) -> None:
    campaign = await make_campaign(store, name="mien-tay-dot-1", state=CampaignState.DRAFT)
    await make_campaign(store, ["+84901000001"], name="khac")
    file = tmp_path / "danh-sach.csv"
    file.write_text(ROWS, encoding="utf-8")
    page = await browsing.logged_in(Role.OPERATOR)
    await page.goto(desk.path(f"/campaigns/{campaign.id}/import"))
    await page.wait_for_selector(".live.is-live")
    await page.click("form.job summary")
    await page.fill("#extracted_at", "26/03/2021 08:30")
    await page.check("#skip_other_campaigns")
    await browsing.shoot(page, "import-options")
    await browsing.assert_accessible(page)
    await page.set_input_files("#file", file)
    await page.click("#send")
    await page.click("#confirm")
    await page.wait_for_selector("#import-1 a[download]")
    assert [row["msisdn"] for row in await all_rows(store, Target)][1:] == ["+84901000002"]
    await browsing.shoot(page, "import-done-options")
    await page.click("#import-1 a.undo")
    await page.wait_for_selector("#undo:focus")
    await browsing.shoot(page, "import-undo")
    await browsing.assert_accessible(page)
    await page.keyboard.press("Enter")
    await page.wait_for_selector("text=Đã hoàn tác lần nạp: đã bỏ 1 số")
    await page.wait_for_selector("#import-1:has-text('Đã hoàn tác')")
    await browsing.shoot(page, "import-undone")
    await browsing.assert_accessible(page)
    assert len(await all_rows(store, Target)) == 1
