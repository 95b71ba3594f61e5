"""Renders Asterisk's configuration from the settings and config/asterisk/*.conf. I/O.

In a template `@{name}` stands for a value and `@@` for an at sign; Asterisk's own `${…}` is left
alone. The files hold passwords and are written with mode 0640.
"""

import hmac
import os
import re
import secrets
import tomllib
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from string import Template
from types import MappingProxyType
from urllib.parse import urlsplit

from domain.errors import ConfigError
from runtime.settings import Settings, secret_keys

TEMPLATES = Path(__file__).resolve().parent.parent / "config" / "asterisk"
FILE_MODE = 0o640
SECRETS_MODE = 0o600


class ConfTemplate(Template):
    """A template whose delimiter leaves the dialplan's `${…}` alone."""

    delimiter = "@"


def render(settings: Settings, directory: Path) -> list[Path]:
    """Writes every configuration file into `directory`; makes missing secrets first.

    Returns the files written. Raises ConfigError where a value cannot stand in a conf file.
    """
    settings = with_secrets(settings)
    return render_templates(
        sorted(TEMPLATES.glob("*.conf")),
        _values(settings),
        directory,
        blocks={"phones": _phones(settings), "agents_trunk": _agents_trunk(settings)},
    )


def render_templates(
    templates: Iterable[Path],
    values: Mapping[str, str],
    directory: Path,
    *,
    blocks: Mapping[str, str] = MappingProxyType({}),
) -> list[Path]:
    """Fills each template with `values` into a file of the same name in `directory`.

    `blocks` are lines of ours, made of checked parts. Raises ConfigError where a value holds what
    would end its line or its meaning.
    """
    for name, value in values.items():
        _refuse_injection(name, value)
    values = {**values, **blocks}
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for template in templates:
        text = _filled(template, values)
        written.append(directory / template.name)
        write_file(written[-1], text)
    return written


def with_secrets(settings: Settings) -> Settings:
    """The settings with every secret; those still missing are made and kept in var/secrets.toml."""
    missing = [(s, k) for s, k in secret_keys() if not getattr(getattr(settings, s), k)]
    if not missing:
        return settings
    for section, key in missing:
        changed = replace(getattr(settings, section), **{key: secrets.token_urlsafe(24)})
        settings = replace(settings, **{section: changed})
    _keep_secrets(settings)
    return settings


def _keep_secrets(settings: Settings) -> None:
    lines = ["# Made by `tstn asterisk render`. Not for the repository."]
    for section in dict.fromkeys(s for s, _ in secret_keys()):
        lines.append(f"\n[{section}]")
        lines += [
            f'{key} = "{getattr(getattr(settings, section), key)}"'
            for owner, key in secret_keys()
            if owner == section
        ]
    settings.secrets_file.parent.mkdir(parents=True, exist_ok=True)
    write_file(settings.secrets_file, "\n".join(lines) + "\n", SECRETS_MODE)


def _values(settings: Settings) -> dict[str, str]:
    asterisk, trunk = settings.asterisk, settings.trunk
    ari = urlsplit(asterisk.ari_url)
    any_address = asterisk.sip_host == "0.0.0.0"  # noqa: S104 (compared, not bound)
    return {
        "node": asterisk.node,
        "entity_id": entity_id(asterisk.node),
        "app": asterisk.app,
        "ari_host": ari.hostname or "",
        "ari_port": str(ari.port),
        "ari_user": asterisk.ari_user,
        "ari_password": asterisk.ari_password,
        "ami_host": asterisk.ami_host,
        "ami_port": str(asterisk.ami_port),
        "ami_user": asterisk.ami_user,
        "ami_secret": asterisk.ami_secret,
        "sip_host": asterisk.sip_host,
        "sip_port": str(asterisk.sip_port),
        # Without an address Asterisk looks its own name up at every call.
        "media_address": "" if any_address else asterisk.sip_host,
        "bind_rtp": "no" if any_address else "yes",
        "rtp_start": str(asterisk.rtp_start),
        "rtp_end": str(asterisk.rtp_end),
        "rtp_strict": "yes" if asterisk.rtp_strict else "no",
        "trunk": trunk.name,
        "trunk_host": trunk.host,
        "trunk_port": str(trunk.port),
        "codecs": ",".join(trunk.codecs),
        "hand_over": settings.agents.hand_over,
        "wait_seconds": str(settings.agents.wait_seconds),
        "agents_seconds": str(settings.agents.wait_seconds + settings.agents.max_talk_seconds),
        "agent_rings": str(min(settings.agents.ring_seconds, settings.agents.wait_seconds)),
        "max_call_seconds": str(settings.ivr.max_call_seconds),
        "prompts_version": prompts_version(settings.ivr.script),
        **_driver_values(settings),
    }


