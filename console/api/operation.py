"""What the API needs of the dialler: its checks of knobs, its prompts. Pure.

`runtime.api_wiring` joins the port to the dialler.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection

from store.limits import Caps
from store.models import Campaign


class Operation(Protocol):
    """The dialler's side. What it refuses is an InputError with one line for people."""

    def limits(self, stored: Mapping[str, Caps]) -> Mapping[str, Caps]:
        """The limits in force, by scope: the settings' where the store has none."""

    def draft(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The columns of a new campaign."""

    def tuned(self, given: Mapping[str, Any], retry: Mapping[str, Any]) -> dict[str, Any]:
        """The columns to change; `retry` is what the campaign's row holds now."""

    def require_startable(self, connection: Connection, campaign: Campaign, now: datetime) -> None:
        """Raises InputError or ConfigError where the campaign must not start on this server."""

    def require_script(self, version: str) -> None:
        """Raises InputError or ConfigError where this server can't say that script."""
