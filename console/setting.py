"""What the console is told at start. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from store.users import LoginLimits


@dataclass(frozen=True, slots=True)
class ConsoleSetting:
    """Where it answers, and how long a login lasts without anything being done."""

    host: str
    port: int
    idle: timedelta
    login: LoginLimits
    secure_cookies: bool
    """Cookies over HTTPS only; on the loopback address plain HTTP will do."""
    uploads: Path
    """Where audience files lie while they are imported, and the rows that were refused."""
    upload_bytes: int
    keep_rejects: timedelta
    """For so long the refused rows can be downloaded."""
