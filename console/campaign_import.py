"""An audience brought in by its operator: a file, a look, a yes, its progress, its result. I/O."""

from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from console import forms
from console.audience_jobs import AudienceJobs, Job, Stage, TooLarge
from console.audience_port import Asked
from console.campaign_page import found
from console.live import Fragment, Topic
from console.messages import marked as _
from console.parts import parts, session
from console.render import fragment, page, say
from console.writes import write
from domain.errors import InputError
from domain.states import CampaignState
from store import audit, imports
from store.audit import Act
from store.models import Campaign, Import

_CONFLICT, _TOO_LARGE, _UNPROCESSABLE = 409, 413, 422
_SHOWN = 10
_CHUNK = 1 << 18
_LONGEST_NAME = 120
_NO_FILE = _("Choose a file first.")
_BUSY = _("Another import is under way: one at a time. Yours can begin when it has ended.")
_LARGE = _("The file is larger than this server takes: split it, or use `tstn audience import`.")
_MOVED = _("The import stands differently by now: look at it below.")
_STOPPED = _("The campaign is stopped for good: it takes no more numbers.")
_NO_MOMENT = _(
    "Write when the figures were true as 26/03/2021 08:30 or 2021-03-26, not later than now."
)


def topic(jobs: AudienceJobs) -> Topic:
    """The import as it goes on."""

    async def look() -> object:
        job = jobs.job
        return job and (job.id, job.stage, job.done, job.total)

    return Topic("import", look)


async def show(request: web.Request) -> web.StreamResponse:
    """What is under way, or the form for a file, and what was imported before."""
    return await _page(request, await found(request))


async def stream(request: web.Request) -> web.StreamResponse:
    """The import as it goes on."""
    campaign = await found(request)

    async def render(_: web.Request) -> str:
        return fragment(request, "campaigns/job.html", _names(request, campaign))

    async def render_before(_: web.Request) -> str:
        names = {"campaign": campaign, **await _before(request, campaign)}
        return fragment(request, "campaigns/imports.html", names)

    async def stand(_: web.Request) -> object:
        before = await _before(request, campaign)
        return [(row.id, row.state, row.id in before["rejects"]) for row in before["imports"]]

    fragments = {
        "job": Fragment("import", render),
        "before": Fragment("import", render_before, stand),
    }
    return await parts(request).live.stream(request, fragments)


async def upload(request: web.Request) -> web.StreamResponse:
    """Take the file in and look at it; nothing is imported yet."""
    campaign, it = await found(request), parts(request)
    sent = forms.upload(request)
    if sent is None or not sent.filename:
        return await _page(request, campaign, _NO_FILE, _UNPROCESSABLE)
    if campaign.state == CampaignState.STOPPED:
        return await _page(request, campaign, _STOPPED, _UNPROCESSABLE)
    name = sent.filename[-_LONGEST_NAME:]
    try:
        asked = await _asked(request)
    except InputError:
        return await _page(request, campaign, _NO_MOMENT, _UNPROCESSABLE)

    async def chunks() -> AsyncIterator[bytes]:
        while chunk := await sent.read_chunk(_CHUNK):
            yield chunk

    try:
        job = await it.audiences.receive(
            (campaign.id, campaign.name), name, session(request).name, it.clock(), chunks(), asked
        )
    except TooLarge:
        return await _page(request, campaign, _LARGE, _TOO_LARGE)
    except InputError:
        return await _page(request, campaign, _BUSY, _CONFLICT)
    try:
        await _audited(request, "audience_uploaded", job)
    except BaseException:
        it.audiences.drop(job)  # or no other file would ever be taken
        raise
    it.audiences.check(job)
    raise web.HTTPSeeOther(f"/campaigns/{campaign.id}/import")


async def confirm(request: web.Request) -> web.StreamResponse:
    """Load what was looked at."""
    return await _go_on(request, "audience_import_confirmed", Stage.CHECKED)


async def discard(request: web.Request) -> web.StreamResponse:
    """Forget it."""
    return await _go_on(request, "audience_import_discarded", Stage.CHECKED, Stage.FAILED)


