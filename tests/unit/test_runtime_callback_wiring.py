"""From the settings to what the ticks need: hours, pauses, and the text's account."""

from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from domain.callbacks import RETRIED, Outcome
from domain.errors import ConfigError
from runtime.callback_wiring import agents_hours, callback_setting
from runtime.settings import Settings
from runtime.settings_load import load_settings
from sms.replies import check

ACCOUNT = """
[{name}]
host = "127.0.0.1"
system_id = "tstn"
password_file = "var/{name}.password"
"""
HOLIDAY = datetime(2021, 4, 30, 3, 0, tzinfo=UTC)


def settings(tmp_path: Path, callbacks: str = "", *accounts: str) -> Settings:
    file, smscs = tmp_path / "tstn.toml", tmp_path / "smsc.toml"
    file.write_text(f'[sms]\nsmsc_file = "{smscs}"\n[callbacks]\n{callbacks}\n', encoding="utf-8")
    smscs.write_text("".join(ACCOUNT.format(name=name) for name in accounts), encoding="utf-8")
    return load_settings(file, {})


def test_the_defaults_are_whole(tmp_path: Path) -> None:
    found = callback_setting(settings(tmp_path))
    assert set(found.redial.pauses) == RETRIED
    assert found.redial.pauses[Outcome.BUSY] == timedelta(minutes=15)
    assert found.at_risk == timedelta(hours=3)
    assert found.notice("+84900000001") is None  # no SMSC, no text
    assert found.hours.is_open(HOLIDAY)


def test_holidays_are_closed_where_it_is_set_so(tmp_path: Path) -> None:
    closed = settings(tmp_path, "work_on_holidays = false")
    assert not agents_hours(closed).is_open(HOLIDAY)
    corrected = replace(
        closed, calendar=replace(closed.calendar, holidays={date(2021, 4, 30): False})
    )
    assert agents_hours(corrected).is_open(HOLIDAY)


def test_hours_that_make_no_sense_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"callbacks\.agents_hours: .*21:00-07:00"):
        callback_setting(settings(tmp_path, 'agents_hours = ["21:00-07:00"]'))


def test_the_text_goes_by_the_first_account_or_the_named_one(tmp_path: Path) -> None:
    first = callback_setting(settings(tmp_path, "", "north", "south")).notice("+84900000001")
    named = callback_setting(settings(tmp_path, 'sms_account = "south"', "north", "south"))
    other = named.notice("+84900000001")
    assert first is not None
    assert other is not None
    assert (first.account, other.account) == ("north", "south")
    assert (first.source, len(first.parts)) == ("9231", 1)
    with pytest.raises(ConfigError, match=r"callbacks\.sms_account 'west' .*north or south"):
        callback_setting(settings(tmp_path, 'sms_account = "west"', "north", "south"))


def test_the_text_is_checked_at_start_as_all_are(tmp_path: Path) -> None:
    texts = asdict(settings(tmp_path).replies)
    check(texts)
    with pytest.raises(ConfigError, match="unreachable"):
        check(texts | {"unreachable": "x" * 161})
