"""The way around, by role: the first entry a role may see is where its people begin. Pure."""

from dataclasses import dataclass

from console.messages import marked as _
from domain.roles import Permission, Role, may


@dataclass(frozen=True, slots=True)
class Entry:
    """A link at the top of every page."""

    path: str
    label: str
    needs: Permission


ENTRIES = (
    Entry("/desk", _("My desk"), Permission.CALLBACKS_WORK),
    Entry("/supervise", _("Supervision"), Permission.CALLBACKS_SUPERVISE),
    Entry("/campaigns", _("Campaigns"), Permission.CAMPAIGNS_READ),
    Entry("/numbers", _("Number look-up"), Permission.NUMBERS_LOOK_UP),
    Entry("/health", _("Health"), Permission.HEALTH_READ),
    Entry("/users", _("Accounts"), Permission.USERS_MANAGE),
    Entry("/audit", _("Audit"), Permission.AUDIT_READ),
)
"""In the order of the day's work; desks stand before look-ups."""


def entries_of(role: Role) -> tuple[Entry, ...]:
    """What the role's people see."""
    return tuple(entry for entry in ENTRIES if may(role, entry.needs))


def home_of(role: Role) -> str:
    """Where the role's people begin."""
    return entries_of(role)[0].path
