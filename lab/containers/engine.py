"""A Docker engine of our own, from Debian's packages, while its `with` block runs. I/O.

It needs root. Everything of it lies in a temporary directory, and it touches no firewall rule and
no network: all containers are in the host's network, or in none.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lab.child import Child, LabError, Part, require

START_SECONDS = 60.0
STOP_SECONDS = 60.0


class Engine(Part):
    """`dockerd` on a socket; `docker` asks it. Images, containers and volumes end with it."""

    def __init__(self) -> None:
        self._directory: Path | None = None
        self._child: Child | None = None

    @property
    def host(self) -> str:
        """The socket, as DOCKER_HOST. Raises LabError before the start."""
        if self._directory is None:
            raise LabError("the Docker engine has not been started")
        return f"unix://{self._directory}/docker.sock"

    def start(self) -> None:
        """Returns once it answers. Raises LabError where it does not come up."""
        if os.geteuid() != 0:
            raise LabError("a Docker engine of our own needs root")
        self._directory = Path(tempfile.mkdtemp(prefix="tstn-docker-"))
        self._child = Child(
            "dockerd",
            [require("dockerd", "docker.io"), *self._options()],
            self._directory / "log",
            # Mounts of its own: nothing stays mounted once it is dead.
            prefix=[require("unshare", "util-linux"), "--mount", "--propagation=private"],
        )
        self._child.wait_ready(self._answers, START_SECONDS)

    def stop(self) -> None:
        """Ends it with its containers, and deletes all that it kept."""
        if self._child is not None:
            self._child.signal(signal.SIGTERM)
            if not self._child.ends_within(STOP_SECONDS):
                self._child.kill()
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)

    def docker(self, *arguments: str) -> str:
        """The answer of `docker arguments`. Raises LabError as it failed."""
        done = subprocess.run(
            ["docker", *arguments], env=self.environment, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise LabError(f"docker {arguments[0]} failed: {done.stderr.strip()[-2000:]}")
        return done.stdout.strip()

    def build(self, tag: str, dockerfile: Path, context: Path, *options: str) -> None:
        """Build an image; what it says goes to our own output. Raises LabError as it failed."""
        place = ["-f", str(dockerfile), str(context)]
        command = ["docker", "build", "--network=host", "-t", tag, *options, *place]
        if subprocess.run(command, env=self.environment).returncode != 0:
            raise LabError(f"the image {tag} could not be built")

    def run(self, image: str, *command: str, options: Sequence[str]) -> int:
        """Run a container in front; its exit status."""
        words = ["docker", "run", *options, image, *command]
        return subprocess.run(words, env=self.environment, stdin=subprocess.DEVNULL).returncode

    @property
    def environment(self) -> dict[str, str]:
        """For docker and docker-compose: this engine, and none of this process's settings."""
        kept = {name: value for name, value in os.environ.items() if not _is_ours(name)}
        return {**kept, "DOCKER_HOST": self.host, "DOCKER_BUILDKIT": "0"}

    def _options(self) -> Sequence[str]:
        directory = self._directory
        return [
            f"--data-root={directory}/data",
            f"--exec-root={directory}/exec",
            f"--pidfile={directory}/pid",
            f"--host={self.host}",
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false",
            "--storage-driver=overlay2",
            "--exec-opt=native.cgroupdriver=cgroupfs",
            "--oom-score-adjust=0",  # below 0 needs a right that a container's root lacks
        ]

    def _answers(self) -> bool:
        command = ["docker", "version", "--format", "{{.Server.Version}}"]
        done = subprocess.run(command, env=self.environment, capture_output=True)
        return done.returncode == 0


def _is_ours(variable: str) -> bool:
    return variable.startswith(("TSTN_", "COMPOSE_", "DOCKER_"))
