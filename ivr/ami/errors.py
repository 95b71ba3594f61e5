"""What can go wrong between us and an Asterisk's manager interface (AMI). Pure."""

from ivr.errors import DriverError


class AmiError(DriverError):
    """Asterisk refused an action, or answered in a way that cannot be read."""


class AmiUnavailable(AmiError):
    """Asterisk is not there: no link, or no answer in time."""


class AmiNotSent(AmiUnavailable):
    """There was no link: Asterisk has not been asked."""
