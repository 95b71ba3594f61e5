"""What the kernel allows calls: ports, threads, files, tracked connections. I/O."""

from pathlib import Path

from runtime.check_lines import CheckLine, Verdict
from runtime.settings import AsteriskSettings, Settings

SYSCTL = Path("/proc/sys")
_FILES_OF_A_CALL = 8
_FLOWS_OF_A_CALL = 4
_REST = 2000
"""What else runs on the host."""


def look(settings: Settings) -> list[CheckLine]:
    """A line for each limit that calls in numbers would meet."""
    calls = settings.dialer.max_channels
    outgoing, reserved = "net/ipv4/ip_local_port_range", "net/ipv4/ip_local_reserved_ports"
    lines = [
        judge_ports(settings.asterisk, _numbers(outgoing), _text(reserved)),
        judge_calls(settings.asterisk, calls),
    ]
    for name, what, each in (
        ("kernel.threads-max", "threads", 1),
        ("kernel.pid_max", "processes and threads", 1),
        ("fs.file-max", "open files", _FILES_OF_A_CALL),
        ("net.netfilter.nf_conntrack_max", "tracked connections", _FLOWS_OF_A_CALL),
    ):
        found = _numbers(name.replace(".", "/"))
        if found:  # a kernel that tracks no connections has no limit of them
            lines.append(judge_limit(name, what, found[0], each * calls + _REST))
    return lines


def judge_ports(ours: AsteriskSettings, outgoing: list[int], reserved: str) -> CheckLine:
    """The kernel must not give a port of the sound to an outgoing connection.

    `reserved` is how the kernel writes those that it gives to nobody: 8080,10000-20000.
    """
    name, sound = "ports of the sound", f"{ours.rtp_start}-{ours.rtp_end}"
    meet = outgoing and outgoing[0] <= ours.rtp_end and ours.rtp_start <= outgoing[-1]
    if meet and not _covers(reserved, ours.rtp_start, ours.rtp_end):
        says = f"{sound} meet those of outgoing connections, {outgoing[0]}-{outgoing[-1]}"
        todo = f"sysctl -w net.ipv4.ip_local_reserved_ports={sound}, and keep it in /etc/sysctl.d"
        return CheckLine(name, Verdict.WARN, says, todo)
    return CheckLine(name, Verdict.OK, f"{sound} are free of outgoing connections")


def _covers(reserved: str, first: int, last: int) -> bool:
    spans = [span.partition("-") for span in reserved.split(",") if span.strip()]
    return any(int(start) <= first and last <= int(end or start) for start, _, end in spans)


def judge_calls(ours: AsteriskSettings, calls: int) -> CheckLine:
    """Two ports a call."""
    room = (ours.rtp_end - ours.rtp_start) // 2
    says = f"ports for {room} calls, [dialer] max_channels is {calls}"
    if room < calls:
        todo = "widen [asterisk] rtp_start to rtp_end, and render again"
        return CheckLine("calls at once", Verdict.FAIL, says, todo)
    return CheckLine("calls at once", Verdict.OK, says)


def judge_limit(name: str, what: str, limit: int, needed: int) -> CheckLine:
    """Whether a limit of the kernel is enough for the channels that are set."""
    says = f"{limit} {what}, {needed} are enough for [dialer] max_channels"
    if limit < needed:
        todo = f"sysctl -w {name}={2 * needed}, and keep it in /etc/sysctl.d"
        return CheckLine(name, Verdict.FAIL, says, todo)
    return CheckLine(name, Verdict.OK, says)


def _numbers(name: str) -> list[int]:
    return [int(word) for word in _text(name).split()]


def _text(name: str) -> str:
    try:
        return (SYSCTL / name).read_text().strip()
    except OSError:
        return ""
