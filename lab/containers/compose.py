"""`docker-compose` over the file at the top, as the demo: its images, services and volumes. I/O."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from lab.child import LabError
from lab.containers.engine import Engine
from lab.network import CHECKOUT

FILE = CHECKOUT / "docker-compose.yml"
DEMO_ENV = CHECKOUT / "deploy" / "docker" / "demo.env"
DOWN_SECONDS = 180


class Compose:
    """One project on an engine; the options are those that the README gives."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def build(self) -> None:
        """Build every image that the file names, once. Raises LabError as one fails."""
        # Not by docker-compose: its builds get no network on an engine without a bridge.
        for image, build in sorted(images().items()):
            target = ["--target", build["target"]] if "target" in build else []
            dockerfile = CHECKOUT / build["dockerfile"]
            self._engine.build(image, dockerfile, CHECKOUT / build["context"], *target)

    def up(self, *services: str) -> None:
        """Start services with what they need; those that must be healthy are. Raises LabError."""
        self._require("up", "-d", "--no-build", *services)

    @contextmanager
    def running(self, service: str) -> Iterator[subprocess.Popen[bytes]]:
        """A service that ends, in front; what it needs is started before."""
        running = subprocess.Popen(
            [*self._command(), "run", "--rm", "-T", service],
            env=self._engine.environment,
            stdin=subprocess.DEVNULL,
            cwd=CHECKOUT,
        )
        try:
            yield running
        finally:
            running.terminate()  # nothing to do for one that has ended
            running.wait()

    def output(self, service: str, *command: str) -> str:
        """What a command in a running service says. Raises LabError as it fails."""
        done = subprocess.run(
            [*self._command(), "exec", "-T", service, *command],
            env=self._engine.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=CHECKOUT,
        )
        if done.returncode != 0:
            raise LabError(f"{service}: {' '.join(command)} failed: {done.stderr.strip()}")
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        """For commands of docker-compose that others write, from any directory."""
        return {**self._engine.environment, **dict(_variables()), "COMPOSE_FILE": str(FILE)}

    def logs(self) -> str:
        """The last lines of every service."""
        command = [*self._command(), "logs", "--no-color", "--tail=40"]
        environment = self._engine.environment
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        return done.stdout

    def process(self, service: str) -> int:
        """The id of a service's first process. Raises LabError where it does not run."""
        pid = int(self._inspect(service)["State"]["Pid"])
        if not pid:
            raise LabError(f"{service} does not run")
        return pid

    def restarts(self, service: str) -> int:
        """How often Docker has started it again."""
        return int(self._inspect(service)["RestartCount"])

    def volume(self, name: str) -> Path:
        """Where a volume of the project lies on this machine."""
        full = f"{self._project()}_{name}"
        return Path(self._engine.docker("volume", "inspect", "-f", "{{.Mountpoint}}", full))

    def down(self) -> None:
        """Ends all, with the volumes. Raises LabError."""
        self._require("down", "--volumes", "--remove-orphans", "--timeout", str(DOWN_SECONDS))

    def _inspect(self, service: str) -> dict[str, Any]:
        shown = self._engine.docker("inspect", self._container(service))
        found: dict[str, Any] = json.loads(shown)[0]
        return found

    def _container(self, service: str) -> str:
        done = subprocess.run(
            [*self._command(), "ps", "-q", service],
            env=self._engine.environment,
            capture_output=True,
            text=True,
            cwd=CHECKOUT,
        )
        if not done.stdout.strip():
            raise LabError(f"there is no container of {service}: {done.stderr.strip()}")
        return done.stdout.split()[0]

    def _require(self, *arguments: str) -> None:
        command = [*self._command(), *arguments]
        done = subprocess.run(command, env=self._engine.environment, cwd=CHECKOUT)
        if done.returncode != 0:
            raise LabError(f"docker-compose {arguments[0]} failed")

    def _command(self) -> list[str]:
        return ["docker-compose", "--env-file", str(DEMO_ENV)]

    def _project(self) -> str:
        return dict(_variables())["COMPOSE_PROJECT_NAME"]


def images() -> dict[str, dict[str, str]]:
    """How each image of ours is built, by its tag."""
    services = yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"]
    return {each["image"]: each["build"] for each in services.values() if "build" in each}


def _variables() -> Iterator[tuple[str, str]]:
    for line in DEMO_ENV.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield name, value
