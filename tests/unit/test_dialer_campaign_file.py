"""Campaign files and tune pairs: defaults, every kind of mistake, what a row gets. Pure."""

import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer import text_campaign_file
from dialer.campaign_file import read_campaign, read_tuning
from dialer.retry import DEFAULT_RULES, RetryRule, rules_from_row, rules_to_row
from domain.calendar import Window
from domain.dispositions import Disposition
from domain.errors import InputError
from store.models import Campaign

EXAMPLE = Path(__file__).parents[2] / "config" / "campaigns" / "example.toml"
TEXT_DEFAULTS = text_campaign_file.DEFAULTS
DEFAULT_RETRY = rules_to_row(DEFAULT_RULES)


def read(text: str) -> dict[str, Any]:
    return read_campaign(text, script_version="vi-1", ring_timeout_seconds=30)


def tuned(*pairs: str) -> dict[str, Any]:
    return read_tuning(pairs, retry=DEFAULT_RETRY)


def test_a_name_is_all_that_must_stand_in_a_file() -> None:
    values = read_campaign('name = "a"', script_version="vi-9", ring_timeout_seconds=25)
    assert values == {
        "name": "a",
        "purpose": None,
        "script_version": "vi-9",
        "cps": 5.0,
        "max_channels": 50,
        "ring_timeout_seconds": 25,
        "max_attempts": 4,
        "windows": ["08:00-17:00"],
        "call_on_holidays": False,
        "by_phase": False,
        "priority": 5,
        "retry": DEFAULT_RETRY,
        "variants": {},
        **TEXT_DEFAULTS,
    }


def test_the_values_are_the_columns_that_a_maker_of_campaigns_chooses() -> None:
    of_the_store = {"id", "state", "created_at", "started_at", "text_due_at"}
    assert set(read('name = "a"')) == {c.key for c in Campaign.__table__.columns} - of_the_store


def test_the_example_shows_every_key_with_its_default() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert read(text) == read('name = "phase-1-list-1"\npurpose = "customer_care"')
    assert set(tomllib.loads(text)) == set(read('name = "a"')) - set(TEXT_DEFAULTS)


def test_every_key_of_the_example_has_a_comment_before_it() -> None:
    blocks = EXAMPLE.read_text(encoding="utf-8").partition("[retry.")[0].strip().split("\n\n")
    assert all(block.startswith("#") for block in blocks)


def test_every_key_of_a_file() -> None:
    values = read(
        """
        name = "Đợt-1.a_b"
        purpose = "advertising"
        script_version = "vi-2"
        cps = 2.5
        max_channels = 7
        ring_timeout_seconds = 20
        max_attempts = 1
        windows = ["mon-fri 08:00-11:30", " 13:30-24:00 "]
        call_on_holidays = true
        by_phase = true
        variants = { vi-1 = 30, vi-2 = 70 }
        follows = "texts"
        follow_after_hours = 48
        priority = 9
        """
    )
    assert values.pop("retry") == DEFAULT_RETRY
    assert values == TEXT_DEFAULTS | {
        "variants": {"vi-1": 30, "vi-2": 70},
        "follows": "texts",
        "follow_after_hours": 48.0,
        "name": "Đợt-1.a_b",
        "purpose": "advertising",
        "script_version": "vi-2",
        "cps": 2.5,
        "max_channels": 7,
        "ring_timeout_seconds": 20,
        "max_attempts": 1,
        "windows": ["mon-fri 08:00-11:30", "13:30-24:00"],
        "call_on_holidays": True,
        "by_phase": True,
        "priority": 9,
    }


