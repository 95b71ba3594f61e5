"""The demo's server, and its campaign watched until the end. I/O."""

import asyncio
import json
import signal
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from http.client import HTTPException
from pathlib import Path
from time import monotonic
from typing import Any

from domain.clock import utc_now
from domain.errors import StoreUnavailable
from domain.states import AttemptState, CampaignState
from lab.child import Child, LabError, Part
from lab.demo_summary import count
from lab.demo_texting import Texting
from lab.demo_texts_summary import count_texts
from lab.demo_texts_verdict import is_by_text
from lab.demo_verdict import Row
from lab.demo_view import Show
from runtime.settings import HealthSettings
from store import campaigns, exports
from store.engine import Store, open_store

START_SECONDS = 20.0
STOP_SECONDS = 10.0
_LOOK_SECONDS = 1.0


class Server(Part):
    """The server that the demo watches. `exit_status` is there once it is stopped."""

    exit_status: int | None = None

    def __init__(self, place: HealthSettings) -> None:
        self._health_url = f"http://{place.host}:{place.port}/health"

    def require_alive(self) -> None:
        """Raises LabError where it has died."""

    def health(self) -> dict[str, Any]:
        """What /health says, as `tstn health --json` prints it; empty where nobody answers."""
        try:
            with urllib.request.urlopen(self._health_url, timeout=1) as answer:  # noqa: S310
                text = answer.read()
        except urllib.error.HTTPError as refusal:  # 503: it is there, but not well
            text = refusal.read()
        except (OSError, HTTPException):
            return {}
        report: dict[str, Any] = json.loads(text)
        return report

    def is_well(self) -> bool:
        """Whether it can dial."""
        return self.health().get("ok") is True


class ChildServer(Server):
    """`tstn serve`; its log goes to `log`."""

    def __init__(self, command: list[str], place: HealthSettings, log: Path) -> None:
        super().__init__(place)
        self._command = command
        self._log = log
        self._child: Child | None = None

    def start(self) -> None:
        """Returns once it can dial. Raises LabError where it does not come up."""
        self._child = Child("`tstn serve`", self._command, self._log)
        self._child.wait_ready(self.is_well, START_SECONDS)

    def stop(self) -> None:
        """As SIGTERM does, by force where that takes too long."""
        if self._child is None:
            return
        self._child.signal(signal.SIGTERM)
        if not self._child.ends_within(STOP_SECONDS):
            self._child.kill()
        self.exit_status = self._child.exit_status

    def require_alive(self) -> None:
        """Raises LabError where it has died."""
        if self._child is None or not self._child.is_running():
            raise LabError(f"`tstn serve` has died: see {self._log}")


async def watch(
    store_url: str,
    campaign: str,
    texting: Texting,
    show: Show,
    require_alive: Callable[[], None],
    limit: float,
) -> bool:
    """Show how it stands, and let subscribers text, until the campaign and they are finished.

    False if that takes over `limit` seconds; whatever `require_alive` raises ends it.
    """
    store = open_store(store_url)
    started, since = monotonic(), utc_now()
    try:
        while (seconds := monotonic() - started) < limit:
            require_alive()
            # A store that is away comes back, or the limit ends this.
            with suppress(StoreUnavailable):
                if await _look(store, campaign, texting, show, since, seconds):
                    return True
            await asyncio.sleep(_LOOK_SECONDS)
    finally:
        await store.close()
    return False


async def _look(
    store: Store, campaign: str, texting: Texting, show: Show, since: datetime, seconds: float
) -> bool:
    """Show how it stands, send what is due; whether both are finished."""
    row = await store.read(campaigns.by_name, campaign)
    attempts = [each async for each in exports.attempts(store, row.id)]
    await texting.send_due(seconds, _ended(attempts))
    registrations = [each async for each in exports.registrations(store, row.id)]
    by_key = [each for each in registrations if not is_by_text(each)]
    messages = [each async for each in exports.messages(store, since)]
    show(count(attempts, by_key), count_texts(messages), seconds)
    return row.state == CampaignState.FINISHED and texting.done


def _ended(attempts: Sequence[Row]) -> set[str]:
    return {row["msisdn"] for row in attempts if row["state"] == AttemptState.ENDED}
