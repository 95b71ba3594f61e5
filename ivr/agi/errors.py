"""What can go wrong on an AGI session. Pure."""

from ivr.errors import DriverError


class AgiError(DriverError):
    """The session has ended, or Asterisk did not carry a command out."""
