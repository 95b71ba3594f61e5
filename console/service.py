"""The console as a part of the server: opened before anything runs, then kept live. I/O."""

import asyncio
from contextlib import AsyncExitStack

from aiohttp import web

from console import (
    campaign_import,
    campaign_list,
    campaign_text,
    campaign_trial,
    desk_topics,
    errors,
    render,
    supervise_page,
)
from console.access import is_alive
from console.api.operation import Operation
from console.api.service import add_api
from console.assets import Assets
from console.audience_jobs import AudienceJobs
from console.audience_port import AudienceImporter
from console.campaign_control import Control
from console.campaign_recycling import Recyclings
from console.campaign_tally import count, count_versions
from console.counting import Counting
from console.desk_setting import DeskSetting
from console.health import Watch
from console.kept_rejects import KeptRejects
from console.live import Live, Topic
from console.parts import PARTS, Parts, Report
from console.passwords import Passwords
from console.routes import ROUTES
from console.setting import ConsoleSetting
from console.supervision import Supervision
from domain.clock import Clock
from domain.errors import ConfigError
from store.engine import Store

_LET_END_SECONDS = 2.0


class Console:
    """Answers from `open` until `close`; `run` keeps its pages live."""

    def __init__(
        self,
        setting: ConsoleSetting,
        store: Store,
        clock: Clock,
        report: Report,
        desk: DeskSetting,
        supervision: Supervision,
        control: Control,
        importer: AudienceImporter,
        operation: Operation,
        passwords: Passwords | None = None,
    ) -> None:
        self._closing = AsyncExitStack()
        self._operation = operation
        watch = Watch()
        turn = asyncio.Lock()
        tallies = Counting(store, clock, count, turn)
        versions = Counting(store, clock, count_versions, turn)
        rejects = KeptRejects(setting.uploads, setting.keep_rejects)
        audiences = AudienceJobs(rejects, setting.upload_bytes, importer)

        async def health() -> object:
            return watch.observe(report(), clock())

        self.parts = Parts(
            setting=setting,
            store=store,
            clock=clock,
            report=report,
            watch=watch,
            live=Live(
                [
                    Topic("health", health, is_always_looked_at=True),
                    *desk_topics.topics(store, desk, clock),
                    *supervise_page.topics(supervision, store, clock),
                    campaign_list.topic(store, control, tallies, versions, clock, report),
                    campaign_import.topic(audiences),
                    campaign_text.topic(store, tallies.known, clock),
                    campaign_trial.topic(store),
                ],
                is_alive,
            ),
            passwords=passwords or Passwords(),
            assets=Assets(),
            desk=desk,
            supervision=supervision,
            control=control,
            tallies=tallies,
            versions=versions,
            recyclings=Recyclings(store),
            audiences=audiences,
        )

    async def open(self) -> None:
        """Begin to answer. Raises ConfigError where the port is taken, or no file can be kept."""
        setting = self.parts.setting
        try:
            self.parts.audiences.open()
        except OSError as error:
            raise ConfigError(
                f"{setting.uploads} can't hold audience files ({error.strerror}): "
                "set [console] uploads"
            ) from error
        self._closing.push_async_callback(self.parts.audiences.close)
        self._closing.push_async_callback(self.parts.recyclings.close)
        self._closing.push_async_callback(self.parts.passwords.close)
        runner = web.AppRunner(
            application(self.parts, self._operation),
            access_log=None,
            shutdown_timeout=_LET_END_SECONDS,
        )
        await runner.setup()
        self._closing.push_async_callback(runner.cleanup)
        try:
            await web.TCPSite(runner, setting.host, setting.port).start()
        except OSError as error:
            await self.close()
            raise ConfigError(
                f"port {setting.port} for the console is taken ({error.strerror}): "
                "set [console] port"
            ) from error

    async def run(self) -> None:
        """Look at what pages show, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.parts.live.run(), name="live")
            group.create_task(self.parts.tallies.run(), name="tallies")
            group.create_task(self.parts.versions.run(), name="versions")
            group.create_task(campaign_list.look_ahead(self.parts), name="look-ahead")
            tidying = self.parts.audiences.keep_tidy(self.parts.clock)
            group.create_task(tidying, name="old-imports")
            if self.parts.desk.line is not None:
                group.create_task(desk_topics.follow(self.parts), name="agents-calls")

    async def close(self) -> None:
        """End streams and requests, and give the port back."""
        self.parts.live.close()
        await self._closing.aclose()


def application(it: Parts, operation: Operation) -> web.Application:
    """The console's routes and the API's behind their guards."""
    app = web.Application(middlewares=[errors.error_pages])
    app[PARTS] = it
    render.set_up(app)
    app.on_response_prepare.append(errors.add_headers)
    for route in ROUTES:
        app.router.add_route(route.method, route.path, route.guarded())
    add_api(app, operation)
    return app
