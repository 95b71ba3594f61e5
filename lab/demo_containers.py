"""The demo's network where it runs in containers already (docker-compose.yml). I/O."""

from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from lab.carrier import CarrierEvent, read_log, recordings_in
from lab.child import POLL_SECONDS, LabError
from lab.demo_commands import CommandLine
from lab.demo_server import START_SECONDS, Server
from lab.demo_stage import DIRECTORY, Stage
from lab.smsc.control_client import SmscControl, SmscGone
from runtime.settings import HealthSettings
from runtime.settings_load import load_settings

CARRIER_LOG = Path("/carrier/log")
CARRIER_SPOOL = Path("/carrier/spool")
SMSC_CONTROL_PORT = 2776


class CarrierElsewhere:
    """The carrier's records, where its container keeps them."""

    recordings_dir = CARRIER_SPOOL / "heard"

    def events(self) -> list[CarrierEvent]:
        """The whole log so far."""
        return list(read_log(CARRIER_LOG))

    def recordings(self, number: str) -> list[Path]:
        """What the subscriber `number` (as dialled) heard; written once its call has long ended.

        One that a kill of the carrier has cut off has no header, and is none.
        """
        found = recordings_in(self.recordings_dir, number)
        return [file for file in found if file.read_bytes().startswith(b"RIFF")]


class LastingControl(SmscControl):
    """Asks again where the SMSC has died meanwhile, as a phone sends a text again."""

    def ask(self, do: str, **fields: Any) -> Any:
        """Raises LabError where it does not come back either."""
        deadline = monotonic() + START_SECONDS
        while True:
            try:
                return super().ask(do, **fields)
            except SmscGone:
                if monotonic() > deadline:
                    raise
            sleep(POLL_SECONDS)
            self.close()
            with suppress(SmscGone):
                self.connect()


class SmscElsewhere:
    """The SMSC of another container, in the same network."""

    journal = DIRECTORY / "smsc.jsonl"

    def __init__(self) -> None:
        self.control = LastingControl(SMSC_CONTROL_PORT)


class ServerElsewhere(Server):
    """The server of another container, which goes on when the demo has ended."""

    def __init__(self, place: HealthSettings) -> None:
        super().__init__(place)
        self.exit_status = 0

    def start(self) -> None:
        """Returns once it can dial. Raises LabError where it can't for long."""
        deadline = monotonic() + START_SECONDS
        while not self.is_well():
            if monotonic() > deadline:
                raise LabError(f"the server is not well: {self.health()}")
            sleep(POLL_SECONDS)

    def stop(self) -> None:
        """It is not ours to stop."""


class ContainerStage(Stage):
    """What docker-compose has started before; a container that dies is started again by Docker."""

    hint = "docker-compose --env-file deploy/docker/demo.env exec server bash"
    server_log = "docker-compose --env-file deploy/docker/demo.env logs server"

    def start(self) -> None:
        """Finds the others. Raises LabError where the SMSC is not there."""
        self.settings = load_settings()
        self.carrier = CarrierElsewhere()
        self.smsc = SmscElsewhere()

    def stop(self) -> None:
        """The containers go on."""
        self.smsc.control.close()

    def server(self, command_line: CommandLine) -> Server:
        """Our server, which runs."""
        return ServerElsewhere(self.settings.health)

    def require_alive(self) -> None:
        """Nothing of ours can die."""
