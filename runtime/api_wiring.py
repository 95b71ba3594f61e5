"""Joins the JSON API to the dialler: its checks, its prompts, its import. I/O."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from console.api.operation import Brought
from console.audience_port import Asked
from dialer import knobs
from dialer.campaign_file import campaign_of, tuning_of
from ivr.prompts import load_script
from runtime.audience_import import rejects_beside
from runtime.audience_wiring import AudienceBringer
from runtime.cli import campaign_texts
from runtime.settings import Settings
from runtime.start_check import require_script, require_startable
from store.limits import Caps, of_trunk
from store.models import Campaign

_NOTES = frozenset({"unknown_province", "unknown_district", "also_in_other_campaigns"})
"""What is counted of rows that are added all the same."""


class ApiOperation:
    """What `console.api.operation.Operation` asks for."""

    def __init__(self, settings: Settings, importer: AudienceBringer) -> None:
        self._settings = settings
        self._importer = importer
        self.trunk = of_trunk(settings.trunk.name)
        self.default_caps = Caps(settings.dialer.cps, settings.dialer.max_channels)

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

    async def bring_in(self, campaign_id: int, file: Path, by: str) -> Brought:
        """As the import page; the file of rejects goes with the file."""
        rejects = rejects_beside(file)
        brought = await self._importer.bring(
            campaign_id, file, file.name, rejects, Asked(), lambda read, of: None, by
        )
        counts = brought.counts
        return Brought(
            brought.import_id,
            rejects,
            counts["added"],
            {word: count for word, count in counts.items() if word not in {"added", *_NOTES}},
            {word: count for word, count in counts.items() if word in _NOTES},
        )

    async def undo(self, import_id: int) -> int:
        """As `tstn audience undo`."""
        return await self._importer.undo(import_id)
