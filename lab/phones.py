"""The agents' phones: a third Asterisk that registers as agent1, agent2 … with ours. I/O.

Each phone answers, declines or rings on, as it is told; who answers speaks with a voice of its own
(`lab.voices`) and keeps what it hears. The log has the form of the carrier's.
"""

from collections.abc import Collection
from enum import StrEnum
from pathlib import Path
from time import monotonic, sleep

from lab.asterisk import Asterisk
from lab.carrier import SHARED, CarrierEvent, log_step, read_log, recordings_of
from lab.carrier import TEMPLATES as CARRIER_TEMPLATES
from lab.child import POLL_SECONDS, LabError, Part
from lab.voices import write_voice
from runtime.asterisk_config import TEMPLATES as SERVER_TEMPLATES
from runtime.asterisk_config import phone_password, render_templates
from runtime.settings import Settings

TEMPLATES = Path(__file__).resolve().parent / "phones"
_AS_THE_CARRIER = ("asterisk", "http", "logger", "manager", "rtp")
REGISTER_SECONDS = 20.0
ELSEWHERE = "9090"
"""A 9090 of somebody else: a phone like the others, which a trunk leads to."""


class Manner(StrEnum):
    """What a phone does when it is called."""

    ANSWER = "answer"
    DECLINE = "decline"
    SILENT = "silent"  # rings on


class Phones(Part):
    """The phones of these names, registered with the Asterisk that `settings` render.

    `port` is where they listen. `ring_seconds`: how long one rings before it answers;
    `talk_seconds`: how long its agent stays.
    """

    def __init__(
        self,
        directory: Path,
        settings: Settings,
        names: Collection[str],
        *,
        port: int,
        ring_seconds: float = 0.3,
        talk_seconds: int = 200,
    ) -> None:
        self.names = tuple(names)
        self.port = port
        self._called = (*self.names, ELSEWHERE)
        self._settings = settings
        self._ring_seconds = ring_seconds
        self._talk_seconds = talk_seconds
        self.asterisk = Asterisk(
            "phones", directory, directory / "sounds", self.write_configuration
        )

    def start(self) -> None:
        """Returns once every phone is registered. Raises LabError where one is not."""
        self.write_voices(self.asterisk.prompts)
        self.recordings_dir.mkdir(parents=True, exist_ok=True)
        self.asterisk.start()
        deadline = monotonic() + REGISTER_SECONDS
        while self._registered() < len(self.names):
            if monotonic() > deadline:
                told = self.asterisk.cli("pjsip show registrations")
                self.stop()
                raise LabError(f"the phones do not register: {told}")
            sleep(POLL_SECONDS)

    def stop(self) -> None:
        """In good order; calls still up are dropped."""
        self.asterisk.stop()

    def tell(
        self,
        name: str,
        manner: Manner,
        *,
        talk_seconds: int | None = None,
        ring_seconds: float | None = None,
    ) -> None:
        """From the next call on, the phone behaves so."""
        told = {"MANNER": manner, "TALKS": talk_seconds, "RINGS": ring_seconds}
        for what, value in told.items():
            if value is not None:
                self.asterisk.cli(f"dialplan set global {what}_{name} {value}")

    def voice(self, name: str) -> Path:
        """The sound that the agent of this phone speaks."""
        return self.asterisk.prompts / f"{name}.wav"

    def write_voices(self, sounds: Path) -> None:
        """Write what the agents say into a directory."""
        for name in self._called:
            write_voice(sounds / f"{name}.wav", name)

    def events(self) -> list[CarrierEvent]:
        """The whole log so far; `number` is the phone's name."""
        return list(read_log(self.asterisk.log_dir))

    def recordings(self, name: str) -> list[Path]:
        """What the agent heard, one wav a call; as the carrier's."""
        return recordings_of(self.asterisk, self.recordings_dir, name)

    @property
    def recordings_dir(self) -> Path:
        """Where what agents heard is kept."""
        return self.asterisk.directory / "spool" / "heard"

    def _registered(self) -> int:
        lines = self.asterisk.cli("pjsip show registrations").splitlines()
        return sum(" Registered" in line for line in lines)

    def write_configuration(self, etc: Path) -> None:
        """Write the configuration of their Asterisk."""
        shared = [SERVER_TEMPLATES / f"{name}.conf" for name in SHARED]
        carriers = [CARRIER_TEMPLATES / f"{name}.conf" for name in _AS_THE_CARRIER]
        ports = {
            "sip_port": str(self.port),
            "server_port": str(self._settings.asterisk.sip_port),
        }
        steps = {
            "log_invite": log_step("invite"),
            "log_answer": log_step("answer"),
            "log_end": log_step("end", "${HANGUPCAUSE}"),
            "manners": self._manners(),
        }
        own = TEMPLATES
        render_templates([own / "modules.conf", *shared, *carriers], ports, etc)
        render_templates([own / "pjsip.conf"], ports, etc, blocks={"phones": self._logins()})
        dialplan = {**steps, "phones": self._extensions()}
        render_templates([own / "extensions.conf"], {}, etc, blocks=dialplan)

    def _logins(self) -> str:
        return "\n".join(
            f"[{name}](login)\nclient_uri=sip:{name}@127.0.0.1\ncontact_user={name}\n"
            f"outbound_auth={name}\n[{name}](password)\nusername={name}\n"
            f"password={phone_password(self._settings, name)}\n"
            for name in self.names
        )

    def _manners(self) -> str:
        return "\n".join(
            f"MANNER_{name}={Manner.ANSWER}\nTALKS_{name}={self._talk_seconds}\n"
            f"RINGS_{name}={self._ring_seconds}"
            for name in self._called
        )

    def _extensions(self) -> str:
        return "\n".join(
            f"exten => {name},1,Set(NUMBER={name})\n same => n,Set(RINGS=${{RINGS_{name}}})\n"
            f" same => n,Set(TALKS=${{TALKS_{name}}})\n same => n,Goto(rung,s,1)"
            for name in self._called
        )
