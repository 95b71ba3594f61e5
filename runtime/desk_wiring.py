"""Makes what the agent's desk needs of the settings. I/O."""

from datetime import timedelta

from console.agent_words import read_words
from console.desk_setting import DeskSetting
from console.phone_line import PhoneLine
from console.places import read_places
from runtime.callback_wiring import agents_hours
from runtime.settings import Settings


def desk_setting(settings: Settings, line: PhoneLine | None = None) -> DeskSetting:
    """Without a line agents dial by hand. Raises ConfigError."""
    return DeskSetting(
        hours=agents_hours(settings),
        lease=timedelta(seconds=settings.callbacks.lease_seconds),
        at_risk=timedelta(seconds=settings.callbacks.at_risk_seconds),
        words=read_words(settings.console.agent_words),
        places=read_places(settings.console.districts),
        line=line,
    )
