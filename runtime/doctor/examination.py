"""Everything `tstn doctor` looks at, in the order in which one would mend it. I/O."""

from collections.abc import Mapping
from typing import Any

from domain.clock import Clock
from runtime.check_lines import CheckLine
from runtime.doctor import (
    asterisk,
    clock,
    database,
    disk,
    do_not_call,
    open_files,
    prompts,
    server,
    smpp,
)
from runtime.settings import Settings


async def examine(
    settings: Settings, report: Mapping[str, Any] | None, now: Clock
) -> list[CheckLine]:
    """`report` is what the running server says of itself; None: none runs."""
    async with database.looked_at(settings) as (of_database, store):
        of_rows = [
            *await clock.look(store, now),
            await do_not_call.look(store, settings.law.do_not_call_days, now()),
        ]
    return [
        *of_database,
        *of_rows,
        *prompts.look(settings),
        *disk.look(settings),
        *open_files.look(settings, report),
        *await asterisk.look(settings),
        *await smpp.look(settings, report),
        server.judge(report),
    ]
