"""What can go wrong between us and an SMSC. Pure."""

from domain.errors import TstnError


class SmppUnavailable(TstnError):
    """The SMSC is not there: no connection, no answer to our bind, or the link has ended."""


class BindRefused(SmppUnavailable):
    """The SMSC answered our bind with an error.

    Attributes:
        status: its command_status.
    """

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class NoRoom(RuntimeError):
    """A submit was handed over while the bind had no room: a fault of the caller."""
