"""A running console on a real store, with an account of each role: for tests of every page. I/O."""

import asyncio
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, ClientSession, CookieJar
from argon2 import PasswordHasher
from sqlalchemy import Connection

from console.agent_words import read_words
from console.api.operation import Operation
from console.campaign_control import Control
from console.desk_setting import DeskSetting
from console.passwords import Passwords
from console.phone_line import PhoneLine
from console.places import read_places
from console.service import Console
from console.setting import ConsoleSetting
from dialer.callback_rules import RedialRules
from dialer.callbacks import CallbackSetting
from domain.calendar import Calendar, Window
from domain.clock import Clock
from domain.errors import InputError
from domain.places import Places
from domain.roles import Role
from lab.network import CHECKOUT
from lab.ports import LOOPBACK, free_ports
from runtime.api_wiring import ApiOperation
from runtime.audience_wiring import AudienceBringer
from runtime.callback_wiring import supervision
from runtime.campaign_wiring import CampaignControl
from runtime.settings import IvrSettings, Settings
from store import users
from store.engine import Store
from store.models import Campaign
from store.users import LoginLimits, NewUser
from tests.answering_calls import ALL_DAY, LEASE
from tests.rows import NOW

PASSWORD = "đúng mật khẩu 9090"
HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
"""Argon2 as the server has it but quick, since tests log in hundreds of times."""
PASSWORD_HASH = HASHER.hash(PASSWORD)
PROVINCE = "Vĩnh Long"
CALLBACKS = CallbackSetting(
    hours=ALL_DAY,
    redial=RedialRules(max_attempts=5, pauses={}),
    at_risk=timedelta(hours=3),
    notice=lambda _: None,
)
"""How call-backs are made in these tests: at any hour, by whoever is on duty."""
_HIDDEN = re.compile(r'name="(csrf|once)" value="([^"]*)"')

WELL: dict[str, Any] = {
    "ok": True,
    "asterisk": {"ready": True, "trouble": None},
    "store": {"up": True, "spooled_facts": 0},
    "calls": 0,
    "binds": {"main:1": {"state": "bound", "trouble": None, "room": 10, "sent": 3}},
    "why_idle": {},
}
"""What a server in good health reports."""


class Controls(CampaignControl):
    """The dialler's side as shipped, with prompts that are always there."""

    def __init__(self) -> None:
        super().__init__(
            Settings(root=CHECKOUT, ivr=IvrSettings(script=CHECKOUT / "prompts/script-vi.toml"))
        )

    def require_startable(self, connection: Connection, campaign: Campaign, now: datetime) -> None:
        """Every script can be said."""

    def require_script(self, version: str) -> None:
        """That one too, if there is such a script."""
        if version not in self.scripts():
            raise InputError(f"there is no script {version!r}")


class AnyScript(ApiOperation):
    """The dialler's side as shipped, with the prompts of every script."""

    def __init__(self) -> None:
        script = CHECKOUT / "prompts" / "script-vi.toml"
        super().__init__(Settings(root=CHECKOUT, ivr=IvrSettings(script=script)))

    def require_startable(self, connection: Connection, campaign: Campaign, now: datetime) -> None:
        """Audio is built at set-up, which these tests do without."""

    def require_script(self, version: str) -> None:
        """The same."""


