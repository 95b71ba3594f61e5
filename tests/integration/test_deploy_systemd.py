"""The units of systemd: they load, keep the server in its place, and let calls end. I/O."""

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from lab.asterisk import lab_root
from lab.network import CHECKOUT
from runtime.settings import DialerSettings

UNITS = CHECKOUT / "deploy" / "systemd"
PLACE = "/opt/tstn"
pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd on this machine"
)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as on a host, for a checkout in another place."""
    shutil.copytree(UNITS, tmp_path, dirs_exist_ok=True)
    unit = tmp_path / "tstn.service"
    checkout = tmp_path / "checkout"
    program = checkout / ".venv" / "bin" / "tstn"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    unit.write_text(unit.read_text().replace(PLACE, str(checkout)))
    debians = lab_root() / "usr/lib/systemd/system/asterisk.service"
    text = debians.read_text().replace("/usr/sbin/asterisk", "/bin/true")
    (tmp_path / "asterisk.service").write_text(text)
    return tmp_path


@pytest.mark.parametrize("unit", ["tstn.service", "asterisk.service"])
def test_the_unit_loads_without_a_word(installed: Path, unit: str) -> None:
    assert analyze("verify", "--man=no", str(installed / unit)) == ""


def test_a_mistake_would_be_found(installed: Path) -> None:
    unit = installed / "tstn.service"
    unit.write_text(unit.read_text().replace("ProtectClock=yes", "ProtectClocks=yes"))
    assert "ProtectClocks" in analyze("verify", "--man=no", str(unit))


def test_the_server_is_exposed_to_little(installed: Path) -> None:
    report = analyze("security", "--offline=yes", "--no-pager", str(installed / "tstn.service"))
    last = next(line for line in report.splitlines() if "Overall exposure level" in line)
    assert float(last.split(":")[1].split()[0]) < 2.5


def test_calls_end_before_the_server_is_killed() -> None:
    unit = read(UNITS / "tstn.service")["Service"]
    assert float(unit["TimeoutStopSec"]) >= DialerSettings().drain_seconds + 20


def test_asterisk_gets_the_files_and_threads_of_its_calls() -> None:
    unit = read(UNITS / "asterisk.service.d" / "tstn.conf")["Service"]
    assert int(unit["LimitNOFILE"]) >= 200_000
    assert unit["TasksMax"] == "infinity"


def read(file: Path) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment]
    unit.read(file)
    return unit


def analyze(*arguments: str) -> str:
    done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True)
    return (done.stdout + done.stderr).strip()
