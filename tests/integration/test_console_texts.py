"""Text campaigns on the operator's pages: made, priced, looked at, tuned, followed. I/O."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from domain.roles import Role
from domain.states import CampaignState
from runtime.campaign_wiring import CampaignControl
from runtime.settings_load import load_settings
from store import campaigns
from store.apply import apply
from store.engine import Store
from store.models import Audit, Campaign
from tests.braking import draw_brakes
from tests.consoles import Controls, Rig, Visitor, console
from tests.integration.test_console_campaigns import counted
from tests.rows import BY_NINE, NOW, all_rows, asked, make_campaign, numbers
from tests.text_campaigns import TextWorld, make_text_campaign

WORDS = "Thay SIM 4G tại nhà, miễn phí. Soạn TSTN gửi 9231"
PLAIN = "Thay SIM 4G tai nha, mien phi. Soan TSTN gui 9231"
ADVERT = f"[QC] {PLAIN}. Tu choi: soan TC gui 9231"
FORM = {"name": "tin-1", "purpose": "customer_care", "text": WORDS, "cps": "5"}
ACCOUNT = '[{name}]\nhost = "127.0.0.1"\nsystem_id = "tstn"\npassword_file = "pw"\n'


class Priced(Controls):
    """A server with SMSC accounts, and a price."""

    def __init__(self, directory: Any, *accounts: str) -> None:
        smscs, file = directory / "smsc.toml", directory / "tstn.toml"
        smscs.write_text("".join(ACCOUNT.format(name=name) for name in accounts))
        (directory / "pw").write_text("secret")
        super().__init__()
        script = self._settings.ivr.script
        file.write_text(
            f'[ivr]\nscript = "{script}"\n[sms]\nsmsc_file = "{smscs}"\nprice_per_segment = 350\n'
        )
        CampaignControl.__init__(self, load_settings(file, {}))


@pytest.fixture
async def rig(store: Store, tmp_path: Any) -> AsyncIterator[Rig]:
    async with console(store, control=Priced(tmp_path, "acc")) as served:
        yield served


@pytest.fixture
async def operator(rig: Rig) -> AsyncIterator[Visitor]:
    async with Visitor(rig) as visitor:
        await visitor.log_in(Role.OPERATOR)
        yield visitor


async def by_name(store: Store, name: str) -> Campaign:
    return await store.read(campaigns.by_name, name)


async def test_what_the_words_cost_with_and_without_diacritics(operator: Visitor) -> None:
    long = WORDS * 2
    answer = await operator.send(
        "/campaigns/new-text", "/campaigns/new-text/size", text=long, numbers="1000"
    )
    said = await answer.text()
    assert answer.status == 200
    rows = [line for line in said.splitlines() if line.strip().startswith("<tr><th")]
    cells = [row.replace("<", " <").replace(">", "> ").split() for row in rows]
    figures = [[cell for cell in row if cell.replace(".", "").isdigit()][-4:] for row in cells]
    assert figures == [["98", "2", "700", "700.000"], ["98", "1", "350", "350.000"]]
    assert PLAIN * 2 in said


@pytest.mark.parametrize(("plain", "kept"), [("", WORDS), ("yes", PLAIN)])
async def test_a_draft_is_made_with_the_words_that_were_chosen(
    store: Store, operator: Visitor, plain: str, kept: str
) -> None:
    answer = await operator.send(
        "/campaigns/new-text", "/campaigns/new-text", **FORM, plain=plain, windows=""
    )
    made = await by_name(store, "tin-1")
    assert answer.headers["Location"] == f"/campaigns/{made.id}?done=campaign_created"
    assert (made.kind, made.text, made.account, made.source) == ("text", kept, "acc", "9231")
    assert (made.state, made.windows) == ("draft", ["07:00-22:00"])
    said = await operator.text(f"/campaigns/{made.id}")
    assert kept in said
    assert "Bản nháp" in said
    assert 'id="start"' in said
    assert "gọi thử" not in said.lower()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"text": ""}, "Nội dung tin nhắn: "),
        ({"text": PLAIN, "purpose": "advertising"}, "bắt đầu bằng [QC]"),
        ({"cps": "x"}, "Tin nhắn mỗi giây: số từ"),
        ({"name": ""}, "Tên chiến dịch"),
    ],
)
async def test_what_can_not_be_sent_is_said_and_nothing_is_lost(
    store: Store, operator: Visitor, wrong: dict[str, str], said: str
) -> None:
    answer = await operator.send("/campaigns/new-text", "/campaigns/new-text", **FORM | wrong)
    text = await answer.text()
    assert (answer.status, said in text) == (422, True)
    assert await all_rows(store, Campaign) == []


async def test_without_an_account_it_says_so(store: Store, tmp_path: Any) -> None:
    async with console(store, control=Priced(tmp_path)) as served, Visitor(served) as operator:
        await operator.log_in(Role.OPERATOR)
        assert "chưa có tài khoản SMSC" in await operator.text("/campaigns/new-text")
        answer = await operator.send("/campaigns/new-text", "/campaigns/new-text", **FORM)
        assert answer.status == 422


async def test_its_page_tells_the_flow_the_outcomes_and_who_registered(
    store: Store, operator: Visitor
) -> None:
    texts = await make_text_campaign(store, numbers(10), cps=2.0)
    world = TextWorld(store)
    await world.passes(2)
    sent = len(world.numbers)
    await store.write(apply, [asked(world.numbers[0], NOW, campaign_id=texts.id)], BY_NINE)
    await world.engine.tick()
    said = await counted(operator, texts)
    assert f'<p class="figure-value">{sent}</p>' in said.replace("\n", "")
    assert "Đã gửi, chưa có báo nhận" in said
    assert "Đăng ký" in said
    assert "kênh" not in said.split('class="figures"')[1].split("</section>")[0]
    listed = await operator.text("/campaigns")
    assert "nhắn tin" in listed
    assert f"/campaigns/{texts.id}/test-call" not in said


async def test_the_cost_of_what_is_left_stands_before_the_start(
    store: Store, operator: Visitor
) -> None:
    texts = await make_text_campaign(store, numbers(10), state=CampaignState.DRAFT)
    said = await counted(operator, texts)
    assert '<dd id="price">3.500</dd>' in said


async def test_its_own_brake_is_shown_and_overridden_a_trunks_is_not_its_concern(
    store: Store, operator: Visitor
) -> None:
    texts = await make_text_campaign(store, numbers(10))
    own, trunk = await draw_brakes(store, texts)
    place = f"/campaigns/{texts.id}"
    said = await operator.text(place)
    assert said.count("Với 3 tổng đài viên") == 2  # in the panel, and in what happened to it
    assert f"/brakes/{trunk}/" not in said
    answer = await operator.send(place, f"{place}/brakes/{own}/override", minutes="60")
    assert answer.headers["Location"] == f"{place}?done=brake_overridden"
    said = await operator.text(place)
    assert "bởi operator" in said
    assert f"/brakes/{own}/release" in said


async def test_its_rate_is_tuned_after_a_preview(store: Store, operator: Visitor) -> None:
    texts = await make_text_campaign(store, numbers(10), cps=1.0)
    place = f"/campaigns/{texts.id}"
    await counted(operator, texts)
    preview = f"{place}/tune?cps=5&windows=07:00-22:00&call_on_holidays=false"
    said = await operator.text(preview)
    assert 'value="cps=5"' in said
    assert "Tính theo 10 số" in said
    fields = [*(await operator.hidden(preview)).items(), ("pair", "cps=5")]
    answer = await operator.post(f"{place}/tune", fields)  # type: ignore[arg-type]
    assert answer.status == 303
    assert (await by_name(store, "texts")).cps == 5.0
    assert (await operator.get(f"{place}/tune?cps=x")).status == 422
    assert (await operator.get(f"{place}/tune?cps=5")).status == 422  # nothing changes


async def test_hours_that_the_law_forbids_are_refused_at_the_preview(
    store: Store, operator: Visitor
) -> None:
    texts = await make_text_campaign(store, [], purpose="advertising")
    calls = await make_campaign(store, [], "calls", purpose="advertising")
    for campaign, words in ((texts, "từ 07:00 đến 22:00"), (calls, "từ 08:00 đến 17:00")):
        answer = await operator.get(f"/campaigns/{campaign.id}/tune?windows=22:00-23:00")
        assert answer.status == 422
        assert words in await answer.text()


async def test_a_call_campaign_follows_texts_by_its_form(store: Store, operator: Visitor) -> None:
    await make_text_campaign(store, [])
    form = {"name": "goi-1", "purpose": "customer_care", "cps": "1", "max_channels": "5"}
    form |= {"windows": "08:00-17:00", "follows": "texts", "follow_after_hours": "48"}
    answer = await operator.send("/campaigns/new", "/campaigns/new", **form)
    assert answer.status == 303, await answer.text()
    made = await by_name(store, "goi-1")
    assert (made.follows, made.follow_after_hours) == ("texts", 48.0)
    assert "Gọi sau tin nhắn của" in await operator.text(f"/campaigns/{made.id}")
    without = form | {"name": "goi-2", "follows": ""}
    assert (await operator.send("/campaigns/new", "/campaigns/new", **without)).status == 303
    assert (await by_name(store, "goi-2")).follows is None
    wrong = form | {"name": "goi-3", "follows": "goi-1"}
    assert (await operator.send("/campaigns/new", "/campaigns/new", **wrong)).status == 422


async def test_an_auditor_looks_and_changes_nothing(rig: Rig, store: Store) -> None:
    texts = await make_text_campaign(store, numbers(1))
    async with Visitor(rig) as auditor:
        await auditor.log_in(Role.AUDITOR)
        said = await auditor.text(f"/campaigns/{texts.id}")
        assert 'id="preview"' not in said
        assert (await auditor.get("/campaigns/new-text")).status == 403
    assert [row for row in await all_rows(store, Audit) if "campaign" in row["action"]] == []
