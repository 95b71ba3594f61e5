"""The simulated carrier: a second Asterisk whose subscribers behave by `lab.behaviours`. I/O.

It writes every call into its own log, one JSON line an event, as it happens: that log is what our
attempts are checked against, so nothing of ours touches it.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from types import MappingProxyType
from typing import Any

from lab.asterisk import Asterisk
from lab.behaviours import BEHAVIOURS, NATURAL, Behaviour, Reject, Timing
from lab.child import POLL_SECONDS, LabError, Part
from lab.ports import free_ports
from lab.voices import write_voice
from runtime.asterisk_config import TEMPLATES as SERVER_TEMPLATES
from runtime.asterisk_config import ConfTemplate, render_templates, write_file

TEMPLATES = Path(__file__).resolve().parent / "carrier"
# Files that say the same for every Asterisk of ours.
SHARED = (
    *("acl", "ccss", "cdr", "cel", "features", "indications", "pjproject", "stasis", "udptl"),
    "websocket_client",
)
Recording = bool | Collection[str]
Talking = Mapping[str, int]
WRITTEN_SECONDS = 10.0
HOLD_SECONDS = 240  # longer than any call may last: whoever waits is hung up by us


@dataclass(frozen=True)
class CarrierEvent:
    """One line of the carrier's log: `at` is epoch seconds, `value` the key or hang-up cause."""

    event: str  # invite | answer | key | end
    at: float
    number: str  # as dialled
    call_id: str  # of SIP
    value: str = ""


class Carrier(Part):
    """The carrier's Asterisk on a port of the loopback address, else a free one.

    `timing` sets how fast its subscribers are. `recording` keeps what each of them heard, or what
    the numbers given (as dialled) heard. `talking`: numbers (as dialled) that speak, once they have
    pressed their keys, for so many seconds or until we hang up.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        timing: Timing = NATURAL,
        recording: Recording = False,
        talking: Talking = MappingProxyType({}),
    ) -> None:
        self.port = port or free_ports(1)[0]
        self._timing = timing
        self._recording = recording
        self._talking = talking
        self.asterisk = Asterisk(
            "carrier", directory, directory / "sounds", self.write_configuration
        )

    def start(self) -> None:
        """Raises LabError where it does not come up."""
        self.recordings_dir.mkdir(parents=True, exist_ok=True)
        for number in self._talking:
            write_voice(self.voice(number), number)
        self.asterisk.start()

    def stop(self) -> None:
        """In good order; calls still up are dropped."""
        self.asterisk.stop()

    def voice(self, number: str) -> Path:
        """The sound that a talking subscriber speaks."""
        return self.asterisk.prompts / f"{number}.wav"

    def events(self) -> list[CarrierEvent]:
        """The whole log so far, in the order of writing."""
        return list(read_log(self.asterisk.log_dir))

    def invites(self) -> list[CarrierEvent]:
        """Every INVITE that reached the carrier."""
        return [event for event in self.events() if event.event == "invite"]

    def recordings(self, number: str) -> list[Path]:
        """What the subscriber `number` (as dialled) heard, one wav (8 kHz mono) a call.

        Asterisk writes on for a moment after a call: returns once none of them is being written.
        Raises LabError where that takes long, as with a call that still goes on.
        """
        return recordings_of(self.asterisk, self.recordings_dir, number)

    @property
    def recordings_dir(self) -> Path:
        """Where what subscribers heard is kept."""
        return self.asterisk.directory / "spool" / "heard"

    def write_configuration(self, etc: Path) -> None:
        """Write the configuration of its Asterisk."""
        own = [file for file in sorted(TEMPLATES.glob("*.conf")) if file.name != "extensions.conf"]
        shared = [SERVER_TEMPLATES / f"{name}.conf" for name in SHARED]
        etc.mkdir(parents=True, exist_ok=True)
        render_templates([*own, *shared], {"sip_port": str(self.port)}, etc)
        text = dialplan(self._timing, recording=self._recording, talking=self._talking)
        write_file(etc / "extensions.conf", text)


def read_log(directory: Path) -> Iterator[CarrierEvent]:
    """What an Asterisk of the lab has written there with `log_step`, in that order."""
    log = directory / "calls.jsonl"
    if not log.exists():
        return
    for line in log.read_text().splitlines():
        fields: dict[str, Any] = json.loads(line)
        yield CarrierEvent(**fields)


def recordings_of(asterisk: Asterisk, directory: Path, name: str) -> list[Path]:
    """The recordings of `name`, the oldest first, once none of them is being written any more.

    Raises LabError where that takes long.
    """
    found = recordings_in(directory, name)
    deadline = monotonic() + WRITTEN_SECONDS
    while not _open_files(asterisk).isdisjoint(file.name for file in found):
        if monotonic() > deadline:
            raise LabError(f"the recording of {name} is still being written")
        sleep(POLL_SECONDS)
    return found


def recordings_in(directory: Path, name: str) -> list[Path]:
    """The recordings of `name`, the oldest first, as far as they are written."""
    found = directory.glob(f"{name}-*.wav")
    return sorted(found, key=lambda file: int(file.stem.rpartition("-")[2]))


def _open_files(asterisk: Asterisk) -> set[str]:
    """The names of all files that an Asterisk has open; none once it is dead."""
    names: set[str] = set()
    if not asterisk.is_running():
        return names
    for descriptor in Path(f"/proc/{asterisk.pid}/fd").iterdir():
        with suppress(OSError):
            names.add(descriptor.readlink().name)
    return names


def dialplan(
    timing: Timing, *, recording: Recording, talking: Talking = MappingProxyType({})
) -> str:
    """The carrier's extensions.conf, one context a behaviour."""
    contexts = [_context(behaviour, timing, bool(recording)) for behaviour in BEHAVIOURS]
    template = ConfTemplate((TEMPLATES / "extensions.conf").read_text())
    return template.substitute(
        log_invite=log_step("invite"),
        log_end=log_step("end", "${HANGUPCAUSE}"),
        recorded="\n".join(_recorded(recording)),
        talking="\n".join(_talking(talking)),
        behaviours="\n".join([*contexts, *_codes()]),
    )


