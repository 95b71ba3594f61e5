"""The file of SMSC accounts: the shipped one tells the defaults, and every mistake is named."""

import re
import tomllib
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from domain.errors import ConfigError
from runtime.settings import Settings
from runtime.settings_load import DEFAULT_FILE, load_settings
from runtime.smsc_file import Smscs, SmscSettings, load_smscs, read_accounts, shown
from sms.alphabet import DefaultAlphabet
from sms.pdu.make import BindKind
from sms.segments import LongStyle
from sms.setting import AccountSetting

SHIPPED = DEFAULT_FILE.with_name("smsc.toml").read_text(encoding="utf-8")
LEAST = 'host = "192.0.2.1"\nsystem_id = "tstn"\npassword_file = "var/password"\n'
MAIN = f"[main]\n{LEAST}"


def uncommented() -> str:
    """The shipped file as it is once its user has taken the # away."""
    section = SHIPPED[SHIPPED.index("# [main]") :]
    return re.sub(r"^# ?", "", section, flags=re.MULTILINE)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose directory has a password, but no file of accounts yet."""
    (tmp_path / "config").mkdir()
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "password").write_text("sesame\n")
    file = tmp_path / "config" / "tstn.toml"
    file.write_text("")
    return load_settings(file, {})


def load(settings: Settings, text: str) -> Smscs:
    settings.sms.smsc_file.write_text(text, encoding="utf-8")
    return load_smscs(settings)


def mistakes(settings: Settings, text: str) -> str:
    with pytest.raises(ConfigError) as raised:
        load(settings, text)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_the_shipped_file_has_no_account(settings: Settings) -> None:
    assert load(settings, SHIPPED) == Smscs((), {}, {})


def test_the_shipped_file_names_every_setting_with_its_default(settings: Settings) -> None:
    settings.sms.smsc_file.write_text(uncommented(), encoding="utf-8")
    account = read_accounts(settings.sms.smsc_file)["main"]
    [given] = tomllib.loads(uncommented()).values()
    assert set(given) == {each.name for each in fields(SmscSettings)}
    defaults = {
        each.name: each.default for each in fields(SmscSettings) if each.default is not MISSING
    }
    assert {name: getattr(account, name) for name in defaults} == defaults
    assert set(given) - set(defaults) == {"host", "system_id", "password_file"}


def test_without_a_file_there_are_no_accounts(settings: Settings) -> None:
    assert load_smscs(settings) == Smscs((), {}, {})


def test_an_account_comes_to_a_bind(settings: Settings) -> None:
    smscs = load(settings, MAIN)
    [bind] = smscs.binds
    assert (bind.name, bind.account, bind.kind) == ("node1:main:1", "main", BindKind.TRX)
    assert (bind.host, bind.port, bind.system_id) == ("192.0.2.1", 2775, "tstn")
    assert (bind.password, bind.long_password) == ("sesame", False)
    assert (bind.tps, bind.window, bind.tls_ca, bind.server_name) == (None, 10, None, None)
    assert bind.retry_seconds == (1.0, 60.0)
    assert (smscs.account_tps, smscs.accounts) == ({}, {"main": AccountSetting()})


def test_all_that_can_be_set_arrives(settings: Settings) -> None:
    (settings.root / "var" / "password").write_text("longer than 8")
    more = """
        port = 3000
        binds = 2
        kind = "pair"
        window = 50
        tps = 20
        account_tps = 30.5
        tls = true
        tls_ca = "config/ca.pem"
        server_name = "smsc"
        system_type = "SMPP"
        address_range = "9231"
        default_alphabet = "latin1"
        long_style = "sar"
        source_ton = 0
        source_npi = 1
        response_timeout_seconds = 5
        enquire_after_seconds = 6
        enquire_timeout_seconds = 7
        retry_seconds = 2
        longest_retry_seconds = 8
    """
    smscs = load(settings, MAIN + more + f"[other]\n{LEAST}")
    assert [(bind.name, bind.kind) for bind in smscs.binds] == [
        ("node1:main:1", BindKind.TX),
        ("node1:main:2", BindKind.RX),
        ("node1:main:3", BindKind.TX),
        ("node1:main:4", BindKind.RX),
        ("node1:other:1", BindKind.TRX),
    ]
    bind = smscs.binds[0]
    assert (bind.port, bind.window, bind.tps, bind.tls, bind.server_name) == (
        *(3000, 50, 20.0, True, "smsc"),
    )
    assert bind.tls_ca == settings.root / "config" / "ca.pem"
    assert (bind.system_type, bind.address_range, bind.long_password) == ("SMPP", "9231", True)
    assert (bind.response_timeout_seconds, bind.enquire_after_seconds) == (5.0, 6.0)
    assert (bind.enquire_timeout_seconds, bind.retry_seconds) == (7.0, (2.0, 8.0))
    assert smscs.account_tps == {"main": 30.5}
    assert smscs.accounts["main"] == AccountSetting(DefaultAlphabet.LATIN1, LongStyle.SAR, 0, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[main\n", "is not TOML"),
        (LEAST, "host stands outside a section: write [NAME] above it"),
        (MAIN + "prot = 1", "smsc.toml: unknown key main.prot, did you mean port?"),
        (f'["a b"]\n{LEAST}', "section's name must be a name of letters, digits, _ and -, not 'a"),
        ("[main]", "main.host is missing; main.password_file is missing; main.system_id is miss"),
        (MAIN.replace("192.0.2.1", "a;b"), "main.host must be a host name or an IP address"),
        (MAIN.replace('"tstn"', "7"), "main.system_id must be text, not 7"),
        (MAIN.replace('"var/password"', '""'), "main.password_file must be a path, not ''"),
        (MAIN + "port = 0", "main.port must be at least 1, not 0"),
        (MAIN + "port = 65536", "main.port must be at most 65535"),
        (MAIN + 'kind = "tx"', "main.kind must be trx or pair, not 'tx'"),
        (MAIN + "binds = 0", "main.binds must be at least 1"),
        (MAIN + "binds = 33", "main.binds must be at most 32"),
        (MAIN + "window = 1.5", "main.window must be a whole number, not 1.5"),
        (MAIN + "window = 0", "main.window must be at least 1"),
        (MAIN + "window = 1001", "main.window must be at most 1000"),
        (MAIN + "tps = -1", "main.tps must be at least 0"),
        (MAIN + "tps = inf", "main.tps must be a number, not inf"),
        (MAIN + 'account_tps = "9"', "main.account_tps must be a number, not '9'"),
        (MAIN + "account_tps = 100001", "main.account_tps must be at most 100000"),
        (MAIN + 'tls = "yes"', "main.tls must be true or false, not 'yes'"),
        (MAIN + "tls_ca = true", "main.tls_ca must be text"),
        (MAIN + "server_name = 1", "main.server_name must be text"),
        (MAIN + "system_type = 1", "main.system_type must be text"),
        (MAIN + "address_range = 9231", "main.address_range must be text, not 9231"),
        (MAIN + 'default_alphabet = "utf8"', "default_alphabet must be gsm7 or latin1 or ascii"),
        (MAIN + 'long_style = "udh"', "long_style must be udh8 or udh16 or sar or payload"),
        (MAIN + "source_ton = 256", "main.source_ton must be at most 255"),
        (MAIN + "source_npi = -1", "main.source_npi must be at least 0"),
        (MAIN + "response_timeout_seconds = 0", "response_timeout_seconds must be at least 0.05"),
        (MAIN + "enquire_after_seconds = 0", "enquire_after_seconds must be at least 0.05"),
        (MAIN + "enquire_timeout_seconds = 0", "enquire_timeout_seconds must be at least 0.05"),
        (MAIN + "retry_seconds = 0", "main.retry_seconds must be at least 0.05"),
        (MAIN + "longest_retry_seconds = 3601", "longest_retry_seconds must be at most 3600"),
    ],
)
def test_a_mistake_is_named(settings: Settings, text: str, words: str) -> None:
    assert words in mistakes(settings, text)


def test_all_mistakes_of_all_accounts_are_named_at_once(settings: Settings) -> None:
    said = mistakes(settings, f"[a]\n{LEAST}port = 0\nwindow = 0\n[b]\n{LEAST}bind = 2")
    for words in ("a.port", "a.window", "b.bind, did you mean binds?"):
        assert words in said


def test_a_password_that_is_not_there_is_asked_for(settings: Settings) -> None:
    (settings.root / "var" / "password").unlink()
    said = mistakes(settings, MAIN)
    assert "no password of SMSC account main in" in said
    assert "var/password: write it there, mode 0600, and nothing else" in said


def test_a_file_that_cannot_be_read_is_named(settings: Settings) -> None:
    settings.sms.smsc_file.mkdir()
    with pytest.raises(ConfigError, match=r"cannot read .*smsc\.toml: Is a directory"):
        load_smscs(settings)
    settings.sms.smsc_file.rmdir()
    settings.sms.smsc_file.write_bytes(b"# \xff")
    with pytest.raises(ConfigError, match="is not TOML"):
        load_smscs(settings)


def test_the_password_is_never_shown(settings: Settings) -> None:
    [bind] = load(settings, MAIN).binds
    assert "sesame" not in repr(bind)
    [account] = read_accounts(settings.sms.smsc_file).values()
    assert shown(account)["password_file"] == "var/password"
    assert "sesame" not in str(shown(account))
    # One that stands in the file itself is no known key, and is not repeated.
    assert "open" not in mistakes(settings, MAIN + 'password = "open"')
