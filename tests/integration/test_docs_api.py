"""The commands of docs/api.md, run by a shell against a served console. I/O."""

import asyncio
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from domain.roles import Role
from lab.network import CHECKOUT
from store.engine import open_store
from tests.api_calls import add_tokens, token_of
from tests.consoles import console

COMMANDS = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)


async def test_what_the_page_shows_works(tmp_path: Path, migrated_file: Path) -> None:
    [commands] = COMMANDS.findall((CHECKOUT / "docs/api.md").read_text(encoding="utf-8"))
    shutil.copy(migrated_file, tmp_path / "store.sqlite")
    (tmp_path / "numbers.csv").write_text("msisdn,province\n0901234567,Vĩnh Long\n")
    store = open_store(f"sqlite:///{tmp_path}/store.sqlite")
    async with console(store) as rig:
        await add_tokens(rig)
        script = commands.replace("http://127.0.0.1:8080", rig.url)
        ran = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-euc", script],
            cwd=tmp_path,
            env=os.environ | {"TOKEN": token_of(Role.OPERATOR)},
            capture_output=True,
            text=True,
            timeout=60,
        )
    await store.close()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    decoder, rest, answers = json.JSONDecoder(), ran.stdout, []
    while rest:
        answer, end = decoder.raw_decode(rest)
        answers.append(answer)
        rest = rest[end:]
    assert len(answers) == commands.count("\nask ") - 1  # the export goes to a file
    assert answers[1]["added"] == answers[2]["added"] == 1
    assert answers[5]["cps"] == 8
