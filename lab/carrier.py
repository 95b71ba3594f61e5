"""The simulated carrier: a second Asterisk whose subscribers behave by `lab.behaviours`. I/O.

It writes every call into its own log, one JSON line an event, as it happens: that log is what our
attempts are checked against, so nothing of ours touches it.
"""

import json
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from lab.asterisk import Asterisk
from lab.behaviours import BEHAVIOURS, NATURAL, Behaviour, Reject, Timing
from lab.child import POLL_SECONDS, LabError, Part
from lab.ports import free_ports
from runtime.asterisk_config import TEMPLATES as SERVER_TEMPLATES
from runtime.asterisk_config import ConfTemplate, render_templates, write_file

TEMPLATES = Path(__file__).resolve().parent / "carrier"
# Files that say the same for every Asterisk of ours.
SHARED = (
    *("acl", "ccss", "cdr", "cel", "features", "indications", "pjproject", "stasis", "udptl"),
    "websocket_client",
)
Recording = bool | Collection[str]
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
    """The carrier's Asterisk on a free port of the loopback address.

    `timing` sets how fast its subscribers are. `recording` keeps what each of them heard, or what
    the numbers given (as dialled) heard.
    """

    def __init__(
        self, directory: Path, *, timing: Timing = NATURAL, recording: Recording = False
    ) -> None:
        self.port = free_ports(1)[0]
        self._timing = timing
        self._recording = recording
        self.asterisk = Asterisk("carrier", directory, directory / "sounds", self._configure)

    def start(self) -> None:
        """Raises LabError where it does not come up."""
        self.recordings_dir.mkdir(parents=True, exist_ok=True)
        self.asterisk.start()

    def stop(self) -> None:
        """In good order; calls still up are dropped."""
        self.asterisk.stop()

    def events(self) -> list[CarrierEvent]:
        """The whole log so far, in the order of writing."""
        return list(self._read_log())

    def invites(self) -> list[CarrierEvent]:
        """Every INVITE that reached the carrier."""
        return [event for event in self._read_log() if event.event == "invite"]

    def recordings(self, number: str) -> list[Path]:
        """What the subscriber `number` (as dialled) heard, one wav (8 kHz mono) a call.

        Asterisk writes on for a moment after a call: returns once none of them is being written.
        Raises LabError where that takes long, as with a call that still goes on.
        """
        found = list(self.recordings_dir.glob(f"{number}-*.wav"))
        deadline = monotonic() + WRITTEN_SECONDS
        while not self._open_files().isdisjoint(file.name for file in found):
            if monotonic() > deadline:
                raise LabError(f"the recording of {number} is still being written")
            sleep(POLL_SECONDS)
        return sorted(found, key=lambda file: int(file.stem.rpartition("-")[2]))

    @property
    def recordings_dir(self) -> Path:
        """Where what subscribers heard is kept."""
        return self.asterisk.directory / "spool" / "heard"

    def _open_files(self) -> set[str]:
        """The names of all files that the carrier's Asterisk has open; none once it is dead."""
        names: set[str] = set()
        if not self.asterisk.is_running():
            return names
        for descriptor in Path(f"/proc/{self.asterisk.pid}/fd").iterdir():
            with suppress(OSError):
                names.add(descriptor.readlink().name)
        return names

    def _read_log(self) -> Iterator[CarrierEvent]:
        log = self.asterisk.log_dir / "calls.jsonl"
        if not log.exists():
            return
        for line in log.read_text().splitlines():
            fields: dict[str, Any] = json.loads(line)
            yield CarrierEvent(**fields)

    def _configure(self, etc: Path) -> None:
        own = [file for file in sorted(TEMPLATES.glob("*.conf")) if file.name != "extensions.conf"]
        shared = [SERVER_TEMPLATES / f"{name}.conf" for name in SHARED]
        etc.mkdir(parents=True, exist_ok=True)
        render_templates([*own, *shared], {"sip_port": str(self.port)}, etc)
        write_file(etc / "extensions.conf", dialplan(self._timing, recording=self._recording))


def dialplan(timing: Timing, *, recording: Recording) -> str:
    """The carrier's extensions.conf, one context a behaviour."""
    contexts = [_context(behaviour, timing, bool(recording)) for behaviour in BEHAVIOURS]
    template = ConfTemplate((TEMPLATES / "extensions.conf").read_text())
    return template.substitute(
        log_invite=_log("invite"),
        log_end=_log("end", "${HANGUPCAUSE}"),
        recorded="\n".join(_recorded(recording)),
        behaviours="\n".join([*contexts, *_codes()]),
    )


def _recorded(recording: Recording) -> list[str]:
    """The numbers that are recorded, as extensions: a whole number goes before a pattern."""
    if isinstance(recording, bool):
        return ["exten => _[+0-9].,1,Goto(s,1)"]
    numbers = [f"exten => {number},1,Goto(s,1)" for number in recording]
    return [*numbers, "exten => _[+0-9].,1,Return()"]


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
    steps = ["Ringing()", f"Wait({timing.ring_seconds})", "Answer()", _log("answer")]
    if recording:
        steps.append("Gosub(record,${NUMBER},1)")
    for pause, key in behaviour.presses:
        steps += [f"Wait({getattr(timing, pause)})", f"SendDTMF({key})", _log("key", key)]
    if behaviour.leaves:
        pause_first = [] if behaviour.presses else [f"Wait({timing.leave_seconds})"]
        return [*steps, *pause_first, "Hangup()"]
    return [*steps, f"Wait({HOLD_SECONDS})", "Hangup()"]


def _log(event: str, value: str = "") -> str:
    """Appends one line, opened and closed each time, so that a kill loses nothing written."""
    line = (
        f'{{"event":"{event}","at":${{STRFTIME(,,%s.%3q)}},'
        f'"number":"${{NUMBER}}","call_id":"${{CALL}}","value":"{value}"}}'
    )
    return f"Set(FILE(${{LOG}},,,al,u)={line})"
