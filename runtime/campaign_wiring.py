"""Joins the operator's pages to the dialler: checks, prompts, what knobs would bring. I/O."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from console.campaign_control import Effect
from dialer.campaign_file import read_campaign, read_tuning, split_windows
from dialer.knobs import toml_value
from dialer.text_campaign_file import FIXED
from domain.gate import Shut
from domain.states import CampaignKind
from ivr.prompts import load_script
from ivr.repertoire import load_scripts
from runtime import campaign_texts
from runtime.campaign_preview import Looked, look, previewed, previewed_caps
from runtime.caps import changed, in_force, shared
from runtime.closing import closed
from runtime.settings import Settings
from runtime.start_check import require_script, require_startable
from runtime.text_wiring import TextDesk
from store import campaigns
from store.engine import Store
from store.limits import Caps
from store.models import Campaign

_TEXTS = frozenset({"name", "purpose", "script_version", *FIXED})


class CampaignControl:
    """What `console.campaign_control.Control` asks for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.texts = TextDesk(settings)

    def draft(self, fields: Mapping[str, str]) -> dict[str, Any]:
        """The checks of a campaign file, over the fields of a form."""
        lines = (f"{name} = {_toml(name, text)}" for name, text in fields.items() if text)
        values = read_campaign(
            "\n".join(lines),
            script_version=load_script(self._settings.ivr.script).version,
            ring_timeout_seconds=self._settings.dialer.ring_timeout_seconds,
        )
        return campaign_texts.completed(values, self._settings)

    def tuned(self, pairs: Sequence[str], retry: Mapping[str, Any]) -> dict[str, Any]:
        """The checks of `tstn campaign tune`."""
        return read_tuning(pairs, retry=retry)

    def require_startable(self, connection: Connection, campaign: Campaign, now: datetime) -> None:
        """Raises InputError or ConfigError, as `tstn campaign start`."""
        require_startable(connection, campaign, self._settings, now)

    def scripts(self) -> Sequence[str]:
        """As the settings name them."""
        return [script.version for script in load_scripts(self._settings.scripts)]

    def require_script(self, version: str) -> None:
        """Raises InputError or ConfigError, as `tstn campaign test-call`."""
        require_script(version, self._settings)

    def caps(self, limits: Mapping[str, Caps]) -> Caps:
        """The narrower of the whole server's limits and the trunk's."""
        both = shared(limits, self._settings)
        return Caps(min(one.cps for one in both), min(one.max_channels for one in both))

    def closed(self, connection: Connection, campaign: Campaign, now: datetime) -> Shut | None:
        """The same as `tstn campaign why-not` tells."""
        return closed(connection, campaign, self._settings, now)

    async def preview(
        self, store: Store, name: str, changed: Mapping[str, Any], now: datetime
    ) -> tuple[Effect, Effect]:
        """The same as `tstn campaign preview`, worked out beside the event loop."""
        looked: Looked = await store.read(look, name, self._settings, now)
        return await asyncio.to_thread(previewed, looked, changed, self._settings, now)

    def limits(self, stored: Mapping[str, Caps]) -> Mapping[str, Caps]:
        """The same as `tstn limits show`."""
        return in_force(stored, self._settings)

    def changed_limits(self, present: Caps, pairs: Sequence[str]) -> Caps:
        """The checks of `tstn limits set`."""
        return changed(present, pairs)

    async def preview_limits(
        self, store: Store, scope: str, caps: Caps, now: datetime
    ) -> list[tuple[str, Effect, Effect]]:
        """What other limits come to for each campaign of calls that runs."""
        looks: list[Looked] = await store.read(self._look_at_running, now)

        def all_previewed() -> list[tuple[str, Effect, Effect]]:
            return [
                (each.campaign.name, *previewed_caps(each, scope, caps, self._settings, now))
                for each in looks
            ]

        return await asyncio.to_thread(all_previewed)

    def _look_at_running(self, connection: Connection, now: datetime) -> list[Looked]:
        return [
            look(connection, str(each.id), self._settings, now)
            for each in campaigns.running(connection)
            if each.kind == CampaignKind.CALL
        ]


def _toml(name: str, text: str) -> str:
    """A field as a TOML value: no number, no truth, no table stays the text that it is."""
    if name == "windows":
        return json.dumps(split_windows(text), ensure_ascii=False)
    value = text if name in _TEXTS or not text.isprintable() else toml_value(text)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, dict):
        return text
    return json.dumps(text, ensure_ascii=False)
