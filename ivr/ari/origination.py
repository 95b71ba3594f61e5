"""The body of ARI's originate request. Pure."""

from collections.abc import Mapping
from typing import Any

from ivr.origination import Endpoint, Phone, checked


def originate_body(
    app: str,
    channel_id: str,
    endpoint: Endpoint | Phone,
    *,
    caller_id: str,
    timeout_seconds: int,
    variables: Mapping[str, str],
) -> dict[str, Any]:
    """Build the JSON body of `POST /channels/{channel_id}`.

    The app gets the channel id as its one argument: Asterisk splits arguments at commas.

    Raises:
        ValueError: a variable's name is not on the list, or any text is not of its plain form.
    """
    checked(channel_id, caller_id=caller_id, timeout_seconds=timeout_seconds, variables=variables)
    return {
        "endpoint": str(endpoint),
        "app": app,
        "appArgs": channel_id,
        "callerId": caller_id,
        "timeout": timeout_seconds,
        "variables": dict(variables),
    }
