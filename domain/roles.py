"""Who may do what: the roles of domain.md R33, and the table role → permissions. Pure.

Whoever guards a page or an operation asks for a permission, never for a role: what a role may do
stands in one place.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What an account is for. Values are stored: add to them, never rename."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    OPERATOR = "operator"
    SPECIALIST = "specialist"
    VERIFIER = "verifier"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class Permission(StrEnum):
    """One thing that may be allowed."""

    CALLBACKS_WORK = "callbacks.work"
    CALLBACKS_SUPERVISE = "callbacks.supervise"
    CAMPAIGNS_OPERATE = "campaigns.operate"
    CAMPAIGNS_READ = "campaigns.read"
    NUMBERS_LOOK_UP = "numbers.look_up"
    NUMBERS_SEE_WHOLE = "numbers.see_whole"
    """Numbers and the words of texts unmasked: only for who must dial."""
    HEALTH_READ = "health.read"
    USERS_MANAGE = "users.manage"
    AUDIT_READ = "audit.read"


_EVERYONE = frozenset({Permission.NUMBERS_LOOK_UP})

GRANTS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.AGENT: _EVERYONE | {Permission.CALLBACKS_WORK, Permission.NUMBERS_SEE_WHOLE},
        Role.SUPERVISOR: _EVERYONE
        | {
            Permission.CALLBACKS_SUPERVISE,
            Permission.NUMBERS_SEE_WHOLE,
            Permission.HEALTH_READ,
        },
        Role.OPERATOR: _EVERYONE
        | {
            Permission.CAMPAIGNS_OPERATE,
            Permission.CAMPAIGNS_READ,
            Permission.HEALTH_READ,
        },
        Role.SPECIALIST: _EVERYONE,
        Role.VERIFIER: _EVERYONE,
        Role.ADMINISTRATOR: _EVERYONE
        | {Permission.USERS_MANAGE, Permission.AUDIT_READ, Permission.HEALTH_READ},
        Role.AUDITOR: _EVERYONE
        | {Permission.AUDIT_READ, Permission.CAMPAIGNS_READ, Permission.HEALTH_READ},
    }
)
"""What each role may do; what is not listed is refused."""

OF_ONE_PROVINCE = frozenset({Role.SPECIALIST})
"""Roles that see the rows of their own province only (domain.md R9)."""


def may(role: Role, permission: Permission) -> bool:
    """Tell whether the role has the permission."""
    return permission in GRANTS[role]
