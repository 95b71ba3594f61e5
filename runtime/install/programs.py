"""The programs that the server and its prompts need. I/O."""

import os
import shutil
import sys

from console.assets import FILES
from runtime.check_lines import CheckLine, Verdict, some_of

_LEAST_PYTHON = (3, 11)
_MEGABYTES = 2000
_TOOLS = ("espeak-ng", "sox")


def look() -> list[CheckLine]:
    """Python, the tools of the prompts, what pages load, and the size of the machine."""
    missing = [name for name, file in FILES.items() if not file.exists()]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1024**2
    return [
        judge_python(sys.version_info[:2]),
        *(judge_tool(name, shutil.which(name)) for name in _TOOLS),
        judge_pages(missing),
        judge_machine(os.cpu_count() or 1, memory),
    ]


def judge_python(version: tuple[int, int]) -> CheckLine:
    """The version that runs this."""
    says = ".".join(map(str, version))
    if version < _LEAST_PYTHON:
        return CheckLine("Python", Verdict.FAIL, f"{says} is too old", "install Python 3.11")
    return CheckLine("Python", Verdict.OK, says)


def judge_tool(name: str, path: str | None) -> CheckLine:
    """What `tstn prompts build` runs."""
    if path is None:
        says = "not installed: prompts can't be built here"
        return CheckLine(name, Verdict.FAIL, says, f"apt-get install {name}")
    return CheckLine(name, Verdict.OK, path)


def judge_pages(missing: list[str]) -> CheckLine:
    """The scripts and fonts that come by npm."""
    if missing:
        says = f"missing: {some_of(missing)}"
        return CheckLine("pages", Verdict.FAIL, says, "make web")
    return CheckLine("pages", Verdict.OK, "all that they load is there")


def judge_machine(cores: int, megabytes: int) -> CheckLine:
    """Asterisk and the server share it."""
    says = f"{cores} cores, {megabytes} MB of memory"
    if cores < 2 or megabytes < _MEGABYTES:
        todo = f"give it 2 cores and {_MEGABYTES} MB, or keep [dialer] cps and max_channels low"
        return CheckLine("machine", Verdict.WARN, says, todo)
    return CheckLine("machine", Verdict.OK, says)