def test_a_retry_rule_changes_only_what_it_says() -> None:
    rules = rules_from_row(
        read('name = "a"\n[retry.no_answer]\nmax = 0\n[retry.rejected]\nmax=1\ndelay_seconds=60')[
            "retry"
        ]
    )
    assert rules[Disposition.NO_ANSWER] == RetryRule(max=0, delay_seconds=3600, factor=2)
    assert rules[Disposition.REJECTED] == RetryRule(max=1, delay_seconds=60, factor=1)
    assert rules[Disposition.BUSY] == DEFAULT_RULES[Disposition.BUSY]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('nmae = "x"', "unknown key nmae: did you mean name?"),
        ("maxchannels = 5", "unknown key maxchannels: did you mean max_channels?"),
        ("zzz = 5", "unknown key zzz: the keys are name, purpose"),
        ("cps = 0", "cps: must be a number from 0.01 to 1000, not 0"),
        ("cps = nan", "cps: must be a number from 0.01 to 1000, not nan"),
        ("cps = inf", "not inf"),
        ("cps = true", "not True"),
        ('cps = "fast"', "not 'fast'"),
        ("max_channels = 1.5", "max_channels: must be a whole number from 1 to 20000, not 1.5"),
        ("max_channels = true", "must be a whole number"),
        ("ring_timeout_seconds = 4", "ring_timeout_seconds: must be a whole number from 5 to 120"),
        ("max_attempts = 0", "max_attempts: must be a whole number from 1 to 20"),
        ('purpose = "fun"', "purpose: must be advertising, customer_care, transactional"),
        ('purpose = ["advertising"]', "purpose: must be"),
        ('script_version = "VI 1"', "script_version: must be a script version"),
        ("variants = 3", "variants: must be weights by version such as { vi-1 = 50 }, not 3"),
        ("variants = { vi-1 = 0 }", "variants: must be a whole number from 1 to 1000, not 0"),
        ("variants = { VI = 5 }", "variants: must be a script version"),
        ('kind = "fax"', "kind: must be call or text, not 'fax'"),
        ('kind = "text"', 'text is missing: write text = "…"'),
        ('kind = "text"\ntext = " "', "text: must be the words of the text, not ' '"),
        ('kind = "text"\ntext = "a"\nmax_attempts = 2', "max_attempts: is for calls; this"),
        ('text = "a"', 'text: is for texts; this campaign would need kind = "text"'),
        ('source = "MobiFone"', 'source: must be a short code such as "9231"'),
        ('account = ""', "account: must be the name of an SMSC account, not ''"),
        ("follow_after_hours = 3", "follow_after_hours: needs follows, the name of a text"),
        ('follows = "a b"', "follows: must be letters, digits"),
        ("call_on_holidays = 1", "call_on_holidays: must be true or false, not 1"),
        ('windows = "08:00-17:00"', "windows: must be a list such as"),
        ("windows = []", "windows: must be a list"),
        ("windows = [8]", "windows: must be a list"),
        ('windows = ["17:00-08:00"]', "windows: calling window 17:00-08:00: the end must come"),
        ("retry = 3", "retry: write a section for each disposition"),
        ("retry.busy = 3", "retry.busy: write it as a section"),
        ("retry.bussy.max = 3", "unknown key retry.bussy: did you mean retry.busy?"),
        ("retry.answered.max = 3", "unknown key retry.answered"),
        ("retry.not_dialled.max = 3", "unknown key retry.not_dialled"),
        ("retry.busy.delay = 3", "unknown key retry.busy.delay: did you mean retry.busy.delay_s"),
        ("retry.busy.max = -1", "retry.busy.max: must be a whole number from 0 to 20, not -1"),
        ("retry.busy.delay_seconds = 0", "must be a number from 1 to 2592000, not 0"),
        ("retry.busy.factor = 0.5", "retry.busy.factor: must be a number from 1 to 10, not 0.5"),
        ("retry.rejected.max = 1", "retry.rejected.delay_seconds missing: there is no default"),
        ("retry.rejected = {}", "retry.rejected.max and retry.rejected.delay_seconds missing"),
        ("name = ", "is not TOML"),
    ],
)
def test_a_mistake_in_a_file_is_named(line: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        read(f'name = "a"\n{line}')
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["", "12", "٣٤", "-x", "_x", "a b", "a" * 81, "a/b"])
def test_a_name_must_be_fit_for_the_command_line(name: str) -> None:
    with pytest.raises(InputError, match="name: must be letters, digits"):
        read(f'name = "{name}"')


def test_a_name_is_composed() -> None:
    assert read('name = "Đơ\\u0323t"')["name"] == "Đợt"


def test_a_text_campaign_has_the_hours_of_texts() -> None:
    values = read('name = "a"\nkind = "text"\ntext = "Xin cha\\u0300o"')
    assert (values["kind"], values["text"]) == ("text", "Xin chào")
    assert values["windows"] == ["07:00-22:00"]
    assert read('name = "a"\nfollows = "b"')["follow_after_hours"] == 24.0


