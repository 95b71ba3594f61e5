"""What Asterisk looks up at calls: where an answer takes long, calls fail by the dozen. I/O."""

import socket
from pathlib import Path

from runtime.check_lines import CheckLine, Verdict

HOSTS = Path("/etc/hosts")
_ROOT_SERVER = "A.ROOT-SERVERS.NET"


def look() -> list[CheckLine]:
    """The host's own name and that of a root server, which must stand in /etc/hosts."""
    known = known_names(HOSTS.read_text(encoding="utf-8", errors="replace"))
    own = socket.gethostname()
    return [judge_name("host name", own, known), judge_name("root server", _ROOT_SERVER, known)]


def known_names(text: str) -> set[str]:
    """The names of a hosts file, in small letters."""
    lines = [line.partition("#")[0].split() for line in text.splitlines()]
    return {name.lower() for words in lines for name in words[1:]}


def judge_name(what: str, name: str, known: set[str]) -> CheckLine:
    """A name that stands there needs no DNS."""
    if name.lower() in known:
        return CheckLine(what, Verdict.OK, f"{name} stands in {HOSTS}")
    says = f"{name} is not in {HOSTS}: Asterisk asks the DNS for it at every call"
    return CheckLine(what, Verdict.WARN, says, f"echo '127.0.0.1 {name}' >>{HOSTS}")