def _driver_values(settings: Settings) -> dict[str, str]:
    """What differs between ARI and AGI: the way back to us, and the rights that each needs."""
    ivr, app = settings.ivr, settings.asterisk.app
    url = f"agi://{ivr.agi_host}:{ivr.agi_port}"
    agi = ivr.driver == "agi"
    return {
        "agi_url": url,
        "agi_load": "load" if agi else "noload",
        "ari_enabled": "no" if agi else "yes",
        "ami_read": "agent,system,user,call,dtmf" if agi else "agent,system,user",
        "ami_write": "agent,reporting,call,originate" if agi else "agent,reporting",
        "back_to_us": "Goto(tstn-agi,${WHY},1)" if agi else f"Stasis({app},${{UNIQUEID}},${{WHY}})",
    }


def needed_modules(settings: Settings) -> list[str]:
    """The modules that the rendered modules.conf loads: each of them is needed."""
    text = _filled(TEMPLATES / "modules.conf", _driver_values(settings))
    return re.findall(r"^load=(\S+)$", text, re.MULTILINE)


def phone_names(settings: Settings) -> list[str]:
    """The names by which the agents' phones register."""
    return [f"agent{number}" for number in range(1, settings.agents.phones + 1)]


def phone_password(settings: Settings, phone: str) -> str:
    """The password of an agent's phone: the same as long as the secrets file is."""
    digest = hmac.digest(settings.agents.phone_secret.encode(), phone.encode(), sha256)
    return urlsafe_b64encode(digest).decode().rstrip("=")


def _phones(settings: Settings) -> str:
    return "\n".join(
        f"[{phone}](agent-phone)\nauth={phone}\naors={phone}\n"
        f"[{phone}](agent-password)\nusername={phone}\npassword={phone_password(settings, phone)}\n"
        f"[{phone}](agent-place)\n"
        for phone in phone_names(settings)
    )


def _agents_trunk(settings: Settings) -> str:
    """The way to a 9090 of somebody else, where key 3 leads there."""
    agents = settings.agents
    if agents.hand_over != "trunk":
        return ""
    return (
        "[agents-trunk](agent-phone)\nidentify_by=ip\naors=agents-trunk\n"
        "[agents-trunk]\ntype=aor\nqualify_frequency=30\n"
        f"contact=sip:{agents.trunk_host}:{agents.trunk_port}\n"
    )


def entity_id(node: str) -> str:
    """A stable MAC-shaped identity from the node's name: the real one changes with the network."""
    octets = bytearray(sha256(node.encode()).digest()[:6])
    octets[0] = octets[0] & 0xFC | 0x02  # unicast, locally administered
    return ":".join(f"{octet:02x}" for octet in octets)


def prompts_version(script: Path) -> str:
    """The `version` of the script's words. Raises ConfigError where there is none."""
    try:
        version = tomllib.loads(script.read_text(encoding="utf-8")).get("version")
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"cannot read the call script {script}: {error}") from None
    if not isinstance(version, str) or not re.fullmatch(r"[A-Za-z0-9._-]+", version):
        raise ConfigError(f'{script} needs a line like version = "vi-1"')
    return version


def _refuse_injection(name: str, value: str) -> None:
    if re.search(r"[\x00-\x1f;\\\[\]]|^\s*#", value):
        raise ConfigError(f"{name} cannot stand in an Asterisk file: {value!r}")


def _filled(template: Path, values: Mapping[str, str]) -> str:
    try:
        return ConfTemplate(template.read_text(encoding="utf-8")).substitute(values)
    except (KeyError, ValueError) as error:
        raise ConfigError(f"template {template.name} is wrong: {error}") from None


def write_file(file: Path, text: str, mode: int = FILE_MODE) -> None:
    """Writes in one step, never readable by others even for a moment.

    By root, the file that is replaced keeps its account and group: who could read it still can.
    """
    building = file.with_name(f".{file.name}.new")
    building.unlink(missing_ok=True)
    building.touch(mode=mode, exist_ok=False)
    building.chmod(mode)
    if os.geteuid() == 0 and file.exists():
        os.chown(building, file.stat().st_uid, file.stat().st_gid)
    with building.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    building.replace(file)
