"""What the operator's pages need of the dialler: its checks, and what a change would bring. Pure.

`runtime.campaign_wiring` joins the port to the dialler.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection

from console.text_port import TextControl
from store.limits import Caps
from store.models import Campaign


@dataclass(frozen=True, slots=True)
class Load:
    """What is left of a campaign, as counted; the means are of what was dialled so far."""

    targets: int
    """Still to be dialled, for the first time or again."""
    dials_a_target: float
    seconds_a_dial: float
    registrations_a_dial: float


@dataclass(frozen=True, slots=True)
class Effect:
    """What is to be expected of some knobs. `finishes_at` is None for never."""

    calls_a_second: float
    channels: float
    """In use at that rate."""
    dials_a_day: float
    callbacks_a_day: float
    finishes_at: datetime | None


class Control(Protocol):
    """The dialler's side. What it refuses is an InputError: "key: what is wrong; key: …"."""

    @property
    def texts(self) -> TextControl:
        """What concerns text campaigns alone."""

    def draft(self, fields: Mapping[str, str]) -> dict[str, Any]:
        """The columns of a new campaign from the fields of a form; empty ones have the default."""

    def tuned(self, pairs: Sequence[str], retry: Mapping[str, Any]) -> dict[str, Any]:
        """The columns to change, from pairs such as `cps=8`."""

    def require_startable(self, connection: Connection, campaign: Campaign, now: datetime) -> None:
        """Raises ConfigError where this server can't say the campaign's words, InputError where
        the law forbids its start.
        """

    def scripts(self) -> Sequence[str]:
        """The script versions that this server is given; the first is that of new campaigns."""

    def require_script(self, version: str) -> None:
        """Raises ConfigError where this server can't say that script, InputError for no script."""

    def caps(self, limits: Mapping[str, Caps]) -> Caps:
        """What the whole server and its trunk allow at most, by the limits of the store."""

    def preview(self, knobs: Mapping[str, Any], caps: Caps, load: Load, now: datetime) -> Effect:
        """What the knobs would bring if nothing else changes."""
