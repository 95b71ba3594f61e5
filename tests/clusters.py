"""A PostgreSQL cluster that a test may freeze, kill and start while its event loop runs. I/O."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from lab.postgres import Postgres


class FrailCluster:
    """It lives as long as the one thread that starts it, so all is done there."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="cluster")
        self._cluster = Postgres()
        self._thread.submit(self._cluster.start).result()

    async def do(self, action: Callable[[Postgres], Any]) -> Any:
        """`Postgres.kill`, `.start`, `.freeze` or `.thaw`, while the event loop goes on."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, action, self._cluster)

    async def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"t{uuid4().hex}"
        return str(await self.do(lambda cluster: cluster.create_database(name)))

    def mend(self) -> None:
        """Whatever a test has left it in: it runs again."""
        self._thread.submit(self._cluster.thaw).result()
        if not self._cluster.is_running():
            self._thread.submit(self._cluster.start).result()

    def remove(self) -> None:
        """End it, files and all."""
        self._thread.submit(self._cluster.kill).result()  # no need to write what is deleted
        self._thread.submit(self._cluster.remove).result()
        self._thread.shutdown()
