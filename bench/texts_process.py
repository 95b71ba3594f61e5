"""One side of the texts' bench as a process of its own, so that only it is on its core. I/O.

python -m bench.texts_process ROLE --port PORT [--window N] [--store URL] [--count N]
"""

import argparse
import asyncio
from dataclasses import dataclass
from datetime import time
from enum import StrEnum

import uvloop

from bench.bare_esme import BareEsme
from domain.clock import utc_now
from lab.ports import LOOPBACK
from lab.smsc.setting import TSTN
from runtime import logs
from sms import replies
from sms.esme.bind import Bind
from sms.esme.group import Binds
from sms.esme.listener import Accepted, Outcome
from sms.esme.setting import BindSetting
from sms.intake import Intake
from sms.pdu.types import Message, Unparsable
from sms.service import Texts
from sms.setting import TextSetting
from sms.tally import TextTally
from store.engine import Store, open_store

_PATIENCE_SECONDS = 30.0
"""Nothing is to be sent again here, however disturbed the box."""


class Role(StrEnum):
    """What the process does with texts."""

    BARE = "bare"
    BARE_ANSWER = "bare-answer"
    INTAKE = "intake"
    WHOLE = "whole"


@dataclass(frozen=True)
class _IntakeOnly:
    """Texts are stored and acknowledged; nobody reads them."""

    intake: Intake

    def received(self, bind: Bind, message: Message) -> None:
        self.intake.take(bind, message)

    def unparsable(self, bind: Bind, pdu: Unparsable) -> None:
        self.intake.take_unparsable(bind, pdu)

    def opened(self, bind: Bind) -> None: ...

    def closed(self, bind: Bind) -> None: ...

    def submitted(self, bind: Bind, ref: int, outcome: Outcome) -> None: ...

    def accepted_late(self, bind: Bind, ref: int, accepted: Accepted) -> None: ...


async def _run(options: argparse.Namespace) -> None:
    bind = BindSetting(
        name="bench",
        account="bench",
        host=LOOPBACK,
        port=options.port,
        system_id=TSTN.system_id,
        password=TSTN.password,
        window=options.window,
    )
    if options.role in (Role.BARE, Role.BARE_ANSWER):
        answers = options.role == Role.BARE_ANSWER
        await Binds([bind], {}).run(BareEsme(answers=answers, count=options.count))
        return
    store = open_store(options.store)
    if options.role == Role.INTAKE:
        await _take_in(bind, store)
    else:
        setting = TextSetting(
            replies={str(kind): text for kind, text in replies.DEFAULTS.items()},
            accounts={},
            target_by=time(21, 0),
            patience_seconds=_PATIENCE_SECONDS,
        )
        await Texts([bind], {}, setting, store, utc_now).run()


async def _take_in(bind: BindSetting, store: Store) -> None:
    intake = Intake(store, utc_now, _PATIENCE_SECONDS, lambda: None, TextTally())
    async with asyncio.TaskGroup() as group:
        group.create_task(intake.run())
        group.create_task(Binds([bind], {}).run(_IntakeOnly(intake)))


def main() -> None:
    """Run until killed."""
    parser = argparse.ArgumentParser(prog="python -m bench.texts_process", description=__doc__)
    parser.add_argument("role", choices=[str(role) for role in Role])
    parser.add_argument("--port", type=int, required=True, help="of the SMSC")
    parser.add_argument("--window", type=int, default=10, help="submits without an answer")
    parser.add_argument("--store", help="URL; the bare roles have none")
    parser.add_argument("--count", type=int, default=0, help="texts that a bare one sends")
    logs.set_up("warning", "text")
    uvloop.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
