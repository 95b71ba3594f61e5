"""Joins the operator's pages to the dialler: checks, prompts, what knobs would bring. I/O."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection

from console.campaign_control import Effect, Load
from dialer.campaign_file import read_campaign, read_tuning, split_windows
from dialer.knobs import toml_value
from dialer.text_campaign_file import FIXED
from domain.calendar import Calendar, Window
from ivr.prompts import load_script
from ivr.repertoire import load_scripts
from runtime.cli import campaign_texts
from runtime.settings import Settings
from runtime.start_check import require_script, require_startable
from runtime.text_wiring import TextDesk
from store.limits import GLOBAL, Caps, of_trunk
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
        defaults = Caps(self._settings.dialer.cps, self._settings.dialer.max_channels)
        scopes = (GLOBAL, of_trunk(self._settings.trunk.name))
        both = [limits.get(scope, defaults) for scope in scopes]
        return Caps(min(one.cps for one in both), min(one.max_channels for one in both))

    def preview(self, knobs: Mapping[str, Any], caps: Caps, load: Load, now: datetime) -> Effect:
        """By what is left, the rate that limits and channels allow, and the windows.

        It takes the campaign for the only one, and retries for due whenever a window is open.
        """
        channels = min(knobs["max_channels"], caps.max_channels)
        rate = min(knobs["cps"], caps.cps, channels / load.seconds_a_dial)
        calendar = Calendar(
            [Window.parse(window) for window in knobs["windows"]],
            call_on_holidays=knobs["call_on_holidays"],
            holiday_overrides=self._settings.calendar.holidays,
        )
        dials = load.targets * min(load.dials_a_target, knobs["max_attempts"])
        a_day = min(dials, rate * _open_seconds_of_a_day(calendar, now))
        return Effect(
            calls_a_second=rate,
            channels=rate * load.seconds_a_dial,
            dials_a_day=a_day,
            callbacks_a_day=a_day * load.registrations_a_dial,
            finishes_at=_finish(calendar, now, dials / rate),
        )


def _finish(calendar: Calendar, now: datetime, seconds: float) -> datetime | None:
    """When so many seconds of open windows are over; None beyond a year."""
    for start, end in calendar.open_spans(now):
        length = (end - start).total_seconds()
        if seconds <= length:
            return start + timedelta(seconds=seconds)
        seconds -= length
    return None


def _open_seconds_of_a_day(calendar: Calendar, now: datetime) -> float:
    """How long windows are open within a day of the next opening."""
    end = calendar.next_opening(now) + timedelta(days=1)
    spans = takewhile(lambda span: span[0] < end, calendar.open_spans(now))
    return sum((min(closes, end) - opens).total_seconds() for opens, closes in spans)


def _toml(name: str, text: str) -> str:
    """A field as a TOML value: what is no number and no truth stays the text that it is."""
    if name == "windows":
        return json.dumps(split_windows(text), ensure_ascii=False)
    value = text if name in _TEXTS or not text.isprintable() else toml_value(text)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(text, ensure_ascii=False)
