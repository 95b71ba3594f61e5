"""Writes what the demo's containers run on: the carrier's and the phones' configuration. I/O.

Run in a container of docker-compose.yml, where these directories are volumes.
"""

from pathlib import Path

from lab.carrier import Carrier
from lab.demo_audience import make_audience
from lab.demo_plan import recorded
from lab.phones import Phones
from runtime.settings_load import load_settings

CARRIER = Path("/carrier/etc")
PHONES = Path("/phones/etc")
SOUNDS = Path("/phones/sounds")
NAMES = ("agent1", "agent2", "agent3")


def main() -> None:
    """Write all of it, by the settings of the server."""
    settings = load_settings()
    carrier = Carrier(
        CARRIER, port=settings.trunk.port, recording=recorded(make_audience().numbers)
    )
    carrier.write_configuration(CARRIER)
    phones = Phones(PHONES, settings, NAMES, port=settings.agents.trunk_port)
    phones.write_configuration(PHONES)
    phones.write_voices(SOUNDS)


if __name__ == "__main__":
    main()
