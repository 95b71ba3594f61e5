"""`tstn campaign …` for texts: what is refused, what it costs, who is called after. I/O."""

import asyncio
from pathlib import Path

import pytest

from domain.clock import utc_now
from store.engine import open_store
from tests.command_line import ROOT, Tstn, make_directory
from tests.rows import numbers
from tests.text_campaigns import TextWorld

EXAMPLE = ROOT / "config" / "campaigns" / "text-example.toml"
NAME = "phase-1-texts"
OPEN = 'windows = ["00:00-24:00"]\ncall_on_holidays = true'
ACCOUNT = '[{name}]\nhost = "127.0.0.1"\nsystem_id = "tstn"\npassword_file = "pw"\n'


@pytest.fixture
def tstn(tmp_path: Path) -> Tstn:
    """A migrated store, and one SMSC account."""
    made = make_directory(tmp_path)
    made("migrate")
    made.write("config/smsc.toml", ACCOUNT.format(name="acc"))
    return made


def text_campaign(purpose: str, text: str, more: str = "") -> str:
    return f'name = "t"\nkind = "text"\npurpose = "{purpose}"\ntext = "{text}"\n{more}'


def refused(tstn: Tstn, text: str) -> str:
    return tstn.error("campaign", "create", tstn.write("campaign.toml", text))


def load(tstn: Tstn, name: str, count: int) -> None:
    file = tstn.write("numbers.csv", "\n".join(["msisdn", *numbers(count)]))
    tstn("audience", "import", file, "--campaign", name)


def test_segments_and_cost_are_shown_before_it_starts(tstn: Tstn) -> None:
    tstn("campaign", "create", EXAMPLE)
    load(tstn, NAME, 12)
    cost = tstn.json("campaign", "show", NAME)["cost"]
    wanted = {"alphabet": "gsm7", "segments_each": 1, "numbers": 12, "segments": 12, "price": 0.0}
    assert wanted.items() <= cost.items()
    tstn.environment["TSTN_SMS_PRICE_PER_SEGMENT"] = "350"
    lines = [" ".join(line.split()) for line in tstn("campaign", "show", NAME).splitlines()]
    assert f"segments a text 1 ({cost['characters']} of gsm7)" in lines
    assert "cost 4,200 VND" in lines
    assert "no do-not-call list is loaded" in tstn.error("campaign", "start", NAME)
    assert "scope all|sms" in tstn.error("campaign", "start", NAME)
    tstn("dnc", "import", tstn.write("dnc.csv", "msisdn\n+84909999999"), "--scope", "sms")
    assert tstn.json("campaign", "start", NAME)["cost"]["price"] == 4200.0


def test_with_diacritics_a_text_costs_more(tstn: Tstn) -> None:
    name = tstn.create(text_campaign("customer_care", "Xin chào Quý khách, ạ" * 4))
    load(tstn, name, 3)
    cost = tstn.json("campaign", "show", name)["cost"]
    assert (cost["alphabet"], cost["segments_each"], cost["segments"]) == ("ucs2", 2, 6)


def test_the_law_is_kept_at_creation_and_at_the_start(tstn: Tstn) -> None:
    assert "text: an advertising text must begin with [QC]" in refused(
        tstn, text_campaign("advertising", "Xin chao. Tu choi: soan TC gui 9231")
    )
    assert "must end with how to refuse" in refused(
        tstn, text_campaign("advertising", "[QC] Xin chao")
    )
    name = tstn.create(text_campaign("customer_care", "Xin chao"))
    tstn("campaign", "tune", name, "purpose=advertising")
    assert "must begin with [QC]" in tstn.error("campaign", "start", name)
    assert "text: can't be changed" in tstn.error("campaign", "tune", name, "text=Chao")


def test_the_account_is_the_only_one_or_named(tstn: Tstn) -> None:
    words = text_campaign("customer_care", "Xin chao")
    name = tstn.create(words)
    shown = tstn.json("campaign", "show", name)
    assert (shown["account"], shown["source"]) == ("acc", "9231")
    tstn.write("config/smsc.toml", ACCOUNT.format(name="one") + ACCOUNT.format(name="two"))
    assert 'write account = "one" or "two"' in refused(tstn, words)
    assert "there is no SMSC account 'acc'" in refused(tstn, words + 'account = "acc"')
    assert "there is no SMSC account 'acc'" in tstn.error("campaign", "start", name)
    (tstn.directory / "config" / "smsc.toml").unlink()
    assert "no SMSC account is configured" in refused(tstn, words)


async def _send_all(tstn: Tstn) -> None:
    store = open_store(f"sqlite:///{tstn.directory}/var/tstn.sqlite")
    world = TextWorld(store, now=utc_now())
    await world.passes(6)
    await store.close()


def test_a_call_campaign_follows_those_who_did_not_answer(tstn: Tstn) -> None:
    assert "there is no campaign 'texts'" in refused(tstn, 'name = "c"\nfollows = "texts"')
    calls = tstn.create('name = "calls"')
    assert "sends no texts" in refused(tstn, 'name = "c"\nfollows = "calls"')
    texts = tstn.create(text_campaign("customer_care", "Xin chao", OPEN))
    load(tstn, texts, 4)
    tstn("campaign", "start", texts)
    assert "follows none: name one by --from" in tstn.error("audience", "follow", calls)
    assert "makes no calls" in tstn.error("audience", "follow", texts, "--from", texts)
    after = tstn.create('name = "after"\nfollows = "t"\nfollow_after_hours = 48')
    asyncio.run(_send_all(tstn))
    answer = {"campaign": "after", "from": "t", "after_hours": 48.0, "added": 4}
    assert tstn.json("audience", "follow", after) == answer
    assert tstn.json("audience", "follow", after)["added"] == 0
    assert tstn.json("campaign", "show", texts)["outcomes"] == {"sent": 4}
    assert tstn.json("audience", "follow", calls, "--from", "t")["after_hours"] == 24.0
