"""Rendering of Asterisk's configuration from the settings."""

import os
import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from domain.errors import ConfigError
from runtime.asterisk_config import (
    TEMPLATES,
    entity_id,
    phone_names,
    phone_password,
    prompts_version,
    render,
    render_templates,
)
from runtime.settings import Settings
from runtime.settings_load import load_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "tstn.toml").write_text('[ivr]\nscript = "script.toml"\n')
    (tmp_path / "script.toml").write_text('version = "vi-9"\n')
    return load_settings(tmp_path / "tstn.toml", {})


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another account")
def test_who_could_read_a_file_still_can_when_root_has_written_it_again(
    settings: Settings, tmp_path: Path
) -> None:
    """As in an upgrade: Asterisk its configuration, the server the passwords."""
    written = [*render(settings, tmp_path / "etc"), settings.secrets_file]
    for file in written:
        os.chown(file, 12345, 23456)
    settings.secrets_file.write_text("")
    render(load_settings(tmp_path / "tstn.toml", {}), tmp_path / "etc")
    assert "ari_password" in settings.secrets_file.read_text()
    assert {(file.stat().st_uid, file.stat().st_gid) for file in written} == {(12345, 23456)}


def test_every_template_is_rendered_and_unreadable_for_others(
    settings: Settings, tmp_path: Path
) -> None:
    written = render(settings, tmp_path / "etc")
    assert {file.name for file in written} == {file.name for file in TEMPLATES.glob("*.conf")}
    for file in written:
        assert mode(file) == 0o640
        assert "@{" not in file.read_text()
    assert {file.name for file in (tmp_path / "etc").iterdir()} == {file.name for file in written}


def test_secrets_are_made_once_and_kept(settings: Settings, tmp_path: Path) -> None:
    render(settings, tmp_path / "etc")
    assert mode(settings.secrets_file) == 0o600
    again = load_settings(tmp_path / "tstn.toml", {})
    assert len(again.asterisk.ari_password) >= 24
    assert again.asterisk.ari_password != again.asterisk.ami_secret
    before = (tmp_path / "etc" / "ari.conf").read_text()
    render(again, tmp_path / "etc")
    assert (tmp_path / "etc" / "ari.conf").read_text() == before
    assert f"password={again.asterisk.ari_password}" in before


def test_no_secret_stands_in_the_templates() -> None:
    for template in TEMPLATES.glob("*.conf"):
        values = re.findall(r"^(?:secret|password)=(.*)$", template.read_text(), re.MULTILINE)
        assert all(re.fullmatch(r"@\{[a-z_]+\}", value) for value in values), template


def test_settings_reach_their_files(settings: Settings, tmp_path: Path) -> None:
    asterisk = replace(settings.asterisk, ari_url="http://127.0.0.1:8099", rtp_strict=False)
    trunk = replace(settings.trunk, name="west", host="192.0.2.9", port=5071, codecs=("ulaw",))
    render(replace(settings, asterisk=asterisk, trunk=trunk), tmp_path / "etc")
    pjsip = (tmp_path / "etc" / "pjsip.conf").read_text()
    assert pjsip.count("[west]") == 3
    assert "contact=sip:192.0.2.9:5071" in pjsip
    assert "allow=ulaw\n" in pjsip
    assert "media_address=127.0.0.1\nbind_rtp_to_media_address=yes" in pjsip
    assert "bindport=8099" in (tmp_path / "etc" / "http.conf").read_text()
    assert "strictrtp=no" in (tmp_path / "etc" / "rtp.conf").read_text()
    assert "Playback(tstn/vi-9/no_agent)" in (tmp_path / "etc" / "extensions.conf").read_text()


def test_every_address_means_no_media_address(settings: Settings, tmp_path: Path) -> None:
    open_to_all = replace(settings.asterisk, sip_host="0.0.0.0")
    render(replace(settings, asterisk=open_to_all), tmp_path / "etc")
    pjsip = (tmp_path / "etc" / "pjsip.conf").read_text()
    assert "media_address=\nbind_rtp_to_media_address=no" in pjsip


@pytest.mark.parametrize("bad", ["a\nb", "a;b", "a]b", "a\\b", "#include x", "a\rb"])
def test_nothing_can_be_injected(tmp_path: Path, bad: str) -> None:
    with pytest.raises(ConfigError, match="trunk cannot stand in an Asterisk file"):
        render_templates([TEMPLATES / "pjsip.conf"], {"trunk": bad}, tmp_path)


