"""The ARI client against a scripted Asterisk, over real sockets. I/O."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from ivr.ari.client import AriClient
from ivr.ari.errors import AriError, AriUnavailable
from ivr.origination import Endpoint, Originated, Origination
from tests.fakes.ari_server import FakeAri, channel

Verb = Callable[[AriClient], Awaitable[Any]]

VERBS_ON_A_CALL: list[tuple[str, str, Verb]] = [
    ("POST", "/channels/c1/play/p1", lambda ari: ari.play("c1", "p1", ["sound:a"])),
    ("DELETE", "/playbacks/p1", lambda ari: ari.stop_playback("p1")),
    ("DELETE", "/channels/c1", lambda ari: ari.hang_up("c1")),
    ("POST", "/channels/c1/continue", lambda ari: ari.continue_in_dialplan("c1", "q", "1", "s")),
]
LOOK_UPS: list[tuple[str, str, Verb]] = [
    ("GET", "/channels/c1", lambda ari: ari.channel("c1")),
    ("GET", "/channels", lambda ari: ari.channels()),
    ("GET", "/asterisk/info", lambda ari: ari.info()),
    ("GET", "/applications/tstn", lambda ari: ari.application()),
]
OTHERS: list[tuple[str, str, Verb]] = [
    ("POST", "/applications/tstn/subscription", lambda ari: ari.subscribe("c1")),
    ("PUT", "/applications/tstn/eventFilter", lambda ari: ari.set_event_filter(["Dial"])),
    ("GET", "/events", lambda ari: ari.open_events(10)),
]
ALL_BUT_ORIGINATE = [*VERBS_ON_A_CALL, *LOOK_UPS, *OTHERS]


@pytest.fixture
async def asterisk() -> AsyncIterator[FakeAri]:
    async with FakeAri() as fake:
        yield fake


@pytest.fixture
async def ari(asterisk: FakeAri) -> AsyncIterator[AriClient]:
    async with AriClient(asterisk.url, "tstn", "secret", "tstn") as client:
        yield client


async def originate(ari: AriClient, channel_id: str = "c1") -> Originated:
    return await ari.originate(
        channel_id,
        Endpoint("0901234567", "carrier"),
        caller_id="9090",
        timeout_seconds=30,
        variables={"TIMEOUT(absolute)": "180"},
    )


async def test_a_call_from_originate_to_hang_up(asterisk: FakeAri, ari: AriClient) -> None:
    assert await originate(ari) == Originated(Origination.ACCEPTED, 200, "")
    assert await ari.play("c1", "p1", ["sound:tstn/vi-1/notice", "sound:tstn/vi-1/offer"])
    assert await ari.stop_playback("p1")
    assert await ari.continue_in_dialplan("c1", "agents-9090", "9090", "start")
    assert await ari.subscribe("c1")
    assert await ari.hang_up("c1")
    assert [(r.method, r.path, r.query) for r in asterisk.requests] == [
        ("POST", "/channels/c1", {}),
        ("POST", "/channels/c1/play/p1", {"media": "sound:tstn/vi-1/notice,sound:tstn/vi-1/offer"}),
        ("DELETE", "/playbacks/p1", {}),
        (
            "POST",
            "/channels/c1/continue",
            {"context": "agents-9090", "extension": "9090", "label": "start"},
        ),
        ("POST", "/applications/tstn/subscription", {"eventSource": "channel:c1"}),
        ("DELETE", "/channels/c1", {"reason": "normal"}),
    ]
    assert asterisk.requests[0].body["variables"] == {"TIMEOUT(absolute)": "180"}
    assert {r.headers["Authorization"] for r in asterisk.requests} == {"Basic dHN0bjpzZWNyZXQ="}


async def test_what_is_live_is_read(asterisk: FakeAri, ari: AriClient) -> None:
    asterisk.channels["c1"] = channel("c1", state="Ringing", app_name="AppDial2")
    [live] = await ari.channels()
    assert live == await ari.channel("c1")
    assert (live.id, live.state, live.running) == ("c1", "Ringing", "AppDial2")
    assert live.created_at.isoformat() == "2026-01-05T02:00:00.123000+00:00"
    info = await ari.info()
    assert (info.version, info.entity_id) == ("22.10.1", "00:11:22:33:44:55")
    assert info.started_at.isoformat() == "2026-01-05T01:00:00+00:00"
    application = await ari.application()
    assert application is not None
    assert application.channel_ids == {"c1"}


async def test_what_is_not_there_is_none(asterisk: FakeAri, ari: AriClient) -> None:
    asterisk.will_answer("GET", "/applications/tstn", 404)
    assert await ari.channel("c1") is None
    assert await ari.application() is None
    assert not await ari.subscribe("c1")


@pytest.mark.parametrize("status", [404, 409, 412])
@pytest.mark.parametrize(("method", "path", "verb"), VERBS_ON_A_CALL)
async def test_a_call_that_is_gone_is_no_fault(
    asterisk: FakeAri, ari: AriClient, method: str, path: str, verb: Verb, status: int
) -> None:
    asterisk.will_answer(method, path, status, {"message": "Channel not found"})
    assert await verb(ari) is False


async def test_a_place_the_dialplan_lacks_is_a_fault(asterisk: FakeAri, ari: AriClient) -> None:
    answer = {"message": "Requested label can not be found"}
    asterisk.will_answer("POST", "/channels/c1/continue", 404, answer)
    with pytest.raises(AriError, match="no label 'start' at 9090@agents-9090"):
        await ari.continue_in_dialplan("c1", "agents-9090", "9090", "start")


@pytest.mark.parametrize(("method", "path", "verb"), ALL_BUT_ORIGINATE)
async def test_any_other_answer_is_raised_in_one_line(
    asterisk: FakeAri, ari: AriClient, method: str, path: str, verb: Verb
) -> None:
    asterisk.will_answer(method, path, 500, {"message": "Allocation failed"})
    with pytest.raises(AriError, match=f"answered {method} {path} with 500") as raised:
        await verb(ari)
    assert raised.value.status == 500
    assert "\n" not in str(raised.value)
    asterisk.will_answer(method, path, 401, {"message": "Authentication required"})
    with pytest.raises(AriError, match="does not let us in"):
        await verb(ari)
    asterisk.booting = True
    with pytest.raises(AriUnavailable, match="still starting"):
        await verb(ari)


@pytest.mark.parametrize(("method", "path", "verb"), ALL_BUT_ORIGINATE)
async def test_no_asterisk_is_unavailable(
    asterisk: FakeAri, ari: AriClient, method: str, path: str, verb: Verb
) -> None:
    await asterisk.stop()
    with pytest.raises(AriUnavailable, match="does not answer"):
        await verb(ari)


@pytest.mark.parametrize(("method", "path", "verb"), LOOK_UPS)
@pytest.mark.parametrize("answer", [b"", b"{", b"null", b"7", b'["x"]', b"[{}]", b"\xff"])
async def test_an_answer_that_cannot_be_read_is_a_fault(
    asterisk: FakeAri, ari: AriClient, method: str, path: str, verb: Verb, answer: bytes
) -> None:
    asterisk.will_answer(method, path, 200, answer)
    with pytest.raises(AriError, match="cannot read"):
        await verb(ari)


async def test_a_refused_originate_says_why(asterisk: FakeAri, ari: AriClient) -> None:
    asterisk.will_answer("POST", "/channels/c1", 500, {"error": "Allocation failed"})
    refused = Originated(Origination.REFUSED, 500, "Allocation failed")
    assert await originate(ari) == refused
    asterisk.will_answer("POST", "/channels/c1", 307)
    assert await originate(ari) == Originated(Origination.REFUSED, 307, "")
    asterisk.booting = True
    assert (await originate(ari)).outcome is Origination.REFUSED


async def test_an_id_that_is_live_already_counts_as_accepted(ari: AriClient) -> None:
    await originate(ari)
    assert await originate(ari) == Originated(Origination.ACCEPTED, 409, "")


async def test_an_originate_without_answer_is_lost_and_not_repeated(
    asterisk: FakeAri, ari: AriClient
) -> None:
    await ari.info()  # so that the connection that breaks is a kept one
    asterisk.will_reset("POST", "/channels/c1")
    assert (await originate(ari)).outcome is Origination.LOST
    assert len(asterisk.seen("POST", "/channels/c1")) == 1


async def test_an_originate_that_takes_too_long_is_lost(asterisk: FakeAri) -> None:
    go_on = asterisk.will_hold("POST", "/channels/c1")
    async with AriClient(asterisk.url, "tstn", "secret", "tstn", timeout_seconds=0.1) as ari:
        lost = await originate(ari)
    go_on.set()
    assert lost == Originated(Origination.LOST, None, "no answer in 0.1 s")
    assert len(asterisk.seen("POST", "/channels/c1")) == 1


async def test_an_originate_that_never_left_is_refused_not_lost(asterisk: FakeAri) -> None:
    async with AriClient(asterisk.url, "tstn", "secret", "tstn", timeout_seconds=0.5) as ari:
        gates = [asterisk.will_hold("GET", "/asterisk/info") for _ in range(32)]
        async with asyncio.TaskGroup() as group:
            waiting = [group.create_task(_quietly(ari.info())) for _ in gates]
            await asterisk.until(lambda: len(asterisk.requests) == len(gates))
            late = await originate(ari)
            for gate in gates:
                gate.set()
        assert len(waiting) == 32
        assert late == Originated(Origination.REFUSED, None, "no free connection in time")
    assert asterisk.seen("POST", "/channels/c1") == []


async def test_an_originate_to_no_asterisk_is_refused_not_lost(
    asterisk: FakeAri, ari: AriClient
) -> None:
    await asterisk.stop()
    assert await originate(ari) == Originated(Origination.REFUSED, None, "connection refused")


async def _quietly(request: Awaitable[Any]) -> None:
    try:
        await request
    except AriUnavailable:
        logging.getLogger(__name__).debug("held back too long")


@pytest.mark.parametrize(
    ("method", "path", "verb"), [case for case in ALL_BUT_ORIGINATE if case[1] != "/events"]
)
async def test_only_what_may_be_repeated_is_repeated(
    asterisk: FakeAri, ari: AriClient, method: str, path: str, verb: Verb
) -> None:
    await originate(ari)
    await ari.play("c1", "p1", ["sound:a"])
    asterisk.will_reset(method, path)
    before = len(asterisk.requests)
    if method == "POST":
        with pytest.raises(AriUnavailable):
            await verb(ari)
    else:
        await verb(ari)
    assert len(asterisk.requests) - before == (1 if method == "POST" else 2)
    for _ in range(2):
        asterisk.will_reset(method, path)
    with pytest.raises(AriUnavailable):
        await verb(ari)


async def test_an_unknown_host_is_said_in_words() -> None:
    async with AriClient("http://asterisk.invalid:8088", "tstn", "secret", "tstn") as ari:
        with pytest.raises(AriUnavailable, match="its host name is not known"):
            await ari.info()


async def test_ids_stay_within_their_segment(asterisk: FakeAri, ari: AriClient) -> None:
    odd = "sys/1.2?a=b&c#d%2F é"
    asterisk.channels[odd] = channel(odd)
    assert await ari.hang_up(odd) is False  # aiohttp's server splits at %2F; what counts is:
    [request] = asterisk.requests
    assert request.query == {"reason": "normal"}
    assert request.path == f"/channels/{odd}"
