"""What a backup says of itself, and whether its files are still what was written. I/O."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from domain.errors import InputError

FILE = "manifest.json"
SPOOL = "spool.sqlite"
_FORMAT = 1


@dataclass(frozen=True)
class Kept:
    """A file of the backup as it was written."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """`kind` is "sqlite" or "postgresql"; `revision` that of the schema; `files` by name.

    What stands in the store is as it was at `made_at`, or a moment later.
    """

    made_at: datetime
    version: str
    revision: str
    kind: str
    node: str
    files: dict[str, Kept]


def describe(directory: Path, names: Iterable[str]) -> dict[str, Kept]:
    """The files as they are; each is on disk when this returns."""
    return {name: _kept(directory / name, sync=True) for name in names}


def write(directory: Path, manifest: Manifest) -> None:
    """The last file of a backup: without it, it is none."""
    text = orjson.dumps({"format": _FORMAT, **asdict(manifest)}, option=orjson.OPT_INDENT_2)
    file = directory / FILE
    with file.open("xb") as stream:
        stream.write(text + b"\n")
        stream.flush()
        os.fsync(stream.fileno())


def read(directory: Path) -> Manifest:
    """Raises InputError where it is no backup, or one that this version can't read."""
    file = directory / FILE
    try:
        said = orjson.loads(file.read_bytes())
    except OSError as error:
        raise InputError(f"{directory} is no backup: {FILE}: {error.strerror}") from None
    except ValueError:
        raise InputError(f"{file} is damaged: take another backup") from None
    if not isinstance(said, dict) or said.pop("format", None) != _FORMAT:
        raise InputError(f"{directory} was made by another version: it has another format")
    try:
        return _manifest(said)
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{file} is damaged: take another backup") from None


def require_whole(directory: Path, manifest: Manifest) -> None:
    """Raises InputError where a file is not what was written."""
    for name, kept in manifest.files.items():
        try:
            found = _kept(directory / name, sync=False)
        except OSError as error:
            raise InputError(f"{directory / name}: {error.strerror}: take another backup") from None
        if found != kept:
            raise InputError(f"{directory / name} is damaged: take another backup")


def _manifest(said: dict[str, Any]) -> Manifest:
    files = {name: Kept(**kept) for name, kept in said.pop("files").items()}
    if any(Path(name).name != name for name in files):
        raise ValueError("a file of another directory")
    made_at = datetime.fromisoformat(said.pop("made_at"))
    return Manifest(made_at=made_at, files=files, **said)


def _kept(file: Path, *, sync: bool) -> Kept:
    with file.open("rb") as stream:
        if sync:
            os.fsync(stream.fileno())
        return Kept(file.stat().st_size, hashlib.file_digest(stream, "sha256").hexdigest())
