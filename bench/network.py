"""The bench's network: one Asterisk with short prompts, one SIPp as all its subscribers. I/O."""

import shutil
import wave
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ivr.prompts import load_script
from lab.asterisk import Asterisk
from lab.network import CHECKOUT, Server
from lab.sipp import Sipp
from runtime.asterisk_config import render

THANKS_SECONDS = 3
"""The thank-you is cut to this, so that a call lasts about five seconds."""
KEY_SECONDS = 1.5
_RATE = 8000


@dataclass(frozen=True)
class Bench:
    """A running Asterisk, the settings it was rendered from, and its subscribers."""

    server: Server
    asterisk: Asterisk
    subscribers: Sipp


@contextmanager
def bench_network(
    directory: Path,
    sections: Mapping[str, Mapping[str, Any]],
    add_config: Callable[[Path], None] = lambda etc: None,
) -> Iterator[Bench]:
    """All is up inside the block. The subscribers press 1 and wait to be hung up.

    `add_config` may write more files into Asterisk's configuration.
    """
    prompts = _short_prompts(directory / "prompts")
    subscribers = Sipp(directory / "sipp", key_seconds=KEY_SECONDS)
    server = Server(
        directory / "server",
        trunk_port=subscribers.port,
        prompts=prompts,
        sections={**sections, "asterisk": {"rtp_strict": False, **sections.get("asterisk", {})}},
    )

    def configure(etc: Path) -> None:
        render(server.settings, etc)
        add_config(etc)

    asterisk = Asterisk("bench", directory / "asterisk", prompts, configure)
    with subscribers, asterisk:
        yield Bench(server, asterisk, subscribers)


def _short_prompts(directory: Path) -> Path:
    version = load_script(CHECKOUT / "prompts" / "script-vi.toml").version
    built, target = CHECKOUT / "var" / "prompts" / version, directory / version
    shutil.copytree(built, target, dirs_exist_ok=True)
    thanks = (built / "after_1.alaw").read_bytes()[: THANKS_SECONDS * _RATE]
    (target / "after_1.alaw").write_bytes(thanks)
    with (
        wave.open(str(built / "after_1.wav")) as full,
        wave.open(str(target / "after_1.wav"), "wb") as cut,
    ):
        cut.setparams(full.getparams())
        cut.writeframes(full.readframes(THANKS_SECONDS * _RATE))
    return directory
