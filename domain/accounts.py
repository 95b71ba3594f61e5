"""What an account or a token may be called, and how long a password is. Pure."""

import re

from domain.errors import InputError
from domain.roles import Role

_LOGIN = re.compile(r"[a-z][a-z0-9._-]{1,39}")
_PHONE = re.compile(r"[A-Za-z0-9_-]{1,40}")
_MOST_NAME = 80
LEAST_PASSWORD, MOST_PASSWORD = 10, 200


def check_account(
    login: str, name: str, role: Role, province: str | None, phone: str | None
) -> None:
    """Raises InputError for what no account may be. A message names the field, not its value."""
    if not _LOGIN.fullmatch(login):
        raise InputError("a login has 2 to 40 small letters, digits, dots, - or _, a letter first")
    if not 0 < len(name) <= _MOST_NAME or not name.isprintable():
        raise InputError("an account needs the name of its user, at most 80 letters")
    if role is Role.SPECIALIST and not province:
        raise InputError("a specialist needs a province")
    if phone is not None and not _PHONE.fullmatch(phone):
        raise InputError("a phone is the name of a SIP extension, such as agent1")


def check_token_name(name: str) -> None:
    """Raises InputError for what no token may be called: it may hold no secret, nor a number."""
    if not _LOGIN.fullmatch(name):
        raise InputError(
            "a token's name has 2 to 40 small letters, digits, dots, - or _, a letter first"
        )


def check_password(password: str) -> None:
    """Raises InputError for one that is too short, absurdly long, or no text."""
    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        raise InputError("a password has 10 to 200 characters")
    try:
        password.encode()
    except UnicodeEncodeError:  # octets of a terminal that are no UTF-8
        raise InputError("a password is UTF-8 text") from None
