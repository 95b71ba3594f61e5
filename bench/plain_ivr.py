"""The baseline: the same call as a plain dialplan, with no registration at all. I/O."""

import asyncio
import time
from pathlib import Path

from bench.network import bench_network
from bench.trial import Trial

_CONTEXT = """
[bench-ivr]
exten => s,1,Answer()
 same => n(menu),Background(tstn/vi-1/notice&tstn/vi-1/offer&tstn/vi-1/menu_replay)
 same => n,WaitExten(5)
exten => 1,1,Playback(tstn/vi-1/after_1)
 same => n,Hangup()
exten => t,1,Hangup()
exten => i,1,Hangup()
"""
_USER = """
[bench]
secret={secret}
read=none
write=originate
"""


def plain_ivr(directory: Path, rate: float, seconds: float) -> Trial:
    """Offer `rate` calls a second for `seconds`, by AMI Originate into the dialplan."""
    secret = "bench-only-on-loopback"

    def add_config(etc: Path) -> None:
        with (etc / "extensions.conf").open("a") as dialplan:
            dialplan.write(_CONTEXT)
        with (etc / "manager.conf").open("a") as manager:
            manager.write(_USER.format(secret=secret))

    offered = round(rate * seconds)
    with bench_network(directory, {}, add_config) as bench:
        before = bench.asterisk.cpu_seconds()
        ami_port = bench.server.settings.asterisk.ami_port
        took = asyncio.run(_originate(ami_port, secret, rate, offered))
        statistics = bench.subscribers.finish()
        spent = bench.asterisk.cpu_seconds() - before
    return Trial(
        name="plain dialplan",
        rate=rate,
        offered=offered,
        done=statistics.successful,
        started_per_second=offered / took,
        asterisk_ms=spent / offered * 1000,
        ours_ms=0.0,
        latencies={},
    )


async def _originate(port: int, secret: str, rate: float, count: int) -> float:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    drain = asyncio.create_task(_discard(reader))
    writer.write(f"Action: Login\r\nUsername: bench\r\nSecret: {secret}\r\n\r\n".encode())
    started = time.monotonic()
    for number in range(count):
        await asyncio.sleep(max(0.0, started + number / rate - time.monotonic()))
        writer.write(
            "Action: Originate\r\nAsync: true\r\nContext: bench-ivr\r\nExten: s\r\nPriority: 1\r\n"
            f"Channel: PJSIP/09{number:08d}@carrier\r\nTimeout: 30000\r\n"
            "Variable: CHANNEL(language)=vi\r\n\r\n".encode()
        )
        await writer.drain()
    took = time.monotonic() - started + 1 / rate
    await asyncio.sleep(1)
    writer.close()
    drain.cancel()
    return took


async def _discard(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass
