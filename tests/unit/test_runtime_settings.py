"""Settings: the shipped file and the dataclasses agree, and every mistake is named."""

import tomllib
from dataclasses import fields
from datetime import date, time
from pathlib import Path

import pytest

from domain.errors import ConfigError
from runtime.settings import HIDDEN, Settings, knobs, redacted, require_secrets, secret_keys
from runtime.settings_load import DEFAULT_FILE, load_settings

TOKEN = "abcdefghijklmnopqrstuvwxyz"


def load(tmp_path: Path, text: str = "", **environment: str) -> Settings:
    file = tmp_path / "tstn.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, environment)


def mistakes(tmp_path: Path, text: str = "", **environment: str) -> str:
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, text, **environment)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_the_shipped_file_names_every_setting_and_no_other() -> None:
    shipped = tomllib.loads(DEFAULT_FILE.read_text(encoding="utf-8"))
    expected = {
        section: {key for key, knob in keys.items() if not knob.limits.secret}
        for section, keys in knobs().items()
    }
    assert {section: set(table) for section, table in shipped.items()} == expected


def test_the_shipped_file_holds_the_defaults(tmp_path: Path) -> None:
    text = DEFAULT_FILE.read_text(encoding="utf-8")
    assert load(tmp_path, text) == load(tmp_path)


def test_every_setting_has_a_comment() -> None:
    blocks = DEFAULT_FILE.read_text(encoding="utf-8").split("\n[")
    for block in blocks[1:]:
        assert block.split("\n")[1].startswith("#"), block


def test_every_default_keeps_its_own_limits(tmp_path: Path) -> None:
    lines = []
    for section, keys in redacted(load(tmp_path)).items():
        given = [f"{k} = {v!r}" for k, v in keys.items() if isinstance(v, int | float | str) and v]
        lines += [f"[{section}]", *(line.replace("True", "true") for line in given)]
    load(tmp_path, "\n".join(lines))


def test_file_then_secrets_then_environment(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "secrets.toml").write_text(f'[asterisk]\nari_password = "{TOKEN}"\n')
    settings = load(
        tmp_path,
        '[trunk]\nhost = "192.0.2.1"\nport = 5070\n[calendar]\nholidays = {2026-08-31 = true}',
        TSTN_TRUNK_HOST="192.0.2.2",
        TSTN_TRUNK_CODECS='["ulaw"]',
        TSTN_DIALER_CPS="3",
        TSTN_CALLBACKS_TARGET_BY="20:30",
        TSTN_ASTERISK_RTP_STRICT="false",
    )
    assert (settings.trunk.host, settings.trunk.port) == ("192.0.2.2", 5070)
    assert settings.trunk.codecs == ("ulaw",)
    assert settings.dialer.cps == 3.0
    assert settings.callbacks.target_by == time(20, 30)
    assert settings.calendar.holidays == {date(2026, 8, 31): True}
    assert settings.asterisk.rtp_strict is False
    assert settings.asterisk.ari_password == TOKEN


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.spool.path == tmp_path / "var" / "spool.sqlite"
    assert settings.store.url == f"sqlite:///{tmp_path}/var/tstn.sqlite"
    assert load(tmp_path, '[spool]\npath = "/srv/spool"').spool.path == Path("/srv/spool")