class Hands:
    """A clock that stands until it is moved."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        """On by so much."""
        self.at += timedelta(**by)


@dataclass
class Rig:
    """A console that answers at `url`; `report` is what its server says of itself."""

    store: Store
    url: str
    console: Console
    hands: Hands
    report: dict[str, Any] = field(default_factory=dict)
    users: dict[Role, int] = field(default_factory=dict)

    def path(self, path: str) -> str:
        """The whole address of a path."""
        return self.url + path


@asynccontextmanager
async def console(
    store: Store,
    *,
    clock: Clock | None = None,
    hands: Hands | None = None,
    desk: DeskSetting | None = None,
    control: Control | None = None,
    operation: Operation | None = None,
    **other: Any,
) -> AsyncIterator[Rig]:
    """Serve the store's accounts; one of each role is added, its login is the role's word."""
    hands = hands or Hands()
    port, uploads = free_ports(1)[0], Path(tempfile.mkdtemp())
    report = dict(WELL)
    values: dict[str, Any] = {
        "host": LOOPBACK,
        "port": port,
        "idle": timedelta(minutes=30),
        "login": LoginLimits(3, timedelta(minutes=15)),
        "secure_cookies": True,
        "uploads": uploads,
        "upload_bytes": 1_000_000,
        "keep_rejects": timedelta(days=30),
    }
    setting = ConsoleSetting(**(values | other))
    served = Console(
        setting,
        store,
        clock or hands,
        lambda: report,
        desk or a_desk(),
        supervision(store, CALLBACKS, LEASE),
        control or Controls(),
        AudienceBringer(store, clock or hands, Places()),
        operation or AnyScript(),
        Passwords(HASHER),
    )
    rig = Rig(store, f"http://{LOOPBACK}:{port}", served, hands, report)
    rig.users = await add_users(store)
    await served.open()
    running = asyncio.create_task(served.run())
    try:
        yield rig
    finally:
        running.cancel()
        await asyncio.wait({running})
        await served.close()
        shutil.rmtree(uploads)


def a_desk(line: PhoneLine | None = None, **other: Any) -> DeskSetting:
    """The desk with the shipped words and places, open from 7 to 21."""
    values: dict[str, Any] = {
        "hours": Calendar([Window.parse("07:00-21:00")], call_on_holidays=True),
        "lease": timedelta(seconds=120),
        "at_risk": timedelta(hours=3),
        "words": read_words(CHECKOUT / "prompts" / "agent-vi.toml"),
        "places": read_places(CHECKOUT / "config" / "districts-phase1.csv"),
        "line": line,
        "confirm_refusal": lambda _: None,
    }
    return DeskSetting(**(values | other))


async def add_users(store: Store) -> dict[Role, int]:
    """An account of each role; returns their ids."""
    made = {}
    for role in Role:
        new = NewUser(
            login=role.value,
            name=f"Nguyễn Thị {role.value.capitalize()}",
            role=role,
            password_hash=PASSWORD_HASH,
            province=PROVINCE if role is Role.SPECIALIST else None,
            phone="agent1" if role is Role.AGENT else None,
        )
        made[role] = await store.write(users.add, new, NOW)
    return made


class Visitor:
    """A browser without a screen: keeps cookies, brings forms back with what they hid."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._session = ClientSession(cookie_jar=CookieJar(unsafe=True))

    async def __aenter__(self) -> "Visitor":
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._session.close()

    async def get(self, path: str, **more: Any) -> ClientResponse:
        """The answer to a GET, redirects not followed."""
        return await self._session.get(self._rig.path(path), allow_redirects=False, **more)

    async def text(self, path: str) -> str:
        """A page that must come."""
        answer = await self.get(path)
        assert answer.status == 200, (path, answer.status)
        return await answer.text()

    async def post(
        self, path: str, fields: dict[str, str] | None = None, origin: str | None = None
    ) -> ClientResponse:
        """The answer to a form as it is given."""
        return await self._session.post(
            self._rig.path(path),
            data=fields or {},
            headers={"Origin": origin or self._rig.url},
            allow_redirects=False,
        )

    async def hidden(self, path: str) -> dict[str, str]:
        """The hidden fields of the forms of a page."""
        return dict(_HIDDEN.findall(await self.text(path)))

    async def send(self, page: str, path: str, **fields: str) -> ClientResponse:
        """Fill in a form of `page` and send it to `path`."""
        return await self.post(path, await self.hidden(page) | fields)

    async def log_in(self, login: str, password: str = PASSWORD) -> ClientResponse:
        """Go through the login."""
        return await self.send("/login", "/login", login=login, password=password)


Visit = Callable[[], Visitor]
