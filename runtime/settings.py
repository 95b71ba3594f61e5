"""What can be set: one frozen dataclass a section, with type, default and limits. Pure.

`config/tstn.toml` carries the same names and defaults with a comment each (a test holds the two
together); `runtime.settings_load` fills these from files and environment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, time
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from domain.errors import ConfigError

NAME = r"[A-Za-z][A-Za-z0-9_-]{0,31}"
HOST = r"[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?"
TOKEN = r"[A-Za-z0-9_-]{16,}"  # noqa: S105 (a pattern, not a password)
HIDDEN = "********"


@dataclass(frozen=True)
class Limits:
    """What a value must be beyond its type: numbers inclusive, `pattern` matches the whole text."""

    least: float | None = None
    most: float | None = None
    one_of: tuple[str, ...] = ()
    pattern: str = ""
    hint: str = ""
    secret: bool = False


def _knob(default: Any, **limits: Any) -> Any:
    return field(default=default, metadata={"limits": Limits(**limits)})


def _port(default: int) -> Any:
    return _knob(default, least=1, most=65535)


@dataclass(frozen=True)
class StoreSettings:
    """Where the registrations stand, and how long a caller may wait for them."""

    url: str = _knob(
        "sqlite:///var/tstn.sqlite",
        pattern=r"(sqlite:///.+|postgresql://.+)",
        hint="sqlite:///FILE or postgresql://USER@HOST/DATABASE",
    )
    patience_seconds: float = _knob(2.0, least=0.1, most=60)


@dataclass(frozen=True)
class SpoolSettings:
    """The local file that keeps key 1 while the store is away."""

    path: Path = _knob(Path("var/spool.sqlite"))


@dataclass(frozen=True)
class AsteriskSettings:
    """One Asterisk: how we reach it (ARI, AMI) and how it speaks SIP and RTP."""

    node: str = _knob("node1", pattern=NAME)
    ari_url: str = _knob(
        "http://127.0.0.1:8088",
        pattern=rf"http://{HOST}:[0-9]{{1,5}}",
        hint="http://HOST:PORT",
    )
    app: str = _knob("tstn", pattern=NAME)
    ari_user: str = _knob("tstn", pattern=NAME)
    ari_password: str = _knob("", pattern=TOKEN, secret=True)
    ami_host: str = _knob("127.0.0.1", pattern=HOST)
    ami_port: int = _port(5038)
    ami_user: str = _knob("tstn", pattern=NAME)
    ami_secret: str = _knob("", pattern=TOKEN, secret=True)
    sip_host: str = _knob("127.0.0.1", pattern=HOST)
    sip_port: int = _port(5060)
    rtp_start: int = _knob(10000, least=1024, most=65534)
    rtp_end: int = _knob(20000, least=1025, most=65535)
    rtp_strict: bool = _knob(True)


@dataclass(frozen=True)
class TrunkSettings:
    """The carrier's side: where calls go and in which form."""

    name: str = _knob("carrier", pattern=NAME)
    host: str = _knob("127.0.0.1", pattern=HOST)
    port: int = _port(5080)
    number_format: str = _knob("national", one_of=("national", "e164"))
    caller_id: str = _knob("9090", pattern=r"\+?[0-9]{3,15}", hint="digits, with an optional +")
    codecs: tuple[str, ...] = _knob(("alaw", "ulaw"), one_of=("alaw", "ulaw"))


@dataclass(frozen=True)
class IvrSettings:
    """The call's words and patience."""

    prompts_dir: Path = _knob(Path("var/prompts"))
    script: Path = _knob(Path("prompts/script-vi.toml"))
    silence_seconds: float = _knob(5.0, least=1, most=60)
    max_replays: int = _knob(3, least=0, most=20)
    max_call_seconds: int = _knob(180, least=30, most=3600)


@dataclass(frozen=True)
class DialerSettings:
    """How fast to dial until the store holds the operator's own limits, and the engine's pace."""

    cps: float = _knob(10.0, least=0.01, most=1000)
    max_channels: int = _knob(200, least=1, most=20000)
    ring_timeout_seconds: int = _knob(30, least=5, most=120)
    tick_seconds: float = _knob(0.05, least=0.01, most=5)
    drain_seconds: float = _knob(60.0, least=0, most=3600)


