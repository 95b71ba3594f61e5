"""Binds over TLS with a CA of the test's own, and over IPv6. I/O."""

import asyncio
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from sms.esme.bind import Bind, BindState
from sms.esme.listener import Accepted
from tests.fakes.smsc_peer import SUBMIT, SmscPeer, accepted
from tests.texting import SUBMIT as TEXT
from tests.texting import Notes, running, setting

NAME = "smsc.example.vn"


class Authority:
    """A CA, and a server's certificate for `NAME` that it has signed."""

    def __init__(self, folder: Path) -> None:
        self.ca = folder / "ca.pem"
        self.asked: list[str | None] = []
        key, request, cert = folder / "key.pem", folder / "request.pem", folder / "cert.pem"
        names = folder / "names"
        names.write_text(f"subjectAltName=DNS:{NAME}")
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        _openssl("req", "-x509", *curve, "-keyout", folder / "ca.key", "-out", self.ca,
                 "-subj", "/CN=CA", "-days", "2")  # fmt: skip
        _openssl("req", *curve, "-keyout", key, "-out", request, "-subj", f"/CN={NAME}")
        _openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", folder / "ca.key",
                 "-CAcreateserial", "-out", cert, "-days", "2", "-extfile", names)  # fmt: skip
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.load_cert_chain(cert, key)
        self.server.sni_callback = lambda _, name, __: self.asked.append(name)


def _openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("other"))


@pytest.fixture
def notes() -> Notes:
    return Notes()


async def trouble(bind: Bind, notes: Notes) -> str:
    """What the operator is told after the first try."""
    async with running(bind, notes), asyncio.timeout(10):
        while bind.state is not BindState.WAITING:
            await asyncio.sleep(0.001)
        return bind.trouble or ""


async def test_a_verified_bind_asks_for_the_name_and_carries_texts(
    authority: Authority, notes: Notes
) -> None:
    async with SmscPeer(tls=authority.server) as smsc:
        bind = Bind(setting(smsc, tls=True, tls_ca=authority.ca, server_name=NAME))
        async with running(bind, notes):
            link = await smsc.bound()
            await notes.next("opened")
            assert authority.asked[-1] == NAME
            for ref in range(5):
                bind.send(ref, TEXT)
            for ref in range(5):
                link.write(accepted((await link.expect(SUBMIT)).sequence))
                assert await notes.next("submitted") == (ref, Accepted("id", {}))
            link.cut()
            await notes.next("closed")
            await smsc.bound()
            await notes.next("opened")


async def test_a_certificate_for_another_name_is_refused(
    authority: Authority, notes: Notes
) -> None:
    async with SmscPeer(tls=authority.server) as smsc:
        other_name = Bind(
            setting(smsc, tls=True, tls_ca=authority.ca, server_name="mobifone.example.vn")
        )
        told = await trouble(other_name, notes)
        assert "certificate is not to be trusted: Hostname mismatch" in told
        by_address = Bind(setting(smsc, tls=True, tls_ca=authority.ca))
        assert "IP address mismatch" in await trouble(by_address, notes)
    assert notes.silent


async def test_a_certificate_of_another_authority_is_refused(
    authority: Authority, other: Authority, notes: Notes
) -> None:
    async with SmscPeer(tls=authority.server) as smsc:
        for ca in (other.ca, None):
            bind = Bind(setting(smsc, tls=True, tls_ca=ca, server_name=NAME))
            assert "certificate is not to be trusted" in await trouble(bind, notes)
    assert notes.silent


async def test_tls_towards_a_plain_smsc_is_a_trouble(authority: Authority, notes: Notes) -> None:
    async with SmscPeer() as smsc:
        plain = setting(
            smsc, tls=True, tls_ca=authority.ca, server_name=NAME, retry_seconds=(60, 60)
        )
        bind = Bind(plain)

        async def refuse() -> None:
            (await smsc.link()).write(b"\0" * 16)

        refusing = asyncio.create_task(refuse())
        assert "TLS fails" in await trouble(bind, notes)
        await refusing


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
async def test_a_bind_over_ipv6(notes: Notes) -> None:
    async with SmscPeer("::1") as smsc, running(Bind(setting(smsc)), notes):
        await smsc.bound()
        await notes.next("opened")
