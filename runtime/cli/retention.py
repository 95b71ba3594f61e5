"""Commands about how long personal data is kept. I/O."""

from argparse import Namespace
from typing import Any

from domain.clock import to_local, utc_now
from runtime.cli.acts import operator
from runtime.cli.opened_store import opened_store
from runtime.cli.output import pairs, show, table
from runtime.retention_wiring import kept_rejects, retention
from runtime.settings import Settings
from store import audit

_LAST_RUNS = 5
_RUN = ("retention_began", "retention_ended")


async def show_periods(arguments: Namespace, settings: Settings) -> None:
    """The periods, since when what is older goes, and the last runs."""
    law = settings.law
    async with opened_store(settings) as store:
        acts = await store.read(audit.of_actions, _RUN, 2 * _LAST_RUNS)
    runs = [{"at": act.at, "action": act.action, **act.data} for act in acts]
    rejects_days = settings.console.rejects_days
    periods = {
        "keep_days": law.keep_days,
        "keep_consent_days": law.keep_consent_days,
        "rejects_days": rejects_days,
    }
    shown = ((f"{to_local(r['at']):%d/%m/%Y %H:%M}", _words(r)) for r in runs)
    show(
        arguments,
        {**periods, "erasure_key": bool(law.erasure_key), "runs": runs},
        pairs(
            {
                "whom we contacted is kept for": f"{law.keep_days} days",
                "who consented or refused is kept for": f"{law.keep_consent_days} days",
                "rows that imports refused are kept for": f"{rejects_days} days",
                "refusals go on under a hash": "yes" if law.erasure_key else "no key to do it with",
            }
        ),
        "",
        table(("run", ""), shown) if runs else "nothing has been taken out yet",
    )


async def run(arguments: Namespace, settings: Settings) -> None:
    """Take out what is overdue now, rows and files of imports, or count it."""
    async with opened_store(settings) as store:
        job = retention(settings, store, utc_now)
        rows = await (job.count() if arguments.dry_run else job.run(operator()))
    files = kept_rejects(settings)
    now = utc_now()
    removed = len(files.old(now)) if arguments.dry_run else files.tidy(now)
    what = "would be taken out" if arguments.dry_run else "taken out"
    show(
        arguments,
        {"dry_run": arguments.dry_run, "rows": rows, "files": removed},
        table(("rows " + what, ""), rows.items()) if rows else "no row is overdue",
        f"files of imports {what}: {removed}" if removed else "no file is overdue",
    )


def _words(run: dict[str, Any]) -> str:
    if "rows" not in run:
        return f"begun by {run['by']}"
    return "ended: " + ", ".join(f"{count} {name}" for name, count in run["rows"].items())
