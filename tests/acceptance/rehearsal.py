"""A campaign rehearsed as an operator runs it: real Asterisks, the real `tstn`, its own store. I/O.

Every wait polls a condition and has a deadline: the machine may be slow, the facts may not differ.
"""

import asyncio
import json
import signal
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from contextlib import redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path
from time import monotonic, sleep
from types import MappingProxyType
from typing import Any, TypeVar

from domain.clock import utc_now
from domain.msisdn import national
from lab.behaviours import FAST, Timing
from lab.carrier import Talking
from lab.child import Child, Part
from lab.network import CHECKOUT, Network, Sections, write_settings
from lab.ports import free_ports
from runtime.cli.main import main
from store import campaigns
from store.engine import Operation, open_store

TSTN = Path(sys.executable).parent / "tstn"
CAMPAIGN = "rehearsal"
NO_RETRIES: dict[str, Any] = {"max_attempts": 1}
_POLL_SECONDS = 0.05
_UP_SECONDS = 30.0

T = TypeVar("T")
Row = dict[str, Any]


class Rehearsal(Part):
    """A network, an empty store, one campaign by the name of CAMPAIGN.

    Without `store_url` the store is an SQLite file; without `prompts` the real ones are played.
    """

    def __init__(
        self,
        directory: Path,
        *,
        store_url: str | None = None,
        timing: Timing = FAST,
        recording: bool = False,
        talking: Talking = MappingProxyType({}),
        phones: Collection[str] = (),
        prompts: Path = CHECKOUT / "var" / "prompts",
        sections: Sections | None = None,
    ) -> None:
        self.directory = directory
        store = {"store": {"url": store_url}} if store_url else {}
        self.network = Network(
            directory / "network",
            timing=timing,
            recording=recording,
            talking=talking,
            phones=phones,
            prompts=prompts,
            sections={**store, **(sections or {})},
        )
        self.carrier = self.network.carrier
        self.asterisk = self.network.asterisk
        self.log_file = directory / "serve.log"
        self._servers: list[Server] = []

    def start(self) -> None:
        """Both Asterisks up, the store migrated; nothing serves yet."""
        self.network.start()
        self.tstn("migrate")

    def stop(self) -> None:
        """Whatever of it still runs."""
        for server in self._servers:
            server.kill()
        self.network.stop()

    # -- the operator's commands

    def run(
        self, *words: str | Path, settings: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """One command of `tstn` as a program, whatever comes of it."""
        command = [TSTN, "--config", settings or self.network.settings_file, *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    def tstn(self, *words: str | Path) -> str:
        """What a command of `tstn` prints; it must succeed.

        It runs in this process: a new interpreter for each would take a third of the tests' time.
        """
        printed = TextIOWrapper(BytesIO(), encoding="utf-8")
        with redirect_stdout(printed):
            status = main(["--config", str(self.network.settings_file), *map(str, words)])
        printed.seek(0)
        assert status == 0, f"tstn {' '.join(map(str, words))}: {status}"
        return printed.read()

    def load(self, numbers: Iterable[str], *, start: bool = True, **knobs: Any) -> None:
        """Make the campaign of a file, import the numbers, and start it."""
        values = {
            "name": CAMPAIGN,
            "purpose": "customer_care",
            "windows": ["00:00-24:00"],
            "call_on_holidays": True,
            **knobs,
        }
        campaign, audience = self.directory / "campaign.toml", self.directory / "audience.csv"
        # JSON's texts, numbers, flags and lists are TOML's too.
        campaign.write_text("".join(f"{k} = {json.dumps(v)}\n" for k, v in values.items()))
        audience.write_text("\n".join(["msisdn", *map(national, numbers)]))
        self.tstn("campaign", "create", campaign)
        self.tstn("audience", "import", audience, "--campaign", CAMPAIGN)
        if start:
            self.tstn("campaign", "start", CAMPAIGN)

    def export(self, kind: str) -> list[Row]:
        """Every line of `tstn export`."""
        return json_lines(self.tstn("export", kind, "--campaign", CAMPAIGN))

    def attempts(self) -> dict[str, list[Row]]:
        """The attempts of each number that has any, in order."""
        by_number: dict[str, list[Row]] = {}
        for attempt in self.export("attempts"):
            by_number.setdefault(attempt["msisdn"], []).append(attempt)
        return by_number

    # -- the server

    def serve(self, settings: Path | None = None) -> "Server":
        """Start `tstn serve`; it need not be up yet when this returns."""
        self._servers.append(Server(settings or self.network.settings_file, self.log_file))
        return self._servers[-1]

    def other_settings(self) -> Path:
        """Settings of a second server for the same Asterisk and store."""
        first = self.network.settings_file
        second = first.with_name("second.toml")
        own: Sections = {
            "health": {"port": free_ports(1)[0]},
            "console": {"port": free_ports(1)[0]},
            "spool": {"path": "var/second-spool.sqlite"},
        }
        write_settings(second, tomllib.loads(first.read_text(encoding="utf-8")), own)
        return second

    # -- what came of it

    def read(self, operation: Operation[..., T], *args: Any) -> T:
        """The answer of a store operation, on a connection of its own."""

        async def answer() -> T:
            store = open_store(self.network.settings.store.url)
            try:
                return await store.read(operation, *args)
            finally:
                await store.close()

        return asyncio.run(answer())

    def state(self) -> str:
        """The campaign's state."""
        return self.read(campaigns.by_name, CAMPAIGN).state

    def counts(self) -> dict[str, dict[str, int]]:
        """Its targets by state and outcome, its attempts by disposition."""
        return self.read(campaigns.counts, self.read(campaigns.by_name, CAMPAIGN).id)

    def until_finished(self, seconds: float) -> None:
        """Return once no number is left to dial."""
        until(
            lambda: self.state() == "finished",
            seconds,
            lambda: f"unfinished: {self.counts()}",
            every=0.3,
        )

    def invites(self) -> Counter[str]:
        """How many INVITEs the carrier saw, by number as dialled."""
        return Counter(event.number for event in self.carrier.invites())

    def until_invited(self, count: int, seconds: float = 30.0) -> None:
        """Return once the carrier has logged that many INVITEs."""
        until(
            lambda: self.invites().total() >= count,
            seconds,
            lambda: f"{self.invites().total()} INVITEs of {count}",
        )

    def until_no_channel(self) -> None:
        """Return once our Asterisk has no call left."""
        show = "core show channels"
        until(
            lambda: "0 active channels" in self.asterisk.cli(f"{show} count"),
            10,
            lambda: self.asterisk.cli(show),
        )

    def log(self) -> str:
        """What the servers of this rehearsal have said."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""


class Server:
    """A running `tstn serve`."""

    def __init__(self, settings: Path, log: Path) -> None:
        self._health_port = tomllib.loads(settings.read_text())["health"]["port"]
        self._child = Child("tstn serve", [TSTN, "--config", settings, "serve"], log)

    def health(self) -> Row:
        """What it says of itself; empty while it does not answer."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self._health_port}/health", timeout=5
            ) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as unwell:
            with unwell:
                return dict(json.load(unwell))
        except OSError:
            return {}

    def is_ready(self) -> bool:
        """Whether it listens to its Asterisk."""
        return bool(self.health().get("asterisk", {}).get("ready"))

    def until_ready(self, seconds: float = _UP_SECONDS) -> None:
        """Return once it listens to its Asterisk."""
        until(self.is_ready, seconds, lambda: f"not ready: {self.health()}")

    def is_running(self) -> bool:
        """Whether the process is alive."""
        return self._child.is_running()

    def kill(self) -> None:
        """kill -9, and waits for the end."""
        self._child.kill()

    def terminate(self) -> None:
        """SIGTERM."""
        self._child.signal(signal.SIGTERM)

    def exit_status(self, seconds: float) -> int:
        """Its exit status; it must end within that time."""
        assert self._child.ends_within(seconds), f"tstn serve still runs: {self.health()}"
        return self._child.exit_status


def until(
    condition: Callable[[], bool],
    seconds: float,
    told: Callable[[], str],
    every: float = _POLL_SECONDS,
) -> None:
    """Return once the condition holds; AssertionError with what `told` gives after the deadline."""
    deadline = monotonic() + seconds
    while not condition():
        assert monotonic() < deadline, f"not within {seconds:g} s: {told()}"
        sleep(every)


def epoch() -> float:
    """Now, in the carrier log's epoch seconds."""
    return utc_now().timestamp()


def json_lines(text: str) -> list[Row]:
    """One object a line."""
    return [json.loads(line) for line in text.splitlines()]
