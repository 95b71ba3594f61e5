"""Asterisk: log-in by ARI and AMI, version, modules, trunk. I/O."""

import asyncio
import re
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from domain.errors import ConfigError
from ivr.ami.errors import AmiError
from ivr.ami.link import AmiLink
from ivr.ari.client import AriClient
from ivr.errors import DriverError
from runtime.asterisk_config import needed_modules
from runtime.check_lines import CheckLine, Verdict
from runtime.settings import Settings, require_secrets

_ARI, _AMI, _VERSION = "Asterisk ARI", "Asterisk AMI", "Asterisk version"
_MODULES, _TRUNK = "Asterisk modules", "trunk"
_RENDER = "`tstn asterisk render /etc/asterisk`, then restart Asterisk"
_PATIENCE_SECONDS = 5
_RELEASE = re.compile(r"(\d+)\.(\d+)")
_LOCK_UP = {20: range(18, 20), 22: range(8, 10)}
"""Releases that lock up under load of ARI; mended in 20.20 and 22.10."""
_TRIED = ((20, 20), (22, 10))
_ONLINE = {"online", "NOT_INUSE", "INUSE", "BUSY", "RINGING"}
_ABSENT = {"", "INVALID"}
_UNSEEN = {"unknown", "UNKNOWN"}


async def look(settings: Settings) -> list[CheckLine]:
    """The lines of the way that is set, [ivr] driver."""
    try:
        require_secrets(settings)
    except ConfigError as error:
        return [CheckLine("Asterisk passwords", Verdict.FAIL, str(error), _RENDER)]
    if settings.ivr.driver == "ari":
        return [*await _look_by_ari(settings), *await _look_by_ami(settings)]
    return await _look_by_ami(settings)


def judge_version(version: str) -> CheckLine:
    """Which releases may be trusted with calls."""
    found = _RELEASE.search(version)
    if found is None:
        return CheckLine(_VERSION, Verdict.WARN, f"{version!r} is no release that is known")
    major, minor = int(found[1]), int(found[2])
    todo = "install 20.20, 22.10 or later"
    if minor in _LOCK_UP.get(major, ()):
        return CheckLine(_VERSION, Verdict.WARN, f"{version} locks up under load of ARI", todo)
    tried = major > _TRIED[-1][0] or any(
        major == of_major and minor >= least for of_major, least in _TRIED
    )
    if not tried:
        return CheckLine(_VERSION, Verdict.WARN, f"{version} is older than what was tried", todo)
    return CheckLine(_VERSION, Verdict.OK, version)


def judge_modules(needed: Collection[str], running: Collection[str]) -> CheckLine:
    """Each module of the rendered modules.conf is needed."""
    missing = [name for name in needed if name not in running]
    if missing:
        says = f"not running: {', '.join(missing)}"
        todo = f"apt-get install asterisk-modules; {_RENDER}"
        return CheckLine(_MODULES, Verdict.FAIL, says, todo)
    return CheckLine(_MODULES, Verdict.OK, f"all {len(needed)} that are needed run")


def judge_trunk(name: str, state: str, where: str) -> CheckLine:
    """`state` is ARI's word for the endpoint, or AMI's for its device; empty: there is none."""
    if state in _ABSENT:
        return CheckLine(_TRUNK, Verdict.FAIL, f"Asterisk has no endpoint {name}", _RENDER)
    if state in _ONLINE:
        return CheckLine(_TRUNK, Verdict.OK, f"{name} at {where} answers")
    if state in _UNSEEN:
        says = f"whether {name} at {where} answers is not known yet"
        return CheckLine(_TRUNK, Verdict.WARN, says, "ask again in half a minute")
    todo = "[trunk] host and port, the firewall, the carrier: does it answer OPTIONS?"
    return CheckLine(_TRUNK, Verdict.FAIL, f"{name} at {where} does not answer", todo)


async def _look_by_ari(settings: Settings) -> list[CheckLine]:
    ours = settings.asterisk
    try:
        async with AriClient(ours.ari_url, ours.ari_user, ours.ari_password, ours.app) as ari:
            info = await ari.info()
            running = await ari.running_modules()
            state = await ari.endpoint_state(settings.trunk.name)
    except DriverError as error:
        return [CheckLine(_ARI, Verdict.FAIL, str(error), f"is Asterisk up? {_RENDER}")]
    return [
        CheckLine(_ARI, Verdict.OK, f"{ours.ari_url} lets us in"),
        judge_version(info.version),
        judge_modules(needed_modules(settings), running),
        judge_trunk(settings.trunk.name, state or "", _trunk_address(settings)),
    ]


async def _look_by_ami(settings: Settings) -> list[CheckLine]:
    """The log-in; with AGI also what ARI would have told."""
    ours = settings.asterisk
    device = f"DEVICE_STATE(PJSIP/{settings.trunk.name})"
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS), _logged_in(settings) as link:
            lines = [CheckLine(_AMI, Verdict.OK, f"{ours.ami_host}:{ours.ami_port} lets us in")]
            if settings.ivr.driver == "ari":
                return lines
            core = await link.action("CoreSettings", {})
            state = await link.action("Getvar", {"Variable": device})
    except (OSError, TimeoutError, DriverError) as error:
        where = f"the AMI at {ours.ami_host}:{ours.ami_port}"
        says = str(error) or f"{where} does not answer in {_PATIENCE_SECONDS} s"
        return [CheckLine(_AMI, Verdict.FAIL, says, f"is Asterisk up? {_RENDER}")]
    return [
        *lines,
        judge_version(core.headers.get("AsteriskVersion", "")),
        CheckLine(
            _MODULES,
            Verdict.WARN,
            "AMI does not tell which run",
            "asterisk -rx 'module show' must list res_agi.so and app_queue.so",
        ),
        judge_trunk(settings.trunk.name, state.headers.get("Value", ""), _trunk_address(settings)),
    ]


def _trunk_address(settings: Settings) -> str:
    return f"{settings.trunk.host}:{settings.trunk.port}"


@asynccontextmanager
async def _logged_in(settings: Settings) -> AsyncIterator[AmiLink]:
    """A link for a few questions. Raises OSError, AmiError."""
    ours = settings.asterisk
    link = await AmiLink.open(ours.ami_host, ours.ami_port)
    reader = asyncio.create_task(link.read(lambda _: None), name="ami-reader")
    try:
        login = {"Username": ours.ami_user, "Secret": ours.ami_secret}
        answer = await link.action("Login", login)
        if not answer.ok:
            raise AmiError(f"Asterisk does not let us in by AMI: {answer.message}")
        yield link
    finally:
        link.close()
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
