"""Joins the JSON API to the dialler: its checks, its prompts. I/O."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from dialer import knobs
from dialer.campaign_file import campaign_of, tuning_of
from ivr.prompts import load_script
from runtime import campaign_texts
from runtime.caps import in_force
from runtime.settings import Settings
from runtime.start_check import require_script, require_startable
from store.limits import Caps
from store.models import Campaign


class ApiOperation:
    """What `console.api.operation.Operation` asks for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def limits(self, stored: Mapping[str, Caps]) -> Mapping[str, Caps]:
        """The same as `tstn limits show`."""
        return in_force(stored, self._settings)

    def draft(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The checks of a campaign file."""
        values = campaign_of(
            dict(given),
            script_version=load_script(self._settings.ivr.script).version,
            ring_timeout_seconds=self._settings.dialer.ring_timeout_seconds,
        )
        return campaign_texts.completed(values, self._settings)

    def tuned(self, given: Mapping[str, Any], retry: Mapping[str, Any]) -> dict[str, Any]:
        """The checks of `tstn campaign tune`."""
        problems: list[str] = []
        values = {name: value for name, value in given.items() if name != "retry"}
        tuned = tuning_of(values, given.get("retry", {}), problems, retry=retry)
        knobs.refuse(problems)
        return tuned

    def require_startable(self, connection: Connection, campaign: Campaign, now: datetime) -> None:
        """Raises InputError or ConfigError, as `tstn campaign start`."""
        require_startable(connection, campaign, self._settings, now)

    def require_script(self, version: str) -> None:
        """Raises InputError or ConfigError, as `tstn campaign test-call`."""
        require_script(version, self._settings)
