"""The one import that may be under way: received, looked at, confirmed, loaded. I/O.

It goes on whatever becomes of the browser that began it; every operator sees it. What a stopped
server leaves behind is thrown away at the next start: the operator sends the file again, and what
had been added is not added twice. Names of files are shown and never used.
"""

import asyncio
import logging
from collections.abc import AsyncIterable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import uuid4

from console.audience_port import Asked, AudienceImporter, Look
from console.kept_rejects import KeptRejects
from domain.clock import Clock
from domain.errors import InputError, TstnError

log = logging.getLogger(__name__)

_PRIVATE = 0o700
_TIDY_SECONDS = 3600.0


class Stage(StrEnum):
    """`receiving → checking → checked → loading → done`, or `undoing → undone`; or `failed`."""

    RECEIVING = "receiving"
    CHECKING = "checking"
    CHECKED = "checked"
    LOADING = "loading"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"
    FAILED = "failed"


class TooLarge(InputError):
    """A file beyond the limit."""


@dataclass(slots=True)
class Job:
    """An import, or the undoing of one, as its page shows it; `import_id` once it has a number."""

    campaign_id: int
    campaign: str
    file_name: str
    by: str
    at: datetime
    file: Path
    rejects: Path
    asked: Asked = field(default_factory=Asked)
    import_id: int = 0
    id: str = field(default_factory=lambda: uuid4().hex)
    stage: Stage = Stage.RECEIVING
    done: int = 0
    total: int = 0
    look: Look | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""

    is_undo: bool = False

    @property
    def is_busy(self) -> bool:
        """Whether another one has to wait."""
        return self.stage not in (Stage.DONE, Stage.UNDONE, Stage.FAILED)


class AudienceJobs:
    """Keeps the job, its file and its task."""

    def __init__(self, rejects: KeptRejects, limit_bytes: int, importer: AudienceImporter) -> None:
        self.job: Job | None = None
        self.limit_bytes = limit_bytes
        self.rejects = rejects
        self._folder = rejects.folder
        self.importer = importer
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Make the folder; throw away what a stopped server has left. Raises OSError."""
        self._folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        self.rejects.remove_left_over()

    async def keep_tidy(self, clock: Clock) -> None:
        """Remove every hour what has lain long enough, until cancelled."""
        while True:
            in_use = self.job.file if self.job is not None else None
            try:
                if removed := await asyncio.to_thread(self.rejects.tidy, clock(), in_use):
                    log.info("%d files of imports were removed: they were old", removed)
            except OSError as error:
                log.warning("old files of imports are not removed: %s", error.strerror)
            await asyncio.sleep(_TIDY_SECONDS)

    async def close(self) -> None:
        """Stop what is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def receive(
        self,
        campaign: tuple[int, str],
        file_name: str,
        by: str,
        at: datetime,
        chunks: AsyncIterable[bytes],
        asked: Asked,
    ) -> Job:
        """Take a file in, piece by piece. Raises InputError while there is another, or TooLarge."""
        job = self._next(campaign, file_name, by, at)
        job.asked = asked
        try:
            await self._write(job.file, chunks)
        except BaseException:
            self.drop(job)
            raise
        return job

    def drop(self, job: Job) -> None:
        """Forget one that does not go on, and its file."""
        _remove(job)
        self.job = None

    def check(self, job: Job) -> None:
        """Look at what was received."""
        self._begin(job, Stage.CHECKING, self._check(job))

    def confirm(self, job_id: str) -> None:
        """Load what was looked at. Raises InputError where it is not that one's turn."""
        job = self._standing(job_id, Stage.CHECKED)
        self._begin(job, Stage.LOADING, self._load(job))

    def discard(self, job_id: str) -> None:
        """Forget what was looked at, or what has ended. Raises InputError for another."""
        self.drop(self._standing(job_id, Stage.CHECKED, Stage.DONE, Stage.FAILED))

    def undo(
        self, campaign: tuple[int, str], import_id: int, file_name: str, by: str, at: datetime
    ) -> Job:
        """Take an import back. Raises InputError while something else is under way."""
        job = self._next(campaign, file_name, by, at)
        job.import_id, job.is_undo = import_id, True
        self._begin(job, Stage.UNDOING, self._undo(job))
        return job

    def _next(self, campaign: tuple[int, str], file_name: str, by: str, at: datetime) -> Job:
        if self.job is not None and self.job.is_busy:
            raise InputError("another import is under way")
        identity = uuid4().hex
        kind = "xlsx" if file_name.lower().endswith(".xlsx") else "csv"
        self.job = Job(
            campaign_id=campaign[0],
            campaign=campaign[1],
            file_name=file_name,
            by=by,
            at=at,
            file=self._folder / f"{identity}.audience.{kind}",
            rejects=self._folder / f"{identity}.audience.rejects",
            id=identity,
        )
        return self.job

    async def _write(self, path: Path, chunks: AsyncIterable[bytes]) -> None:
        size = 0
        with path.open("xb") as file:
            async for chunk in chunks:
                size += len(chunk)
                if size > self.limit_bytes:
                    raise TooLarge("the file is too large")
                await asyncio.to_thread(file.write, chunk)

    def _begin(self, job: Job, stage: Stage, work: Coroutine[Any, Any, None]) -> None:
        job.stage, job.done, job.total = stage, 0, 0
        self._task = asyncio.create_task(self._guarded(job, work), name="audience-import")

    async def _guarded(self, job: Job, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except TstnError as error:
            job.problem = str(error).replace(str(job.file), job.file_name)
        except Exception:
            log.exception("the import of %s failed", job.campaign)
            job.problem = "internal"
        if job.problem:
            job.stage = Stage.FAILED
            _remove(job)

    async def _check(self, job: Job) -> None:
        job.look = await self.importer.look(job.campaign_id, job.file, job.asked, _progress_of(job))
        job.counts, job.stage = job.look.counts, Stage.CHECKED

    async def _load(self, job: Job) -> None:
        asked, progress = job.asked, _progress_of(job)
        brought = await self.importer.bring(
            job.campaign_id, job.file, job.file_name, job.rejects, asked, progress, job.by
        )
        self.rejects.take(brought.import_id, job.rejects)
        job.import_id, job.counts, job.stage = brought.import_id, brought.counts, Stage.DONE
        job.file.unlink(missing_ok=True)

    async def _undo(self, job: Job) -> None:
        job.counts = {"removed": await self.importer.undo(job.import_id)}
        job.stage = Stage.UNDONE

    def _standing(self, job_id: str, *stages: Stage) -> Job:
        if self.job is None or self.job.id != job_id or self.job.stage not in stages:
            raise InputError("the import stands differently by now")
        return self.job


def _remove(job: Job) -> None:
    for file in (job.file, job.rejects):
        file.unlink(missing_ok=True)


def _progress_of(job: Job) -> Any:
    def tell(done: int, total: int) -> None:
        job.done, job.total = done, total

    return tell
