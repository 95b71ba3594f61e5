"""What the operator's pages need of the dialler: its checks, and what a change would bring. Pure.

`runtime.campaign_wiring` joins the port to the dialler.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection

from console.text_port import TextControl
from domain.gate import Shut
from store.engine import Store
from store.limits import Caps
from store.models import Campaign

Effect = Mapping[str, Any]
"""What is to be expected of some knobs, by the names of `dialer.preview.Preview`."""


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

    def closed(self, connection: Connection, campaign: Campaign, now: datetime) -> Shut | None:
        """What keeps every number of the campaign waiting, or None."""

    async def preview(
        self, store: Store, name: str, changed: Mapping[str, Any], now: datetime
    ) -> tuple[Effect, Effect]:
        """What the knobs of a campaign come to as they are, and with some columns changed."""

    def limits(self, stored: Mapping[str, Caps]) -> Mapping[str, Caps]:
        """The limits that hold, by scope: the whole server's and the trunks'."""

    def changed_limits(self, present: Caps, pairs: Sequence[str]) -> Caps:
        """Limits after pairs such as `cps=30`."""

    async def preview_limits(
        self, store: Store, scope: str, caps: Caps, now: datetime
    ) -> Sequence[tuple[str, Effect, Effect]]:
        """What other limits come to: each running campaign of calls, as it is and after."""
