"""What can go wrong between us and an Asterisk's REST interface (ARI). Pure."""

from ivr.errors import DriverError


class AriError(DriverError):
    """Asterisk answered a request in a way that no normal race explains.

    Attributes:
        status: the HTTP status of the answer; None when there was no (legible) answer.
    """

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


class AriUnavailable(AriError):
    """Asterisk is not there: no connection, no answer in time, or 503 while it still boots."""
