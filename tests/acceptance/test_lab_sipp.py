"""SIPp as the called side: its key reaches our Asterisk. I/O."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from lab.network import Server
from lab.sipp import Sipp, may_send_keys

CALLS = 5
# Whose key does not come stays longer than the test waits.
WAIT_FOR_KEY = """
[listen]
exten => s,1,WaitExten(600)
exten => 1,1,Hangup()
"""


async def originate(server: Server, number: str) -> None:
    asterisk = server.settings.asterisk
    login = aiohttp.encode_basic_auth(asterisk.ari_user, asterisk.ari_password)
    call = {"endpoint": f"PJSIP/{number}@carrier", "context": "listen", "extension": "s"}
    async with (
        aiohttp.ClientSession(asterisk.ari_url, headers={"Authorization": login}) as session,
        session.post("/ari/channels", json={**call, "priority": 1}) as answer,
    ):
        assert answer.status == 200, await answer.text()


@pytest.mark.skipif(not may_send_keys(), reason="SIPp sends keys over a raw socket: root only")
async def test_each_call_is_answered_and_its_key_heard(tmp_path: Path) -> None:
    sipp = Sipp(tmp_path / "sipp", ring_seconds=0.1, key_seconds=0.2)
    server = Server(tmp_path, trunk_port=sipp.port, sections={"asterisk": {"rtp_strict": False}})
    with sipp, server.asterisk as asterisk:
        extensions = asterisk.directory / "etc" / "extensions.conf"
        extensions.write_text(extensions.read_text() + WAIT_FOR_KEY)
        asterisk.cli("dialplan reload")
        for number in range(CALLS):
            await originate(server, f"090123456{number}")
        async with asyncio.timeout(20):
            while "0 active channels" not in (said := asterisk.cli("core show channels count")):
                await asyncio.sleep(0.05)
        assert f"{CALLS} calls processed" in said
        statistics = sipp.finish(20)
    assert (statistics.calls, statistics.successful, statistics.failed) == (CALLS, CALLS, 0)