def test_a_wrong_template_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.conf").write_text("x=@{nobody_knows}\n")
    with pytest.raises(ConfigError, match=r"template odd.conf is wrong: .*nobody_knows"):
        render_templates([tmp_path / "odd.conf"], {}, tmp_path / "etc")


def test_each_agent_has_a_phone_with_a_password_of_its_own(
    settings: Settings, tmp_path: Path
) -> None:
    settings = replace(settings, agents=replace(settings.agents, phones=3))
    render(settings, tmp_path / "etc")
    pjsip = (tmp_path / "etc" / "pjsip.conf").read_text()
    passwords = re.findall(r"^username=(agent\d+)\npassword=([A-Za-z0-9_-]{43})$", pjsip, re.M)
    assert (
        [name for name, _ in passwords] == phone_names(settings) == ["agent1", "agent2", "agent3"]
    )
    assert len({password for _, password in passwords}) == 3
    kept = load_settings(tmp_path / "tstn.toml", {})
    assert passwords[1][1] == phone_password(kept, "agent2")
    assert "agents-trunk" not in pjsip


def test_agents_dial_nothing_by_themselves(settings: Settings, tmp_path: Path) -> None:
    render(settings, tmp_path / "etc")
    dialplan = (tmp_path / "etc" / "extensions.conf").read_text()
    assert "[from-agents]\n\n" in dialplan
    pjsip = (tmp_path / "etc" / "pjsip.conf").read_text()
    phone = pjsip.split("[agent-phone](!)")[1].split("\n[")[0]
    assert "context=from-agents" in phone
    assert "allow_transfer=no" in phone


def test_key_3_leads_to_a_trunk_where_that_is_set(settings: Settings, tmp_path: Path) -> None:
    agents = replace(settings.agents, hand_over="trunk", trunk_host="192.0.2.5", trunk_port=5062)
    render(replace(settings, agents=agents), tmp_path / "etc")
    assert "contact=sip:192.0.2.5:5062" in (tmp_path / "etc" / "pjsip.conf").read_text()
    assert "Goto(trunk,1)" in (tmp_path / "etc" / "extensions.conf").read_text()


def test_the_identity_is_stable_and_locally_administered() -> None:
    assert entity_id("node1") == entity_id("node1") != entity_id("node2")
    assert int(entity_id("node1")[:2], 16) & 3 == 2


@pytest.mark.parametrize("text", ["", 'version = ""', 'version = "a/b"', "version = 3"])
def test_a_script_without_version_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "script.toml").write_text(text)
    with pytest.raises(ConfigError, match="needs a line like version"):
        prompts_version(tmp_path / "script.toml")


def rendered(settings: Settings, directory: Path, driver: str) -> dict[str, str]:
    """Every file's text, by its name without the ending."""
    files = render(replace(settings, ivr=replace(settings.ivr, driver=driver)), directory)
    return {file.stem: file.read_text() for file in files}


def test_each_driver_gets_the_rights_it_needs_and_no_more(
    settings: Settings, tmp_path: Path
) -> None:
    ari = rendered(settings, tmp_path / "ari", "ari")
    agi = rendered(settings, tmp_path / "agi", "agi")
    assert "read=agent,system,user\nwrite=agent,reporting\n" in ari["manager"]
    assert "read=agent,system,user,call,dtmf\n" in agi["manager"]
    assert "write=agent,reporting,call,originate\n" in agi["manager"]
    assert ["enabled=yes" in ari[file] for file in ("ari", "http")] == [True, True]
    assert ["enabled=no" in agi[file] for file in ("ari", "http")] == [True, True]
    assert "\nnoload=res_agi.so" in ari["modules"]
    assert "\nload=res_agi.so" in agi["modules"]


def test_a_caller_whom_no_agent_took_comes_back_to_the_driver(
    settings: Settings, tmp_path: Path
) -> None:
    ari = rendered(settings, tmp_path / "ari", "ari")["extensions"]
    agi = rendered(settings, tmp_path / "agi", "agi")["extensions"]
    assert " same => n,Stasis(tstn,${UNIQUEID},${WHY})\n" in ari
    assert " same => n,Goto(tstn-agi,${WHY},1)\n" in agi
    assert "AGI(agi://127.0.0.1:4573,${UNIQUEID},${EXTEN})" in agi
    assert "exten => call,1(ask),AGI(agi://127.0.0.1:4573,${UNIQUEID})" in agi