def _recorded(recording: Recording) -> list[str]:
    """The numbers that are recorded, as extensions: a whole number goes before a pattern."""
    if isinstance(recording, bool):
        return ["exten => _[+0-9].,1,Goto(s,1)"]
    numbers = [f"exten => {number},1,Goto(s,1)" for number in recording]
    return [*numbers, "exten => _[+0-9].,1,Return()"]


def _talking(talking: Talking) -> list[str]:
    """The numbers that speak, as extensions; all others wait for us to hang up."""
    lines: list[str] = []
    for number, seconds in talking.items():
        lines += [
            f"exten => {number},1,Set(TIMEOUT(absolute)={seconds})",
            f" same => n(talk),Playback(tstn/{number})",
            " same => n,Goto(talk)",
        ]
    return [*lines, f"exten => _[+0-9].,1,Wait({HOLD_SECONDS})", " same => n,Hangup()"]


def _codes() -> list[str]:
    return [
        f"[number-{code:02d}]\nexten => s,1,Goto({behaviour.name},s,1)\n"
        for behaviour in BEHAVIOURS
        for code in behaviour.codes
    ]


def _context(behaviour: Behaviour, timing: Timing, recording: bool) -> str:
    if behaviour.reject:
        steps = _refusal(behaviour.reject)
    else:
        steps = _ringing(behaviour, timing, recording)
    lines = [f" same => n,{step}" for step in steps]
    return "\n".join([f"[{behaviour.name}]", "include => ended", "exten => s,1,NoOp()", *lines, ""])


def _refusal(reject: Reject) -> list[str]:
    # Asterisk itself turns each of our causes into the right status, but for 603.
    return ["PJSIPHangup(603)" if reject.sip == 603 else f"Hangup({reject.cause})"]


def _ringing(behaviour: Behaviour, timing: Timing, recording: bool) -> list[str]:
    if not behaviour.answers:
        return ["Ringing()", f"Wait({HOLD_SECONDS})"]
    steps = ["Ringing()", f"Wait({timing.ring_seconds})", "Answer()", log_step("answer")]
    if recording:
        steps.append("Gosub(record,${NUMBER},1)")
    for pause, key in behaviour.presses:
        steps += [f"Wait({getattr(timing, pause)})", f"SendDTMF({key})", log_step("key", key)]
    if behaviour.leaves:
        pause_first = [] if behaviour.presses else [f"Wait({timing.leave_seconds})"]
        return [*steps, *pause_first, "Hangup()"]
    return [*steps, "Goto(stay,${NUMBER},1)"]


def log_step(event: str, value: str = "") -> str:
    """The dialplan's step that logs an event.

    It opens and closes the file each time, so that a kill loses nothing written.
    """
    line = (
        f'{{"event":"{event}","at":${{STRFTIME(,,%s.%3q)}},'
        f'"number":"${{NUMBER}}","call_id":"${{CALL}}","value":"{value}"}}'
    )
    return f"Set(FILE(${{LOG}},,,al,u)={line})"
