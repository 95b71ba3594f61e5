"""docker-compose.yml: what every service must keep to, whatever is added to it."""

import re
from fnmatch import fnmatch
from typing import Any

import pytest
import yaml

from lab.network import CHECKOUT
from runtime.asterisk_config import TEMPLATES
from runtime.settings import DialerSettings
from runtime.settings_load import load_settings

FILE = CHECKOUT / "docker-compose.yml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONCE = {name for name, service in SERVICES.items() if service["restart"] == "no"}
LASTING = [name for name in SERVICES if name not in ONCE]
DOCKERFILES = sorted((CHECKOUT / "deploy" / "docker").glob("*.Dockerfile"))
SECOND = {"s": 1, "m": 60}


def seconds(text: str) -> int:
    return int(text[:-1]) * SECOND[text[-1]]


def test_which_services_there_are() -> None:
    ours = {name for name, service in SERVICES.items() if "profiles" not in service}
    assert ours == {"first-start", "postgres", "migrate", "asterisk", "server"}
    demo = {name for name, service in SERVICES.items() if service.get("profiles") == ["demo"]}
    assert demo == {"demo-setup", "carrier", "phones", "smsc", "demo"}
    assert {"first-start", "migrate", "demo-setup", "demo"} == ONCE


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES.keys())
def test_no_service_may_do_more_than_it_needs(service: dict[str, Any]) -> None:
    user, _, group = service["user"].partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges"]
    assert "privileged" not in service
    assert "cap_add" not in service
    assert service["network_mode"] in {"host", "none"}


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES.keys())
def test_no_service_may_fill_the_host(service: dict[str, Any]) -> None:
    assert re.fullmatch(r"\d+[gm]", service["mem_limit"])
    assert service["logging"]["driver"] == "json-file"
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}


@pytest.mark.parametrize("name", LASTING)
def test_each_service_that_lasts_is_watched_and_started_again(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_who_waits_for_whom() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            ends = other in ONCE
            condition = "service_completed_successfully" if ends else "service_healthy"
            assert how == {"condition": condition}, name


def test_calls_end_before_the_server_is_killed() -> None:
    shipped = load_settings(environment={}).dialer.drain_seconds
    assert shipped == DialerSettings().drain_seconds
    grace = seconds(SERVICES["server"]["stop_grace_period"])
    assert grace >= shipped + 20
    # These are stopped after it: one that is waited for through another is not.
    assert {"asterisk", "postgres"} <= set(SERVICES["server"]["depends_on"])
    assert seconds(SERVICES["postgres"]["stop_grace_period"]) >= 60


def test_what_a_restore_unpacks_does_not_lie_in_memory() -> None:
    server = SERVICES["server"]
    place = server["environment"]["TMPDIR"]
    assert f"backups:{place}" in server["volumes"]
    assert place not in server["tmpfs"]


def test_no_password_stands_in_the_file() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN", name):
                assert name.endswith(("_FILE", "_PASSWORDS")), name
            assert not re.search(r"://[^/@]*:[^/@]*@", str(value)), name


def test_passwords_are_written_by_the_first_start_only() -> None:
    secret = {"secrets", "database-password", "asterisk-config"}
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source, _, options = volume.partition(":")
            if source in secret and name != "first-start":
                assert options.endswith(":ro"), (name, volume)


def test_every_volume_is_named() -> None:
    mounted = {
        volume.partition(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
    }
    assert mounted - {"./config", "./prompts"} == set(COMPOSE["volumes"])
    assert {"store", "spool", "prompts", "recordings"} <= set(COMPOSE["volumes"])


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.name)
def test_the_images_are_pinned_and_run_by_an_account(file: Any) -> None:
    text = file.read_text(encoding="utf-8")
    final = text.rpartition("FROM ")[2]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", final, re.MULTILINE)
    for install in re.findall(r"pip install .*", text):
        assert "--require-hashes" in install
    assert not re.search(r"^FROM \S+:latest", text, re.MULTILINE)


SHARED = {"asterisk-config", "prompts", "demo-carrier-config", "demo-phones-config"}
SHARED |= {"demo-phones-sounds"}


def test_a_volume_of_two_images_is_the_same_in_both() -> None:
    """It belongs to whoever is in the image of the container that is made first."""
    owned = {
        place: (owner, group, mode)
        for file in DOCKERFILES
        for owner, group, mode, places in re.findall(
            r"install -d -o (\d+) -g (\d+) -m (\d+) ([^\n\\]+)", file.read_text(encoding="utf-8")
        )
        for place in places.split()
    }
    mounted = {
        (volume.split(":")[0], volume.split(":")[1])
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
    }
    for name, place in mounted:
        if name in SHARED:
            assert owned[place] == ("10001", "10002", "0750"), (name, place)


def test_the_image_has_every_package_that_the_server_runs() -> None:
    text = (CHECKOUT / "deploy" / "docker" / "server.Dockerfile").read_text(encoding="utf-8")
    copied = set(re.findall(r"^COPY (\w+) \1$", text, re.MULTILINE))
    packages = {"domain", "store", "sms", "ivr", "dialer", "console", "runtime"}
    assert packages | {"prompts", "config"} <= copied
    sent = (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {f"!{name}" for name in packages | {"lab", "prompts"}} <= set(sent)
    assert f"!{TEMPLATES.relative_to(CHECKOUT)}" in sent


def test_the_demos_settings_reach_nothing_real() -> None:
    file = CHECKOUT / "config" / "demo.toml"
    settings = load_settings(file, environment={})
    assert settings.trunk.host == "127.0.0.1"
    assert settings.sms.smsc_file.name == "demo-smsc.toml"


def test_settings_and_passwords_of_a_host_get_into_no_image() -> None:
    sent = (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert sent[1] == "*"
    allowed = [line[1:] for line in sent if line.startswith("!")]
    for file in ("config/tstn.toml", "config/smsc.toml", "var/secrets.toml", ".git/config"):
        assert not any(
            fnmatch(file, pattern) or file.startswith(f"{pattern}/") for pattern in allowed
        )
