"""What can go wrong between us and an Asterisk's manager interface (AMI). Pure."""

from domain.errors import TstnError


class AmiError(TstnError):
    """Asterisk has refused an action."""


class AmiUnavailable(AmiError):
    """Asterisk is not there: no connection, no answer in time, or not let in."""
