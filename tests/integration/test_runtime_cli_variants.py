"""`tstn campaign variants`, and the scripts that a campaign with variants needs."""

import asyncio
import json

import pytest

from store import variants
from store.apply import apply
from store.engine import open_store
from tests.command_line import ROOT, Tstn, make_directory
from tests.rows import BY_NINE, NOW, answered, claim_some, make_campaign, numbers, pressed

SPLIT = 'name = "split"\npurpose = "customer_care"\nvariants = { vi-1 = 50, vi-2 = 50 }'


@pytest.fixture
def tstn(tmp_path_factory: pytest.TempPathFactory) -> Tstn:
    made = make_directory(tmp_path_factory.mktemp("variants"))
    made("migrate")
    return made


def second_script(tstn: Tstn) -> None:
    tstn.environment["TSTN_IVR_SCRIPTS"] = json.dumps([str(ROOT / "prompts" / "script-vi-2.toml")])


def test_a_campaign_with_variants_starts_once_all_their_prompts_stand(tstn: Tstn) -> None:
    name = tstn.create(SPLIT)
    tstn("prompts", "build")
    assert "needs script vi-2, this server has vi-1" in tstn.error("campaign", "start", name)
    second_script(tstn)
    assert "run `tstn prompts build`" in tstn.error("campaign", "start", name)
    built = tstn.json("prompts", "build", "--if-changed")
    assert {(each["version"], each["is_new"]) for each in built} == {
        ("vi-1", False),
        ("vi-2", True),
    }
    tstn("campaign", "start", name)
    tuned = tstn.json("campaign", "tune", name, "variants={vi-1=10, vi-2=90}")
    assert tuned["after"] == {"variants": {"vi-1": 10, "vi-2": 90}}
    shown = [line.split() for line in tstn("campaign", "show", name).splitlines()]
    assert ["variants", "vi-1", "10,", "vi-2", "90"] in shown
    assert tstn.json("campaign", "tune", name, "variants={}")["after"] == {"variants": {}}


async def _call_some(tstn: Tstn) -> None:
    store = open_store(f"sqlite:///{tstn.directory}/var/tstn.sqlite")
    campaign = await make_campaign(
        store, numbers(40), name="split", variants={"vi-1": 50, "vi-2": 50}
    )
    claimed = await claim_some(store, campaign)
    heard = await store.write(variants.split, claimed, lambda n: f"vi-{1 + (n > numbers(21)[20])}")
    facts = [answered(attempt, NOW) for attempt in heard]
    facts += [pressed(heard[at], "1", NOW) for at in (0, 1, 2, 25)]
    await store.write(apply, facts, BY_NINE)
    await store.close()


def test_versions_are_compared_with_their_bounds(tstn: Tstn) -> None:
    asyncio.run(_call_some(tstn))
    one, two = tstn.json("campaign", "variants", "split")
    assert (one["version"], one["weight"], one["called"], one["keys"]) == ("vi-1", 50, 21, {"1": 3})
    assert one["key_1_rate"] == pytest.approx(3 / 21)
    assert (one["key_1_low"], one["key_1_high"]) == pytest.approx((0.0498, 0.3464), abs=1e-3)
    assert (two["version"], two["answered"]) == ("vi-2", 19)
    lines = [line.split() for line in tstn("campaign", "variants", "split").splitlines()]
    wanted = ["vi-1", "50", "21", "21", "3", "14.3%", "5.0%", "to", "34.6%", "0", "0"]
    assert wanted in lines