def test_the_example_of_a_text_campaign_shows_its_defaults() -> None:
    text = EXAMPLE.with_name("text-example.toml").read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if line.startswith(("name", "kind", "text", "purp"))]
    assert read(text) == read("\n".join(kept))
    assert set(tomllib.loads(text)) == {
        *("name", "kind", "purpose", "text", "cps", "windows", "call_on_holidays", "by_phase"),
    }


def test_what_a_text_campaign_says_is_fixed() -> None:
    for key in text_campaign_file.FIXED:
        with pytest.raises(InputError, match=f"{key}: can't be changed"):
            tuned(f"{key}=x")
    assert tuned("variants={vi-1=30, vi-2=70}") == {"variants": {"vi-1": 30, "vi-2": 70}}


def test_all_mistakes_stand_in_one_line() -> None:
    with pytest.raises(InputError) as raised:
        read("cps = 0\nfoo = 1\n[retry.busy]\nmax = 99")
    assert [part.split(":")[0] for part in str(raised.value).split("; ")] == [
        "name is missing",
        "retry.busy.max",
        "cps",
        "unknown key foo",
    ]


def test_tuning_gives_only_what_was_named() -> None:
    assert tuned("cps=8") == {"cps": 8.0}
    assert tuned("purpose=customer_care", "max_channels = 20") == {
        "purpose": "customer_care",
        "max_channels": 20,
    }
    assert tuned("call_on_holidays=true") == {"call_on_holidays": True}
    assert tuned("script_version=vi-2") == {"script_version": "vi-2"}


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        ("08:00-11:30,13:30-17:00", ["08:00-11:30", "13:30-17:00"]),
        ("sat,sun 09:00-11:30", ["sat,sun 09:00-11:30"]),
        (
            "mon-fri 08:00-17:00 , sat,sun 09:00-11:30",
            ["mon-fri 08:00-17:00", "sat,sun 09:00-11:30"],
        ),
    ],
)
def test_windows_are_tuned_as_a_list(text: str, windows: list[str]) -> None:
    assert tuned(f"windows={text}") == {"windows": windows}
    assert all(Window.parse(window) for window in windows)


def test_tuned_rules_are_merged_into_those_of_the_row() -> None:
    row = rules_to_row({Disposition.BUSY: RetryRule(max=9, delay_seconds=90)})
    assert read_tuning(["retry.busy.delay_seconds=600", "retry.busy.factor=2"], retry=row) == {
        "retry": {"busy": {"max": 9, "delay_seconds": 600.0, "factor": 2.0}}
    }
    added = read_tuning(["retry.unknown.max=1", "retry.unknown.delay_seconds=60"], retry=row)
    assert set(added["retry"]) == {"busy", "unknown"}


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("cps", "cps: write it as key=value"),
        ("=5", "=5: write it as key=value"),
        ("cps=", "cps: must be a number"),
        ("cps=fast", "cps: must be a number from 0.01 to 1000, not 'fast'"),
        ("cps=[1", "cps: must be a number from 0.01 to 1000, not '[1'"),
        ("name=b", "name: can't be changed"),
        ("state=running", "unknown key state"),
        ("retry.busy=3", "retry.busy: write it as retry.busy.delay_seconds=600"),
        ("retry=3", "retry: write it as"),
        ("retry.busy.max.x=3", "retry.busy.max.x: write it as"),
        ("retry.busy.maxx=3", "unknown key retry.busy.maxx: did you mean retry.busy.max?"),
        ("windows=", "calling window"),
        ("call_on_holidays=yes", "call_on_holidays: must be true or false, not 'yes'"),
    ],
)
def test_a_mistake_in_a_pair_is_named(pair: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        tuned(pair)
    assert message in str(raised.value)


def test_a_key_can_be_given_once() -> None:
    with pytest.raises(InputError, match="cps: is given twice"):
        tuned("cps=1", "cps=2")


@given(st.lists(st.text(), max_size=4))
def test_pairs_of_any_text_are_read_or_refused(pairs: list[str]) -> None:
    with suppress(InputError):
        tuned(*pairs)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())
KEYS = st.sampled_from([*read('name = "a"'), "other"])


@given(KEYS, SCALARS)
def test_a_value_of_any_kind_is_read_or_refused(key: str, value: object) -> None:
    text = repr(value).replace("'", '"').replace("True", "true").replace("False", "false")
    with suppress(InputError):
        read(f'name = "a"\n{key} = {text}')