async def rejects(request: web.Request) -> web.StreamResponse:
    """The rows that an import refused, as a file, with whole numbers: the audit has who took it."""
    campaign, it = await found(request), parts(request)
    brought = await _import_of(request, campaign)
    path = it.audiences.rejects.of(brought.id)
    if path is None:
        raise web.HTTPNotFound
    told = {"kind": "rejects", "import_id": brought.id}
    act = Act("campaign_exported", session(request).user_id, campaign.name, data=told)
    await it.store.write(audit.add, act, it.clock())
    headers = {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": f'attachment; filename="rejects-{brought.id}.csv"',
    }
    return web.FileResponse(path, headers=headers)


async def confirm_undo(request: web.Request) -> web.StreamResponse:
    """An undoing can't be taken back: ask once more."""
    campaign = await found(request)
    names = {"campaign": campaign, "brought": await _import_of(request, campaign)}
    return page(request, "campaigns/undo.html", names)


async def undo(request: web.Request) -> web.StreamResponse:
    """Take an import back, as long as none of its numbers has had a contact."""
    campaign, it = await found(request), parts(request)
    brought = await _import_of(request, campaign)

    told = {"file": brought.file_name, "import_id": brought.id}
    if await write(request, "audience_undo_asked", _yes, subject=campaign.name, **told):
        by, whose = session(request).name, (campaign.id, campaign.name)
        try:
            it.audiences.undo(whose, brought.id, brought.file_name, by, it.clock())
        except InputError:
            return await _page(request, campaign, _BUSY, _CONFLICT)
    it.live.push("import")
    raise web.HTTPSeeOther(f"/campaigns/{campaign.id}/import")


async def _go_on(request: web.Request, action: str, *stages: Stage) -> web.StreamResponse:
    """The next step of the very import that the form names."""
    campaign, jobs = await found(request), parts(request).audiences
    job_id, job = await forms.text(request, "job"), jobs.job
    await forms.key(request)
    if job is None or job.id != job_id or job.campaign_id != campaign.id:
        return await _page(request, campaign, _MOVED, _CONFLICT)
    if job.stage in stages and await _audited(request, action, job):
        try:
            (jobs.confirm if action == "audience_import_confirmed" else jobs.discard)(job_id)
        except InputError:
            return await _page(request, campaign, _MOVED, _CONFLICT)
    parts(request).live.push("import")
    raise web.HTTPSeeOther(f"/campaigns/{campaign.id}/import")


async def _audited(request: web.Request, action: str, job: Job) -> bool:
    """Leave the act; False for a form that was sent before."""
    done = await write(request, action, _yes, subject=job.campaign, file=job.file_name)
    return done is True


def _yes(connection: Connection) -> bool:
    """The act alone is written down: the work comes afterwards, piece by piece."""
    return True


async def _asked(request: web.Request) -> Asked:
    """How the file is to be brought in. Raises InputError for a moment that is none."""
    written = await forms.text(request, "extracted_at")
    return Asked(
        parts(request).audiences.importer.extracted_at(written),
        await forms.text(request, "require_eligibility") == "yes",
        await forms.text(request, "skip_other_campaigns") == "yes",
    )


async def _import_of(request: web.Request, campaign: Campaign) -> Import:
    """The import of the address. Raises HTTPNotFound."""
    number = int(request.match_info["import"])
    try:
        brought = await parts(request).store.read(imports.by_id, number)
    except InputError:
        raise web.HTTPNotFound from None
    if brought.campaign_id != campaign.id:
        raise web.HTTPNotFound
    return brought


async def _page(
    request: web.Request, campaign: Campaign, problem: str = "", status: int = 200
) -> web.StreamResponse:
    names = _names(request, campaign) | {
        "problem": say(request, problem) if problem else "",
        **await _before(request, campaign),
    }
    return page(request, "campaigns/import.html", names, status=status)


def _names(request: web.Request, campaign: Campaign) -> dict[str, Any]:
    jobs = parts(request).audiences
    job = jobs.job
    has_rejects = job is not None and jobs.rejects.of(job.import_id) is not None
    return {"campaign": campaign, "job": job, "has_rejects": has_rejects}


async def _before(request: web.Request, campaign: Campaign) -> dict[str, Any]:
    """The last imports, the newest first, and which of them have refused rows to download."""
    it = parts(request)
    rows = (await it.store.read(imports.of_campaign, campaign))[: -_SHOWN - 1 : -1]
    rejects = {row.id for row in rows if it.audiences.rejects.of(row.id) is not None}
    return {"imports": rows, "rejects": rejects, "keeps_days": it.audiences.rejects.keeps.days}
