"""The images that ours are made from, without an image registry: from Debian's packages. I/O.

They stand under the tags that the Dockerfiles and docker-compose.yml name. Debian's own are
debootstrap's minbase; PostgreSQL's is Debian's package behind a start that heeds the variables of
the official image. What this machine's package clients need to know (a certificate authority of
its own) goes with them.
"""

import os
from pathlib import Path

from lab.containers.engine import Engine

HERE = Path(__file__).resolve().parent
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
_CLIENTS = ("PIP_CERT", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE")
"""The variables by which clients find the authorities."""


def import_base_images(engine: Engine, roots: Path) -> None:
    """Make them from the roots (`lab/setup images`): DIRECTORY/SUITE.tar."""
    for suite in ("bookworm", "sid"):
        told = [f"ENV {name}={AUTHORITIES}" for name in _CLIENTS if name in os.environ]
        changes = [word for line in told for word in ("--change", line)]
        engine.docker("import", *changes, str(roots / f"{suite}.tar"), f"debian:{suite}-slim")
    engine.build("postgres:15-bookworm", HERE / "postgres.Dockerfile", HERE)
