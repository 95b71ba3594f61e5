"""What can be set about one bind, and what follows from it. I/O: the CA file is read."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from domain.errors import ConfigError
from sms.pdu import make
from sms.pdu.make import BindKind


@dataclass(frozen=True, slots=True, kw_only=True)
class BindSetting:
    """One bind to one SMSC. Durations are seconds.

    Attributes:
        name: ours; unique among all binds.
        account: binds with the same account share message ids, receipts and the account's rate.
        window: submits without an answer at the same time.
        tps: PDUs a second; None: no limit.
        tls_ca: the certificates to trust, PEM; None: those of the machine.
        server_name: the name the certificate must carry; None: the host.
        bind_timeout_seconds: from the first packet to the answer to our bind.
        enquire_after_seconds: of silence before we ask whether the peer lives.
        drain_seconds: how long parting waits for what is still open, and then for its answer.
        retry_seconds: the first and the longest pause between two tries to connect.
        refused_retry_seconds: the least pause after a bind that will be refused again.
        most_unacknowledged: messages handed over without an answer yet above which we stop
            reading; far above any SMSC's window, for while it lasts we hear nothing at all.
    """

    name: str
    account: str
    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    kind: BindKind = BindKind.TRX
    long_password: bool = False
    system_type: str = ""
    address_range: str = ""
    window: int = 10
    tps: float | None = None
    tls: bool = False
    tls_ca: Path | None = None
    server_name: str | None = None
    bind_timeout_seconds: float = 10.0
    response_timeout_seconds: float = 30.0
    enquire_after_seconds: float = 30.0
    enquire_timeout_seconds: float = 10.0
    drain_seconds: float = 5.0
    retry_seconds: tuple[float, float] = (1.0, 60.0)
    refused_retry_seconds: float = 30.0
    most_unacknowledged: int = 2000
    longest_pdu: int = 65536

    @property
    def tick_seconds(self) -> float:
        """How often time-outs are looked at: none is noticed later than a tenth of itself."""
        shortest = min(
            self.response_timeout_seconds, self.enquire_after_seconds, self.enquire_timeout_seconds
        )
        return min(0.5, shortest / 10)


def tls_context(setting: BindSetting) -> ssl.SSLContext | None:
    """What verifies the SMSC's certificate and name; None where the bind is plain TCP.

    Raises:
        ConfigError: the CA file cannot be used.
    """
    if not setting.tls:
        return None
    try:
        return ssl.create_default_context(cafile=setting.tls_ca)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"bind {setting.name}: cannot read the certificates in {setting.tls_ca}: {error}"
        ) from error


def bind_pdu(setting: BindSetting, sequence: int) -> bytes:
    """Our request to be bound.

    Raises:
        ConfigError: a name or the password does not fit SMPP.
    """
    try:
        return make.bind(
            setting.kind,
            sequence,
            system_id=setting.system_id,
            password=setting.password,
            system_type=setting.system_type,
            address_range=setting.address_range,
            long_password=setting.long_password,
        )
    except ValueError as error:
        raise ConfigError(f"bind {setting.name}: {error}") from error
