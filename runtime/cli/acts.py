"""What is done at the command line, in the audit under the name of who did it. I/O."""

import os
import pwd
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection

from domain.clock import utc_now
from store import audit
from store.audit import Act

T = TypeVar("T")


def operator() -> str:
    """Whose account on this host runs the command; its number where it has no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def audited(
    connection: Connection,
    action: str,
    subject: str,
    operation: Callable[[Connection], T],
    **data: Any,
) -> T:
    """Run a write and leave its row, by the word that pages and programs leave for the same."""
    act = Act(action, None, subject, data={**data, "by": operator()})
    return audit.perform(connection, act, utc_now(), operation)
