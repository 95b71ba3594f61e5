"""What every page works with, and how a request finds it. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from console.assets import Assets
from console.audience_jobs import AudienceJobs
from console.campaign_control import Control
from console.campaign_recycling import Recyclings
from console.campaign_tally import Tally
from console.counting import Counting
from console.desk_setting import DeskSetting
from console.health import Watch
from console.live import Live
from console.passwords import Passwords
from console.setting import ConsoleSetting
from console.supervision import Supervision
from domain.clock import Clock
from domain.roles import Permission, may
from store.engine import Store
from store.sessions import Present
from store.variants import VersionFigures

Report = Callable[[], Mapping[str, Any]]
"""What `/health` says of the server, now."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a running console."""

    setting: ConsoleSetting
    store: Store
    clock: Clock
    report: Report
    watch: Watch
    live: Live
    passwords: Passwords
    assets: Assets
    desk: DeskSetting
    supervision: Supervision
    control: Control
    tallies: Counting[Tally]
    versions: Counting[list[VersionFigures]]
    recyclings: Recyclings
    audiences: AudienceJobs


PARTS = web.AppKey("parts", Parts)
SESSION = web.RequestKey("session", Present)


def parts(request: web.Request) -> Parts:
    """The parts of the console that answers the request."""
    return request.config_dict[PARTS]


def session(request: web.Request) -> Present:
    """Who asks; KeyError on a page that is open to everybody."""
    return request[SESSION]


def allowed(request: web.Request, permission: Permission) -> bool:
    """Whether who asks has the permission."""
    who = request.get(SESSION)
    return who is not None and may(who.role, permission)
