"""The rehearsal network: our Asterisk with the rendered configuration, and the carrier. I/O.

    with Network(directory, timing=FAST, recording=True) as network:
        settings = network.settings              # in this process …
        tstn serve --config network.settings_file    # … or for another

Everything of a network lies under its directory; several may run at once.
"""

import json
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lab.asterisk import Asterisk
from lab.behaviours import NATURAL, Timing
from lab.carrier import Carrier, Recording, Talking
from lab.child import Part
from lab.phones import Phones
from lab.ports import LOOPBACK, free_ports
from runtime.asterisk_config import render, with_secrets
from runtime.settings import Settings
from runtime.settings_load import load_settings

CHECKOUT = Path(__file__).resolve().parent.parent

Sections = Mapping[str, Mapping[str, Any]]


class Server:
    """Our side: the settings of one rehearsal, and the Asterisk they render.

    `sections` are settings by section and key on top of the lab's own (ports, paths). Raises
    ConfigError where they are wrong.
    """

    def __init__(
        self,
        directory: Path,
        *,
        trunk_port: int,
        prompts: Path = CHECKOUT / "var" / "prompts",
        sections: Sections | None = None,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.settings_file = directory.absolute() / "tstn.toml"
        write_settings(self.settings_file, lab_sections(trunk_port, prompts), sections or {})
        # Not from this process's environment: a rehearsal must never reach a real trunk.
        self.settings: Settings = with_secrets(load_settings(self.settings_file, environment={}))
        self.asterisk = Asterisk(
            "server", directory / "asterisk", prompts, lambda etc: render(self.settings, etc)
        )


class Network(Part):
    """A server and a carrier that trust each other, and the agents' phones if any are named."""

    def __init__(
        self,
        directory: Path,
        *,
        timing: Timing = NATURAL,
        recording: Recording = False,
        talking: Talking = MappingProxyType({}),
        phones: Collection[str] = (),
        prompts: Path = CHECKOUT / "var" / "prompts",
        sections: Sections | None = None,
    ) -> None:
        self.carrier = Carrier(
            directory / "carrier", timing=timing, recording=recording, talking=talking
        )
        port = free_ports(1)[0]
        elsewhere = {"agents": {"trunk_host": LOOPBACK, "trunk_port": port}}
        self.server = Server(
            directory,
            trunk_port=self.carrier.port,
            prompts=prompts,
            sections=merged(elsewhere, sections or {}),
        )
        self.asterisk = self.server.asterisk
        self.settings = self.server.settings
        self.settings_file = self.server.settings_file
        self.phones = Phones(directory / "phones", self.settings, phones, port=port)
        self._running = ExitStack()

    def start(self) -> None:
        """Returns once all are fully booted. Raises LabError where one does not come up."""
        with ExitStack() as parts:
            for part in (
                self.carrier,
                self.asterisk,
                *([self.phones] if self.phones.names else []),
            ):
                parts.enter_context(part)
            self._running = parts.pop_all()

    def stop(self) -> None:
        """Orderly; nothing to do for what is dead already."""
        self._running.close()


def lab_sections(trunk_port: int, prompts: Path) -> dict[str, dict[str, Any]]:
    """Settings with free ports of the loopback address, for a trunk to `trunk_port`."""
    ari, ami, agi, sip, health, console = free_ports(6)
    return {
        "asterisk": {
            "node": "lab",
            "ari_url": f"http://{LOOPBACK}:{ari}",
            "ami_host": LOOPBACK,
            "ami_port": ami,
            "sip_host": LOOPBACK,
            "sip_port": sip,
        },
        "trunk": {"host": LOOPBACK, "port": trunk_port},
        "ivr": {
            "agi_port": agi,
            "prompts_dir": str(prompts.absolute()),
            "script": str(CHECKOUT / "prompts" / "script-vi.toml"),
        },
        "health": {"host": LOOPBACK, "port": health},
        "console": {
            "host": LOOPBACK,
            "port": console,
            "agent_words": str(CHECKOUT / "prompts" / "agent-vi.toml"),
            "districts": str(CHECKOUT / "config" / "districts-phase1.csv"),
        },
    }


def merged(*layers: Sections) -> dict[str, dict[str, Any]]:
    """All layers as one, the later ones on top."""
    together: dict[str, dict[str, Any]] = {}
    for layer in layers:
        for section, values in layer.items():
            together.setdefault(section, {}).update(values)
    return together


def write_settings(file: Path, *layers: Sections) -> None:
    """A settings file of all layers, the later ones on top."""
    # JSON's texts, numbers, flags and lists are TOML's too.
    file.write_text(
        "\n".join(
            f"[{section}]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in values.items())
            for section, values in merged(*layers).items()
        ),
        encoding="utf-8",
    )
