"""`tstn install-check` on this machine, and on places made as an installation makes them. I/O."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.asterisk_config import render
from runtime.check_lines import Verdict
from runtime.install import asterisk_files, units
from runtime.install.examination import examine
from runtime.settings import Settings
from runtime.settings_load import load_settings

TSTN = Path(sys.executable).with_name("tstn")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Those of an empty directory, with the call script of the checkout."""
    (tmp_path / "tstn.toml").touch()
    shipped = load_settings(environment={})
    return load_settings(
        tmp_path / "tstn.toml", {"TSTN_IVR_SCRIPT": str(shipped.ivr.script.absolute())}
    )


def verdict(settings: Settings, name: str) -> Verdict:
    return {line.name: line.verdict for line in examine(settings)}[name]


def test_the_command_tells_what_is_missing(settings: Settings) -> None:
    config = str(settings.root / "tstn.toml")
    command = [str(TSTN), "--config", config, "install-check", "--json"]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TSTN_")},
        "TSTN_IVR_SCRIPT": str(settings.ivr.script),
    }
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    answer = json.loads(done.stdout)
    lines = {line["name"]: line for line in answer["lines"]}
    assert done.returncode == 1
    assert answer["ok"] is False
    assert lines["Python"]["verdict"] == "ok"
    assert lines["passwords"]["verdict"] == "fail"
    assert "tstn asterisk render" in lines["passwords"]["todo"]
    assert all(line["todo"] for line in lines.values() if line["verdict"] != "ok")


def test_looking_changes_nothing(settings: Settings) -> None:
    before = sorted(settings.root.rglob("*"))
    examine(settings)
    assert sorted(settings.root.rglob("*")) == before


def test_asterisks_files_are_those_of_the_settings(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    etc = tmp_path / "etc"
    monkeypatch.setattr(asterisk_files, "CONFIGURATION", etc)
    monkeypatch.setattr(asterisk_files, "has_account", lambda _: False)
    assert verdict(settings, "Asterisk configuration") is Verdict.FAIL
    render(settings, etc)
    settings = load_settings(tmp_path / "tstn.toml", {"TSTN_IVR_SCRIPT": str(settings.ivr.script)})
    assert verdict(settings, "Asterisk configuration") is Verdict.OK
    (etc / "pjsip.conf").write_text("; changed by hand\n")
    assert verdict(settings, "Asterisk configuration") is Verdict.FAIL


def test_the_prompts_are_where_asterisk_looks(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sounds = tmp_path / "sounds"
    monkeypatch.setattr(asterisk_files, "SOUNDS", sounds)
    monkeypatch.setattr(asterisk_files, "has_account", lambda _: False)
    assert verdict(settings, "way to the prompts") is Verdict.FAIL
    settings.ivr.prompts_dir.mkdir(parents=True)
    sounds.symlink_to(settings.ivr.prompts_dir)
    assert verdict(settings, "way to the prompts") is Verdict.OK


def test_the_units_are_those_of_this_version(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(units, "INSTALLED", tmp_path)
    assert verdict(settings, "tstn.service") is Verdict.FAIL
    for name in units.UNITS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((units.SHIPPED / name).read_text())
    assert {verdict(settings, name) for name in units.UNITS} == {Verdict.OK}
    (tmp_path / "tstn.service").write_text("[Service]\nExecStart=/bin/true\n")
    assert verdict(settings, "tstn.service") is Verdict.WARN
