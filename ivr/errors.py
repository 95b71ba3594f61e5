"""What can go wrong between us and an Asterisk, whatever the way to it. Pure."""

from domain.errors import TstnError


class DriverError(TstnError):
    """Asterisk can't be reached, or answered in a way that no normal race explains."""
