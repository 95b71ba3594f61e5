"""Who may do what: the table is whole, and those who need not dial see no whole number. Pure."""

import pytest

from domain.accounts import check_account, check_password
from domain.errors import InputError
from domain.roles import GRANTS, Permission, Role, may


def test_each_role_has_its_line_and_each_permission_somebody() -> None:
    assert set(GRANTS) == set(Role)
    assert frozenset().union(*GRANTS.values()) == set(Permission)


def test_only_who_must_dial_sees_whole_numbers() -> None:
    seeing = {role for role in Role if may(role, Permission.NUMBERS_SEE_WHOLE)}
    assert seeing == {Role.AGENT, Role.SUPERVISOR}


def test_nobody_but_an_administrator_makes_accounts() -> None:
    assert {role for role in Role if may(role, Permission.USERS_MANAGE)} == {Role.ADMINISTRATOR}


def test_an_auditor_changes_nothing() -> None:
    changing = {
        Permission.CALLBACKS_WORK,
        Permission.CALLBACKS_SUPERVISE,
        Permission.CAMPAIGNS_OPERATE,
        Permission.USERS_MANAGE,
    }
    assert not GRANTS[Role.AUDITOR] & changing


@pytest.mark.parametrize(
    ("login", "name", "role", "province", "phone"),
    [
        ("L", "Lan", Role.AGENT, None, None),
        ("Lan", "Lan", Role.AGENT, None, None),
        ("lan lan", "Lan", Role.AGENT, None, None),
        ("1lan", "Lan", Role.AGENT, None, None),
        ("l" * 41, "Lan", Role.AGENT, None, None),
        ("lan", "", Role.AGENT, None, None),
        ("lan", "Lan\n", Role.AGENT, None, None),
        ("lan", "Lan", Role.SPECIALIST, None, None),
        ("lan", "Lan", Role.AGENT, None, "agent 1"),
    ],
)
def test_what_no_account_may_be(
    login: str, name: str, role: Role, province: str | None, phone: str | None
) -> None:
    with pytest.raises(InputError):
        check_account(login, name, role, province, phone)


def test_accounts_that_may_be() -> None:
    check_account("lan.ng-1", "Nguyễn Thị Lan", Role.AGENT, None, "agent1")
    check_account("tu", "Tú", Role.SPECIALIST, "Cà Mau", None)


@pytest.mark.parametrize("password", ["", "123456789", "x" * 201])
def test_a_password_of_the_wrong_length(password: str) -> None:
    with pytest.raises(InputError, match="10 to 200"):
        check_password(password)