@dataclass(frozen=True)
class CalendarSettings:
    """Corrections to the public holidays: true makes a day one, false unmakes it."""

    holidays: Mapping[date, bool] = field(
        default_factory=dict, metadata={"limits": Limits()}
    )


@dataclass(frozen=True)
class CallbackSettings:
    """The two deadlines of a call-back (docs: domain.deadlines)."""

    target_by: time = _knob(time(21, 0))
    promise_hours: int = _knob(48, least=1, most=720)


@dataclass(frozen=True)
class HealthSettings:
    """Where `/health` answers."""

    host: str = _knob("127.0.0.1", pattern=HOST)
    port: int = _port(8070)


@dataclass(frozen=True)
class LogSettings:
    """What is logged, and how a line looks."""

    level: str = _knob("info", one_of=("debug", "info", "warning", "error"))
    format: str = _knob("text", one_of=("text", "json"))


@dataclass(frozen=True)
class Settings:
    """All sections. `root` is the directory that relative paths start from."""

    root: Path
    store: StoreSettings = field(default_factory=StoreSettings)
    spool: SpoolSettings = field(default_factory=SpoolSettings)
    asterisk: AsteriskSettings = field(default_factory=AsteriskSettings)
    trunk: TrunkSettings = field(default_factory=TrunkSettings)
    ivr: IvrSettings = field(default_factory=IvrSettings)
    dialer: DialerSettings = field(default_factory=DialerSettings)
    calendar: CalendarSettings = field(default_factory=CalendarSettings)
    callbacks: CallbackSettings = field(default_factory=CallbackSettings)
    health: HealthSettings = field(default_factory=HealthSettings)
    log: LogSettings = field(default_factory=LogSettings)

    @property
    def secrets_file(self) -> Path:
        """The file that holds the secrets, mode 0600; `tstn asterisk render` writes it."""
        return self.root / "var" / "secrets.toml"


SECTIONS: Mapping[str, type[Any]] = MappingProxyType(
    {f.name: f.default_factory for f in fields(Settings) if f.name != "root"}  # type: ignore[misc]
)


def limits_of(section: str, key: str) -> Limits:
    """The limits of one setting. Raises KeyError for an unknown one."""
    found: Limits = SECTIONS[section].__dataclass_fields__[key].metadata["limits"]
    return found


def secret_keys() -> tuple[tuple[str, str], ...]:
    """(section, key) of every setting that only the secrets file or the environment may hold."""
    return tuple(
        (section, f.name)
        for section, kind in SECTIONS.items()
        for f in fields(kind)
        if f.metadata["limits"].secret
    )


def require_secrets(settings: Settings) -> None:
    """Raises ConfigError where a secret is still missing."""
    missing = [f"{s}.{k}" for s, k in secret_keys() if not getattr(getattr(settings, s), k)]
    if missing:
        raise ConfigError(
            f"no {' and '.join(missing)} in {settings.secrets_file}: "
            "run `tstn asterisk render DIR`, which makes them"
        )


def redacted(settings: Settings) -> dict[str, dict[str, Any]]:
    """Section → key → value in plain JSON types, with every secret hidden."""
    return {
        section: {
            f.name: _shown(section, f.name, getattr(getattr(settings, section), f.name))
            for f in fields(kind)
        }
        for section, kind in SECTIONS.items()
    }


def _shown(section: str, key: str, value: Any) -> Any:
    if limits_of(section, key).secret:
        return HIDDEN if value else ""
    if isinstance(value, Mapping):
        return {str(day): holiday for day, holiday in value.items()}
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, time):
        return value.isoformat(timespec="minutes")
    if isinstance(value, str) and "://" in value:
        return _without_password(value)
    return str(value) if isinstance(value, Path) else value


def _without_password(url: str) -> str:
    password = urlsplit(url).password
    return url.replace(f":{password}@", f":{HIDDEN}@") if password else url
