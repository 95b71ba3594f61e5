"""A store in PostgreSQL: dumped and loaded by PostgreSQL's own programs. I/O.

The dump holds no revision of the schema. So a database that was loaded, and not made ready, is one
on which no server starts.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from sqlalchemy.engine import make_url

from domain.errors import InputError

NAME = "store.dump"
_PACKAGES = Path("/usr/lib/postgresql")
_ERRORS_ONLY = "-c client_min_messages=error"
_NEW_SETTING = b"SET transaction_timeout = 0;"
_HEAD_BYTES = 4096
# What is ours in the database goes in the same transaction in which the dump comes.
_EMPTY = """\
DO $$
DECLARE it record;
BEGIN
    FOR it IN SELECT tablename AS name FROM pg_tables
        WHERE schemaname = current_schema() AND tableowner = current_user
    LOOP
        EXECUTE format('DROP TABLE %I CASCADE', it.name);
    END LOOP;
    FOR it IN SELECT p.oid::regprocedure AS name
        FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
        WHERE p.pronamespace = current_schema()::regnamespace AND r.rolname = current_user
    LOOP
        EXECUTE format('DROP FUNCTION %s CASCADE', it.name);
    END LOOP;
END
$$;
"""


def save(url: str, into: Path) -> None:
    """Dump one moment of the database; servers go on. Raises InputError."""
    _run(
        url,
        *("pg_dump", "--format=custom", "--no-owner", "--no-privileges"),
        *("--exclude-table-data=*.alembic_version", f"--file={into / NAME}"),
    )


def load(backup: Path, url: str) -> None:
    """The dump takes the place of all tables, or nothing is changed. Raises InputError."""
    with tempfile.TemporaryDirectory(prefix="tstn-restore-") as name:
        empty, script = Path(name) / "empty.sql", Path(name) / "dump.sql"
        empty.write_text(_EMPTY)
        # To a file first: of a dump that breaks off nothing must be committed.
        options = ("--no-owner", "--no-privileges", f"--file={script}")
        _checked([_program("pg_restore"), *options, str(backup / NAME)], {})
        leave_out_new_setting(script)
        _run(
            url,
            *("psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"),
            *("--output=/dev/null", f"--file={empty}", f"--file={script}"),
        )


def leave_out_new_setting(script: Path) -> None:
    """Turn what pg_restore 17 sets at its beginning, and no older server knows, into a comment."""
    with script.open("r+b") as file:
        at = file.read(_HEAD_BYTES).find(_NEW_SETTING)
        if at >= 0:
            file.seek(at)
            file.write(_NEW_SETTING.replace(b"SET", b"-- ", 1))


def _run(url: str, program: str, *options: str) -> None:
    """The password goes by the environment: a command line is everybody's to read."""
    parsed = make_url(url)
    place = {
        "--host": parsed.host or parsed.query.get("host"),
        "--port": parsed.port or parsed.query.get("port"),
        "--username": parsed.username,
    }
    given = [f"{name}={value}" for name, value in place.items() if value is not None]
    password = {"PGPASSWORD": str(parsed.password)} if parsed.password is not None else {}
    command = [_program(program), "--no-password", *given, *options]
    _checked([*command, f"--dbname={parsed.database}"], password)


def _checked(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(  # noqa: S603 (no shell, and a program of PostgreSQL's)
        command,
        env={**os.environ, "LC_ALL": "C", "PGOPTIONS": _ERRORS_ONLY, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise InputError(said[0] if said else f"{Path(command[0]).name} failed")


def _program(name: str) -> str:
    """Raises InputError where it is not installed."""
    newest = sorted(
        (found for found in _PACKAGES.glob(f"*/bin/{name}") if found.parts[-3].isdigit()),
        key=lambda found: int(found.parts[-3]),
    )
    program = str(newest[-1]) if newest else shutil.which(name)
    if program is None:
        raise InputError(f"no {name} on this host: apt-get install postgresql-client")
    return program
