"""What is done at the command line, in the audit under the name of who did it. I/O."""

from collections.abc import Callable
from getpass import getuser
from typing import Any, TypeVar

from sqlalchemy import Connection

from domain.clock import utc_now
from store import audit
from store.audit import Act

T = TypeVar("T")


def audited(
    connection: Connection,
    action: str,
    subject: str,
    operation: Callable[[Connection], T],
    **data: Any,
) -> T:
    """Run a write and leave its row, by the word that pages and programs leave for the same."""
    act = Act(action, None, subject, data={**data, "by": getuser()})
    return audit.perform(connection, act, utc_now(), operation)
