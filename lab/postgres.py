"""A private PostgreSQL cluster from Debian's package, for tests and benchmarks. I/O.

    with Postgres() as cluster:
        url = cluster.create_database("tstn")    # postgresql://tstn:…@127.0.0.1:PORT/tstn

It writes as a real one does (fsync on), listens on the loopback address only, and its files lie in
a temporary directory that PostgreSQL's own account can reach.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

from lab.child import Child, LabError, Part, is_alive
from lab.ports import LOOPBACK, free_ports

PACKAGES = Path("/usr/lib/postgresql")
USER = "tstn"
START_SECONDS = 30.0
STOP_SECONDS = 15.0


class Postgres(Part):
    """One cluster. `start` makes it at the first call, and starts the same one afterwards."""

    def __init__(self) -> None:
        self._bin = _programs()
        self.port = free_ports(1)[0]
        self._password = secrets.token_urlsafe(18)
        self._directory: Path | None = None
        self._child: Child | None = None

    def start(self) -> None:
        """Returns once it accepts connections. Raises LabError where it does not."""
        if self._directory is None:
            self._directory = self._make_cluster()
        self._child = Child(
            "PostgreSQL",
            [
                *(self._bin / "postgres", "-D", self._directory / "data"),
                *("-p", str(self.port), "-k", "", "-c", f"listen_addresses={LOOPBACK}"),
            ],
            self._directory / "log",
            options=_owner_options(),
        )
        self._child.wait_ready(self._accepts, START_SECONDS)

    def stop(self) -> None:
        """A fast shutdown: open transactions are rolled back. Nothing to do if it is dead."""
        if self.is_running():
            self._shut_down(signal.SIGINT)

    def kill(self) -> None:
        """kill -9 of every process of the cluster, as a power cut would, and waits for the end."""
        victims = list(self._processes())
        self._signal(signal.SIGKILL)
        self._running.kill()
        deadline = monotonic() + STOP_SECONDS
        while any(map(is_alive, victims)) and monotonic() < deadline:
            sleep(0.01)

    def freeze(self) -> None:
        """Stops every process until `thaw`: connections stay open and get no answer."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets a frozen cluster run again."""
        self._signal(signal.SIGCONT)

    def is_running(self) -> bool:
        """Whether the cluster's first process is alive (frozen counts as alive)."""
        return self._child is not None and self._child.is_running()

    def remove(self) -> None:
        """Ends it, and deletes the cluster's files."""
        if self.is_running():
            # An orderly stop would first write everything; kill -9 leaves shared memory behind.
            self._shut_down(signal.SIGQUIT)
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def create_database(self, name: str) -> str:
        """Makes an empty database; returns its URL. Raises LabError where it cannot."""
        self._client("createdb", "--template=template0", name)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drops a database, with whoever is still connected to it."""
        self._client("dropdb", "--force", "--if-exists", name)

    def url(self, name: str) -> str:
        """The plain URL of a database of this cluster."""
        return f"postgresql://{USER}:{self._password}@{LOOPBACK}:{self.port}/{name}"

    def __exit__(self, *failure: object) -> None:
        self.remove()

    @property
    def _running(self) -> Child:
        if self._child is None:
            raise LabError("PostgreSQL has not been started")
        return self._child

    def _shut_down(self, how: signal.Signals) -> None:
        self.thaw()
        self._signal(how)
        if not self._running.ends_within(STOP_SECONDS):
            self.kill()

    def _make_cluster(self) -> Path:
        directory = Path(tempfile.mkdtemp(prefix="tstn-postgres-"))
        password_file = directory / "password"
        password_file.write_text(self._password)
        if os.geteuid() == 0:
            owner = _owner()
            for path in (directory, password_file):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        command = ["setpriv", *_owner_options(), str(self._bin / "initdb")]
        place = ["-D", str(directory / "data"), "-U", USER, f"--pwfile={password_file}"]
        made = _run(*command, *place, "--auth=scram-sha-256", "--locale=C.UTF-8", "--no-sync")
        password_file.unlink()
        if made.returncode != 0:
            shutil.rmtree(directory, ignore_errors=True)
            raise LabError(f"initdb failed: {made.stderr.strip().splitlines()[-1]}")
        return directory

    def _accepts(self) -> bool:
        place = ("-h", LOOPBACK, "-p", str(self.port))
        return _run(self._bin / "pg_isready", "-q", *place).returncode == 0

    def _client(self, program: str, *arguments: str) -> None:
        place = ("-h", LOOPBACK, "-p", str(self.port), "-U", USER)
        done = _run(self._bin / program, *place, *arguments, PGPASSWORD=self._password)
        if done.returncode != 0:
            raise LabError(done.stderr.strip())

    def _processes(self) -> Iterator[int]:
        """The first process and its children (they have no children of their own)."""
        if self.is_running():
            pid = self._running.pid
            yield pid
            yield from map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())

    def _signal(self, number: signal.Signals) -> None:
        for pid in list(self._processes()):
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def _run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def _programs() -> Path:
    """The newest installed version's programs. Raises LabError where there is none."""
    versions = [d for d in PACKAGES.glob("*/bin") if (d / "initdb").exists()]
    if not versions:
        raise LabError("no PostgreSQL on this machine: apt-get install postgresql")
    return max(versions, key=lambda d: int(d.parent.name) if d.parent.name.isdigit() else 0)


def _owner() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        raise LabError(
            "no account `postgres` on this machine: apt-get install postgresql"
        ) from None


def _owner_options() -> list[str]:
    """setpriv's options for PostgreSQL's own account, as which it runs where we are root."""
    if os.geteuid() != 0:
        return []
    owner = _owner()
    return [f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--init-groups"]
