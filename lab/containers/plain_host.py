"""README.md, "On a plain host", and the runbook's upgrade: each command, on a bare Debian sid. I/O.

The host is a container without systemd: a script starts what the units name, by their account and
limits. Its network is the loopback address.
"""

import re
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from lab.child import LabError
from lab.containers.engine import Engine
from lab.network import CHECKOUT

SCRIPTS = Path(__file__).resolve().parent / "host"
IMAGE = "tstn-plain-host"
_README = re.compile(r"^## On a plain host\n.*?^```\n(.*?)^```", re.MULTILINE | re.DOTALL)
_UPGRADE = re.compile(r"^```bash host\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INSTALLING = 2
"""Lines that need Debian's mirror and the registries."""


def install_and_upgrade(engine: Engine) -> None:
    """Raises LabError where a command fails, or the server does not come up by them."""
    readme, runbook = (
        (CHECKOUT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/runbook.md")
    )
    commands = _README.findall(readme)[0].splitlines(keepends=True)
    with TemporaryDirectory(prefix="tstn-host-") as name:
        context = Path(name)
        shutil.copytree(SCRIPTS, context / "host")
        repository = ["git", "clone", "--quiet", "--bare", str(CHECKOUT), str(context / "src")]
        subprocess.run(repository, check=True)
        for file, text in {
            "Dockerfile": _dockerfile(commands[:_INSTALLING]),
            "block": "".join(commands[_INSTALLING:]),
            "upgrade": _UPGRADE.findall(runbook)[0],
        }.items():
            (context / file).write_text(text, encoding="utf-8")
        engine.build(IMAGE, context / "Dockerfile", context)
    ran = engine.run(IMAGE, "run", options=["--rm", "--network=none", "--hostname=plain-host"])
    if ran != 0:
        raise LabError("the commands for a plain host do not lead to a server that is well")


def _dockerfile(installing: list[str]) -> str:
    lines = [f"RUN {' '.join(line.partition(' #')[0].split())}" for line in installing]
    return "\n".join(
        [
            "FROM debian:sid-slim",
            "ENV DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8",
            "RUN echo 'APT::Get::Assume-Yes \"true\";' >/etc/apt/apt.conf.d/90yes && apt-get update"
            " && apt-get install asterisk asterisk-modules asterisk-config",
            "COPY src /src",
            *(line.replace("git clone URL", "git clone /src") for line in lines),
            "COPY host /usr/local/sbin/",
            "COPY block upgrade /",
            "",
        ]
    )
