"""The accounts, the data directory and the passwords' file. I/O."""

import os
import pwd
import stat
from pathlib import Path

from runtime.check_lines import CheckLine, Verdict
from runtime.settings import Settings

ACCOUNT = "tstn"
_SECRET_FOR_OTHERS = 0o077
_WRITE_AND_SEARCH, _READ = 0o3, 0o4


def look(settings: Settings) -> list[CheckLine]:
    """The account of the server, and what it must be able to write and to keep secret."""
    exists = has_account(ACCOUNT)
    lines = [judge_account(ACCOUNT, exists)]
    for name, directory in _written(settings).items():
        writable = not exists or may(ACCOUNT, directory, _WRITE_AND_SEARCH)
        lines.append(judge_directory(name, directory, directory.is_dir(), writable))
    secrets = settings.secrets_file
    readable = not exists or may(ACCOUNT, secrets, _READ)
    return [*lines, judge_secrets(secrets, mode_of(secrets), readable)]


def _written(settings: Settings) -> dict[str, Path]:
    places = {"spool": settings.spool.path.parent, "uploads": settings.console.uploads.parent}
    if settings.store.url.startswith("sqlite:///"):
        places["store"] = Path(settings.store.url.removeprefix("sqlite:///")).parent
    return places


def judge_account(name: str, exists: bool) -> CheckLine:
    """The account of the unit."""
    if not exists:
        todo = f"useradd --system --home-dir /opt/{name} --shell /usr/sbin/nologin {name}"
        return CheckLine(f"account {name}", Verdict.FAIL, "there is none", todo)
    return CheckLine(f"account {name}", Verdict.OK, "it is there")


def judge_directory(name: str, directory: Path, exists: bool, writable: bool) -> CheckLine:
    """A directory that the server writes to."""
    if not exists:
        todo = f"install -d -o {ACCOUNT} -g {ACCOUNT} -m 0750 {directory}"
        return CheckLine(f"{name} directory", Verdict.FAIL, f"there is no {directory}", todo)
    if not writable:
        says = f"{ACCOUNT} may not write to {directory}"
        return CheckLine(f"{name} directory", Verdict.FAIL, says, f"chown {ACCOUNT} {directory}")
    return CheckLine(f"{name} directory", Verdict.OK, str(directory))


def judge_secrets(file: Path, mode: int | None, readable: bool) -> CheckLine:
    """The passwords of Asterisk, made at the first render: for the server and nobody else."""
    if mode is None:
        todo = "tstn asterisk render /etc/asterisk, as root"
        return CheckLine("passwords", Verdict.FAIL, f"there is no {file}", todo)
    if mode & _SECRET_FOR_OTHERS:
        says = f"{file} has mode {mode:04o}: others may read it"
        return CheckLine("passwords", Verdict.FAIL, says, f"chmod 0600 {file}")
    if not readable:
        says = f"{ACCOUNT} may not read {file}"
        return CheckLine("passwords", Verdict.FAIL, says, f"chown {ACCOUNT} {file}")
    return CheckLine("passwords", Verdict.OK, f"{file} has mode {mode:04o}")


def mode_of(file: Path) -> int | None:
    """The permissions of a file, None where it is not there or can't be seen."""
    try:
        return stat.S_IMODE(file.stat().st_mode)
    except OSError:
        return None


def may(account: str, path: Path, wanted: int) -> bool:
    """Whether an account has the wanted rights (rwx as 4, 2, 1) to a path, and reaches it."""
    try:
        return all(_allows(account, parent, 0o1) for parent in path.absolute().parents) and _allows(
            account, path, wanted
        )
    except OSError:
        return False


def _allows(account: str, path: Path, wanted: int) -> bool:
    """By the permissions of the file alone."""
    entry, found = pwd.getpwnam(account), path.stat()
    if entry.pw_uid == 0:
        return True
    if found.st_uid == entry.pw_uid:
        bits = found.st_mode >> 6
    elif found.st_gid in os.getgrouplist(account, entry.pw_gid):
        bits = found.st_mode >> 3
    else:
        bits = found.st_mode
    return bits & wanted == wanted


def has_account(name: str) -> bool:
    """Whether this host has such an account."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
