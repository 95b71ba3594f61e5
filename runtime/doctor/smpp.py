"""The binds to the SMSCs: as the running server has them, else tried once and given up. I/O."""

from collections.abc import Mapping
from typing import Any

from domain.errors import ConfigError, TstnError
from runtime.check_lines import CheckLine, Verdict
from runtime.settings import Settings
from runtime.smsc_file import load_smscs
from sms.esme.bind import Bind
from sms.esme.group import Binds

_NAME = "SMSC accounts"


async def look(settings: Settings, report: Mapping[str, Any] | None) -> list[CheckLine]:
    """`report` is that of the running server, which holds the binds."""
    try:
        smscs = load_smscs(settings)
        binds = Binds(smscs.binds, smscs.account_tps).all
    except ConfigError as error:
        return [CheckLine(_NAME, Verdict.FAIL, str(error), "then `tstn check-config`")]
    if not binds:
        says = f"there is none in {settings.sms.smsc_file}: there are no texts"
        return [CheckLine(_NAME, Verdict.OK, says)]
    if report is not None:
        return [judge(bind.name, (report.get("binds") or {}).get(bind.name)) for bind in binds]
    return [await _tried(bind) for bind in binds]


def judge(name: str, stands: Mapping[str, Any] | None) -> CheckLine:
    """A bind as the running server reports it."""
    title = f"bind {name}"
    if stands is None:
        says = "the running server does not know it"
        return CheckLine(title, Verdict.WARN, says, "restart the server, the SMSC file is newer")
    if stands["state"] != "bound":
        says = str(stands["trouble"] or stands["state"])
        return CheckLine(title, Verdict.FAIL, says, "the SMSC's operator; `tstn sms status`")
    if stands["trouble"]:
        return CheckLine(title, Verdict.WARN, str(stands["trouble"]), "`tstn sms status`")
    return CheckLine(title, Verdict.OK, "bound by the running server")


async def _tried(bind: Bind) -> CheckLine:
    title = f"bind {bind.name}"
    try:
        await bind.attempt()
    except TstnError as error:
        todo = "host, port, system_id and password in the SMSC file; the SMSC's operator"
        return CheckLine(title, Verdict.FAIL, str(error), todo)
    return CheckLine(title, Verdict.OK, "bound, and unbound again")
