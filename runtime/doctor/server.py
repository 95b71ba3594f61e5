"""The running server, by what it says of itself. Pure."""

from collections.abc import Mapping
from typing import Any

from runtime.check_lines import CheckLine, Verdict

_NAME = "server"


def judge(report: Mapping[str, Any] | None) -> CheckLine:
    """`report` is that of `/health`; None where nobody answers."""
    if report is None:
        return CheckLine(_NAME, Verdict.WARN, "it does not run", "start it: `tstn serve`")
    if report.get("ok") is True:
        return CheckLine(_NAME, Verdict.OK, f"it serves, {report.get('calls', 0)} calls are live")
    troubles = [
        trouble
        for part in ("asterisk", "queue_9090")
        if (trouble := (report.get(part) or {}).get("trouble"))
    ]
    if not (report.get("store") or {}).get("up"):
        troubles.append("its store is away")
    says = f"it runs but can't work: {'; '.join(troubles) or 'it does not say why'}"
    return CheckLine(_NAME, Verdict.FAIL, says, "see the lines below, and its log")
