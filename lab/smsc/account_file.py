"""The server's own file about a simulated SMSC: where it is, and how to bind. I/O."""

import json
from pathlib import Path

from lab.smsc.process import SmscProcess
from lab.smsc.setting import TSTN


def write_account_file(file: Path, smsc: SmscProcess, window: int | None = None) -> None:
    """Write it, and the password beside it; without a `window` the server's own default holds."""
    password = file.absolute().with_suffix(".password")
    password.touch(mode=0o600)
    password.write_text(TSTN.password, encoding="ascii")
    # JSON's texts and numbers are TOML's too.
    values = {
        "host": smsc.host,
        "port": smsc.port,
        "system_id": TSTN.system_id,
        "password_file": str(password),
        **({} if window is None else {"window": window}),
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    file.write_text("\n".join(["[lab]", *lines, ""]), encoding="utf-8")
