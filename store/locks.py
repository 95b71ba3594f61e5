"""Locks that a transaction holds until it ends, one node at a time. I/O.

They are PostgreSQL's: SQLite's write transaction is each of them already. Who takes several takes
them in the order in which they stand here; nobody waits for a tick's.
"""

from typing import Any

from sqlalchemy import Connection, TextClause, text

_AUDIENCE = text("SELECT pg_advisory_xact_lock(2169232, :campaign_id)")
_TAKING_OUT = text("SELECT pg_advisory_xact_lock(2169241)")
_BRINGING_IN = text("SELECT pg_advisory_xact_lock_shared(2169241)")
_CLAIMS = text("SELECT pg_advisory_xact_lock(2169231)")
_READING = text("SELECT pg_advisory_xact_lock(2169232)")
_SENDING = text("SELECT pg_advisory_xact_lock(2169233, hashtext(:account))")
_INVITING = text("SELECT pg_advisory_xact_lock(2169234)")
_LIMITS = text("LOCK TABLE limits IN SHARE ROW EXCLUSIVE MODE")
_TICK = text("SELECT pg_try_advisory_xact_lock(2169240, hashtext(:name))")


def lock_audience(connection: Connection, campaign_id: int) -> None:
    """Let nobody else bring numbers into a campaign.

    Two files with the same numbers would else wait for each other's rows for ever, and what is
    known to be new might be so no more.
    """
    _take(connection, _AUDIENCE, campaign_id=campaign_id)


def lock_taking_out(connection: Connection) -> None:
    """Let nobody bring numbers in while some are taken out."""
    _take(connection, _TAKING_OUT)


def lock_bringing_in(connection: Connection) -> None:
    """Let nobody take numbers out while some are brought in; others may bring some in as well."""
    _take(connection, _BRINGING_IN)


def lock_claims(connection: Connection) -> None:
    """Let nobody else count channels and claim targets."""
    _take(connection, _CLAIMS)


def lock_reading(connection: Connection) -> None:
    """Let nobody else read texts: a text and its repeat would both be answered."""
    _take(connection, _READING)


def lock_sending(connection: Connection, account: str) -> None:
    """Let no other bind of the account claim texts: two could share the parts of one."""
    _take(connection, _SENDING, account=account)


def lock_inviting(connection: Connection) -> None:
    """Let nobody else judge invitations: two accounts may send to one number."""
    _take(connection, _INVITING)


def lock_limits(connection: Connection) -> None:
    """Let nobody else change limits: one that is not set yet has no row to be locked."""
    _take(connection, _LIMITS)


def may_tick(connection: Connection, name: str) -> bool:
    """Whether this transaction may do the tick; if not, another node is at it now."""
    if connection.dialect.name != "postgresql":
        return True
    return bool(connection.execute(_TICK, {"name": name}).scalar_one())


def _take(connection: Connection, lock: TextClause, **of: Any) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(lock, of)