def test_relative_paths_leave_a_config_directory(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    settings = load(tmp_path / "config")
    assert settings.root == tmp_path
    assert settings.secrets_file == tmp_path / "var" / "secrets.toml"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[dialler]\ncps = 3", "unknown section [dialler], did you mean dialer?"),
        ("[dialer]\nring_timeout = 3", "dialer.ring_timeout, did you mean ring_timeout_seconds?"),
        ("store = 3", "store is a section: write [store]"),
        ('[dialer]\ncps = "3"', "dialer.cps must be a number, not '3'"),
        ("[dialer]\ncps = nan", "dialer.cps must be a number, not nan"),
        ("[dialer]\ncps = true", "dialer.cps must be a number, not True"),
        ("[dialer]\ncps = 0", "dialer.cps must be at least 0.01, not 0"),
        ("[trunk]\nport = 65536", "trunk.port must be at most 65535, not 65536"),
        ("[trunk]\nport = 5060.0", "trunk.port must be a whole number, not 5060.0"),
        ('[trunk]\nhost = "a;b"', "trunk.host must be a host name or an IPv4 address, not 'a;b'"),
        ('[trunk]\nname = "a\\nb"', "trunk.name must be a name of letters, digits, _ and -"),
        ('[trunk]\ncodecs = ["g729"]', "trunk.codecs must be alaw or ulaw, not ['g729']"),
        ("[trunk]\ncodecs = []", "trunk.codecs must be a list of texts, not []"),
        ('[trunk]\nnumber_format = "x"', "trunk.number_format must be national or e164"),
        ('[store]\nurl = "mysql://x"', "store.url must be sqlite:///FILE or postgresql://"),
        ('[callbacks]\ntarget_by = "24:00"', "callbacks.target_by must be a time like 21:00"),
        ("[callbacks]\nagents_hours = []", "callbacks.agents_hours must be a list of texts"),
        ("[callbacks]\nmax_attempts = 0", "callbacks.max_attempts must be at least 1"),
        ("[calendar]\nholidays = {x = true}", "calendar.holidays must be a table of days"),
        ("[calendar]\nholidays = {2026-01-02 = 1}", "calendar.holidays must be a table of days"),
        ("[asterisk]\nrtp_start = 2000\nrtp_end = 2000", "rtp_end must be above"),
        ("[asterisk]\nari_password = 'x'", "asterisk.ari_password belongs in var/secrets.toml"),
        ("[store\n", "is not TOML"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, words: str) -> None:
    assert words in mistakes(tmp_path, text)


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    said = mistakes(tmp_path, "[dialer]\ncps = 0\n[log]\nlevel = 'loud'", TSTN_TRUNK_HOTS="x")
    assert "dialer.cps" in said
    assert "log.level" in said
    assert "unknown variable TSTN_TRUNK_HOTS, did you mean TSTN_TRUNK_HOST?" in said


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    assert "hunter2" not in mistakes(tmp_path, TSTN_ASTERISK_ARI_PASSWORD="hunter2")
    settings = load(
        tmp_path,
        TSTN_ASTERISK_ARI_PASSWORD=TOKEN,
        TSTN_STORE_URL="postgresql://tstn:hunter2@db/tstn",
    )
    shown = redacted(settings)
    assert shown["asterisk"]["ari_password"] == HIDDEN
    assert shown["asterisk"]["ami_secret"] == ""
    assert shown["store"]["url"] == f"postgresql://tstn:{HIDDEN}@db/tstn"
    assert set(shown) == {f.name for f in fields(Settings)} - {"root"}


def test_the_secrets_file_holds_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "secrets.toml").write_text("[dialer]\ncps = 3\n")
    assert "dialer.cps belongs in the settings file" in mistakes(tmp_path)


def test_missing_secrets_say_what_to_do(tmp_path: Path) -> None:
    assert secret_keys() == (
        ("asterisk", "ari_password"),
        ("asterisk", "ami_secret"),
        ("law", "erasure_key"),
        ("agents", "phone_secret"),
    )
    with pytest.raises(ConfigError, match="run `tstn asterisk render DIR`"):
        require_secrets(load(tmp_path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no settings file .*nothing\.toml"):
        load_settings(None, {"TSTN_CONFIG": str(tmp_path / "nothing.toml")})


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("postgresql://tstn@db/tstn", "postgresql://tstn:{}@db/tstn"),
        ("postgresql://tstn@/tstn?host=/run/db", "postgresql://tstn:{}@/tstn?host=/run/db"),
    ],
)
def test_the_stores_password_comes_from_its_file(tmp_path: Path, url: str, whole: str) -> None:
    (tmp_path / "db.password").write_text("p@ss/w:rd\n")
    text = f'[store]\nurl = "{url}"\npassword_file = "db.password"'
    settings = load(tmp_path, text)
    assert settings.store.url == whole.format("p%40ss%2Fw%3Ard")
    assert redacted(settings)["store"]["url"] == whole.format(HIDDEN)


@pytest.mark.parametrize(
    ("url", "password", "words"),
    [
        ("postgresql://tstn@db/tstn", "", "no password of the store in"),
        ("sqlite:///var/tstn.sqlite", "hunter2", "goes with store.url = postgresql://USER@HOST"),
        ("postgresql://tstn:old@db/tstn", "hunter2", "goes with store.url"),
        ("postgresql://db/tstn", "hunter2", "goes with store.url"),
    ],
)
def test_a_password_file_that_does_not_fit_is_refused(
    tmp_path: Path, url: str, password: str, words: str
) -> None:
    (tmp_path / "db.password").write_text(password)
    said = mistakes(tmp_path, f'[store]\nurl = "{url}"\npassword_file = "db.password"')
    assert words in said
    assert "hunter2" not in said
