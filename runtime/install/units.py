"""The units of systemd that an installation puts on a host. I/O."""

from pathlib import Path

from runtime.check_lines import CheckLine, Verdict

SHIPPED = Path(__file__).resolve().parents[2] / "deploy" / "systemd"
INSTALLED = Path("/etc/systemd/system")
UNITS = ("tstn.service", "asterisk.service.d/tstn.conf")


def look() -> list[CheckLine]:
    """A line for each file of deploy/systemd."""
    return [
        judge_unit(name, _text(SHIPPED / name) or "", _text(INSTALLED / name)) for name in UNITS
    ]


def judge_unit(name: str, shipped: str, installed: str | None) -> CheckLine:
    """Whether it is installed as it is shipped; another may be meant, or of another version."""
    target = INSTALLED / name
    todo = f"install -D -m 0644 {SHIPPED / name} {target} && systemctl daemon-reload"
    if installed is None:
        return CheckLine(name, Verdict.FAIL, f"there is no {target}", todo)
    if installed != shipped:
        says = f"{target} is not that of this version"
        return CheckLine(name, Verdict.WARN, says, f"look at the differences, or {todo}")
    return CheckLine(name, Verdict.OK, str(target))


def _text(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return None
