"""Joins the JSON API to the dialler: its checks, its prompts, its import. I/O."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from console.api.operation import Brought
from dialer import knobs
from dialer.campaign_file import campaign_of, tuning_of
from domain.clock import utc_now
from ivr.prompts import load_script
from runtime.audience_import import import_audience, rejects_beside
from runtime.settings import Settings
from runtime.start_check import require_startable
from store.engine import Store
from store.limits import Caps, of_trunk
from store.models import Campaign


class ApiOperation:
    """What `console.api.operation.Operation` asks for."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self.trunk = of_trunk(settings.trunk.name)
        self.default_caps = Caps(settings.dialer.cps, settings.dialer.max_channels)

    def draft(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The checks of a campaign file."""
        return campaign_of(
            dict(given),
            script_version=load_script(self._settings.ivr.script).version,
            ring_timeout_seconds=self._settings.dialer.ring_timeout_seconds,
        )

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

    async def bring_in(self, campaign: str, file: Path, by: str) -> Brought:
        """As `tstn audience import`; the file of rejects goes with the file."""
        report = await import_audience(
            self._store, campaign, file, rejects_beside(file), utc_now, lambda line: None
        )
        return Brought(
            report.added,
            {
                "unreadable": report.unreadable,
                "twice_in_file": report.twice_in_file,
                "in_campaign": report.in_campaign,
            },
        )
