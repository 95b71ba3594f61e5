"""Opens and closes the connection of a link, over TCP or TLS, IPv4 or IPv6. I/O."""

import asyncio
import os
import socket
import ssl
from contextlib import suppress

from sms.esme.link import Link
from sms.esme.setting import BindSetting

CLOSE_SECONDS = 1.0
"""How long what was written last may take to leave before the connection is torn down."""


async def connect(setting: BindSetting, tls: ssl.SSLContext | None, link: Link) -> None:
    """Open a connection for `link`, which is told.

    Raises:
        OSError: there is none to be had; `reason` says why.
    """
    loop = asyncio.get_running_loop()
    if tls is None:
        await loop.create_connection(lambda: link, setting.host, setting.port)
    else:
        await loop.create_connection(
            lambda: link,
            setting.host,
            setting.port,
            ssl=tls,
            server_hostname=setting.server_name or setting.host,
            ssl_shutdown_timeout=CLOSE_SECONDS,
        )


async def close(link: Link) -> None:
    """Wait until a closing connection is gone, and see to it that it goes."""
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await link.gone.wait()
    link.abort()


def reason(error: Exception) -> str:
    """Say in a few words why there is no connection."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not to be trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS fails: {error.reason or error}"
    if isinstance(error, socket.gaierror):
        return "its host name is not known"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return str(error) or type(error).__name__
