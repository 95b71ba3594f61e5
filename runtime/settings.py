"""What can be set: one frozen dataclass a section, with type, default and limits. Pure.

`config/tstn.toml` carries the same names and defaults with a comment each (a test holds the two
together); `runtime.settings_load` fills these from files and environment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, time
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

from domain.errors import ConfigError
from sms.replies import DEFAULTS, ReplyKind

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
    may_be_empty: bool = False


_HOST = r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?"
_TOKEN = r"[A-Za-z0-9_-]{16,}"  # noqa: S105 (a pattern, not a password)

Name = Annotated[
    str, Limits(pattern=r"[A-Za-z][A-Za-z0-9_-]{0,31}", hint="a name of letters, digits, _ and -")
]
Host = Annotated[str, Limits(pattern=_HOST, hint="a host name or an IPv4 address")]
Port = Annotated[int, Limits(least=1, most=65535)]
Secret = Annotated[
    str, Limits(pattern=_TOKEN, hint="16 or more letters, digits, _ and -", secret=True)
]
NINE_IN_THE_EVENING = time(21, 0)


@dataclass(frozen=True)
class StoreSettings:
    """Where the registrations stand, and how long a caller may wait for them."""

    url: Annotated[
        str,
        Limits(
            pattern=r"(sqlite:///.+|postgresql://.+)",
            hint="sqlite:///FILE or postgresql://USER@HOST/DATABASE",
        ),
    ] = "sqlite:///var/tstn.sqlite"
    password_file: str = ""
    patience_seconds: Annotated[float, Limits(least=0.1, most=60)] = 2.0


@dataclass(frozen=True)
class SpoolSettings:
    """The local file that keeps key 1 while the store is away."""

    path: Path = Path("var/spool.sqlite")


@dataclass(frozen=True)
class AsteriskSettings:
    """One Asterisk: how we reach it (ARI, AMI) and how it speaks SIP and RTP."""

    node: Name = "node1"
    ari_url: Annotated[
        str, Limits(pattern=rf"http://{_HOST}:[0-9]{{1,5}}", hint="http://HOST:PORT")
    ] = "http://127.0.0.1:8088"
    app: Name = "tstn"
    ari_user: Name = "tstn"
    ari_password: Secret = ""
    ami_host: Host = "127.0.0.1"
    ami_port: Port = 5038
    ami_user: Name = "tstn"
    ami_secret: Secret = ""
    sip_host: Host = "127.0.0.1"
    sip_port: Port = 5060
    rtp_start: Annotated[int, Limits(least=1024, most=65534)] = 10000
    rtp_end: Annotated[int, Limits(least=1025, most=65535)] = 20000
    rtp_strict: bool = True


@dataclass(frozen=True)
class TrunkSettings:
    """The carrier's side: where calls go and in which form."""

    name: Name = "carrier"
    host: Host = "127.0.0.1"
    port: Port = 5080
    number_format: Annotated[str, Limits(one_of=("national", "e164"))] = "national"
    caller_id: Annotated[
        str, Limits(pattern=r"\+?[0-9]{3,15}", hint="digits, with an optional +")
    ] = "9090"
    codecs: Annotated[tuple[str, ...], Limits(one_of=("alaw", "ulaw"))] = ("alaw", "ulaw")


@dataclass(frozen=True)
class IvrSettings:
    """How calls are driven, and the call's words and patience."""

    driver: Annotated[str, Limits(one_of=("ari", "agi"))] = "ari"
    agi_host: Host = "127.0.0.1"
    agi_port: Port = 4573
    prompts_dir: Path = Path("var/prompts")
    script: Path = Path("prompts/script-vi.toml")
    scripts: Annotated[tuple[str, ...], Limits(may_be_empty=True)] = ()
    silence_seconds: Annotated[float, Limits(least=1, most=60)] = 5.0
    max_call_seconds: Annotated[int, Limits(least=30, most=3600)] = 180


@dataclass(frozen=True)
class DialerSettings:
    """How fast to dial until the store holds the operator's own limits, the pace, the brakes."""

    cps: Annotated[float, Limits(least=0.01, most=1000)] = 10.0
    max_channels: Annotated[int, Limits(least=1, most=20000)] = 200
    ring_timeout_seconds: Annotated[int, Limits(least=1, most=120)] = 30
    tick_seconds: Annotated[float, Limits(least=0.01, most=5)] = 0.1
    drain_seconds: Annotated[float, Limits(least=0, most=3600)] = 60.0
    brake_promise: bool = True
    brake_late_share: Annotated[float, Limits(least=0, most=1)] = 0.02
    brake_queue: bool = True
    brake_wait_seconds: Annotated[float, Limits(least=1, most=600)] = 30.0
    brake_hold_seconds: Annotated[float, Limits(least=1, most=3600)] = 60.0
    brake_congestion: bool = True
    breaker_calls: Annotated[int, Limits(least=5, most=1000)] = 20
    breaker_share: Annotated[float, Limits(least=0.05, most=1)] = 0.5
    breaker_pause_seconds: Annotated[float, Limits(least=1, most=600)] = 30.0
    breaker_probes: Annotated[int, Limits(least=1, most=100)] = 3


@dataclass(frozen=True)
class CalendarSettings:
    """Corrections to the public holidays: true makes a day one, false unmakes it."""

    holidays: Mapping[date, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class LawSettings:
    """What the law and the programme's phases leave to the operator; `domain.gate` has the rest."""

    do_not_call_days: Annotated[int, Limits(least=1, most=366)] = 30
    accept_late: bool = True
    keep_days: Annotated[int, Limits(least=30, most=3660)] = 365
    keep_consent_days: Annotated[int, Limits(least=366, most=3660)] = 730
    erasure_key: Secret = ""


@dataclass(frozen=True)
class CallbackSettings:
    """When agents call back, how long they hold one, and what follows a call without an answer.

    The 48 hours are promised in the script's own words, so they are no setting.
    """

    target_by: time = NINE_IN_THE_EVENING
    agents_hours: tuple[str, ...] = ("07:00-21:00",)
    work_on_holidays: bool = True
    at_risk_seconds: Annotated[float, Limits(least=0, most=86400)] = 3 * 3600.0
    lease_seconds: Annotated[float, Limits(least=10, most=3600)] = 120.0
    max_attempts: Annotated[int, Limits(least=1, most=50)] = 5
    no_answer_seconds: Annotated[float, Limits(least=60, most=172800)] = 2 * 3600.0
    busy_seconds: Annotated[float, Limits(least=60, most=172800)] = 900.0
    switched_off_seconds: Annotated[float, Limits(least=60, most=172800)] = 4 * 3600.0
    sms_account: str = ""


@dataclass(frozen=True)
class AgentsSettings:
    """The 9090 agents' phones, their talks, and where key 3 leads."""

    phones: Annotated[int, Limits(least=0, most=999)] = 10
    phone_secret: Secret = ""
    ring_seconds: Annotated[int, Limits(least=1, most=120)] = 20
    max_talk_seconds: Annotated[int, Limits(least=30, most=14400)] = 3600
    hand_over: Annotated[str, Limits(one_of=("queue", "trunk"))] = "queue"
    wait_seconds: Annotated[int, Limits(least=1, most=600)] = 60
    trunk_host: Host = "127.0.0.1"
    trunk_port: Port = 5090


@dataclass(frozen=True)
class SmsSettings:
    """How texts to the short code are read; the SMSCs stand in a file of their own."""

    short_code: Annotated[str, Limits(pattern=r"[0-9]{3,8}", hint="3 to 8 digits")] = "9231"
    smsc_file: Path = Path("config/smsc.toml")
    repeat_seconds: Annotated[float, Limits(least=0, most=86400)] = 300.0
    most_an_hour: Annotated[int, Limits(least=1, most=1000)] = 10
    join_seconds: Annotated[float, Limits(least=1, most=3600)] = 60.0
    price_per_segment: Annotated[float, Limits(least=0, most=1_000_000)] = 0.0


@dataclass(frozen=True)
class RepliesSettings:
    """The words of the replies; `sms.replies` holds them to one segment at start."""

    ok: str = DEFAULTS[ReplyKind.OK]
    already: str = DEFAULTS[ReplyKind.ALREADY]
    ineligible: str = DEFAULTS[ReplyKind.INELIGIBLE]
    syntax: str = DEFAULTS[ReplyKind.SYNTAX]
    cancelled: str = DEFAULTS[ReplyKind.CANCELLED]
    opted_out: str = DEFAULTS[ReplyKind.OPTED_OUT]
    help: str = DEFAULTS[ReplyKind.HELP]
    status_open: str = DEFAULTS[ReplyKind.STATUS_OPEN]
    none_standing: str = DEFAULTS[ReplyKind.NONE_STANDING]
    unreachable: str = DEFAULTS[ReplyKind.UNREACHABLE]


@dataclass(frozen=True)
class HealthSettings:
    """Where `/health` answers."""

    host: Host = "127.0.0.1"
    port: Port = 8070


@dataclass(frozen=True)
class ConsoleSettings:
    """The web pages: where they answer, and how a login is guarded."""

    enabled: bool = True
    host: Host = "127.0.0.1"
    port: Port = 8080
    idle_seconds: Annotated[int, Limits(least=60, most=86400)] = 1800
    login_failures: Annotated[int, Limits(least=2, most=100)] = 5
    lock_seconds: Annotated[int, Limits(least=1, most=86400)] = 900
    secure_cookies: bool = True
    agent_words: Path = Path("prompts/agent-vi.toml")
    districts: Path = Path("config/districts-phase1.csv")
    uploads: Path = Path("var/uploads")
    upload_megabytes: Annotated[int, Limits(least=1, most=10000)] = 500
    rejects_days: Annotated[int, Limits(least=1, most=3650)] = 30


@dataclass(frozen=True)
class LogSettings:
    """What is logged, and how a line looks."""

    level: Annotated[str, Limits(one_of=("debug", "info", "warning", "error"))] = "info"
    format: Annotated[str, Limits(one_of=("text", "json"))] = "text"


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
    law: LawSettings = field(default_factory=LawSettings)
    callbacks: CallbackSettings = field(default_factory=CallbackSettings)
    agents: AgentsSettings = field(default_factory=AgentsSettings)
    sms: SmsSettings = field(default_factory=SmsSettings)
    replies: RepliesSettings = field(default_factory=RepliesSettings)
    console: ConsoleSettings = field(default_factory=ConsoleSettings)
    health: HealthSettings = field(default_factory=HealthSettings)
    log: LogSettings = field(default_factory=LogSettings)

    @property
    def scripts(self) -> tuple[Path, ...]:
        """The files of all scripts that calls may play; the first is that of new campaigns."""
        return (self.ivr.script, *(self.root / name for name in self.ivr.scripts))

    @property
    def secrets_file(self) -> Path:
        """The file that holds the secrets, mode 0600; `tstn asterisk render` writes it."""
        return self.root / "var" / "secrets.toml"


@dataclass(frozen=True)
class Knob:
    """One setting: the type of its value (without parameters), and its limits."""

    kind: type
    limits: Limits


@cache
def knobs() -> Mapping[str, Mapping[str, Knob]]:
    """Every setting there is, by section and key."""
    sections = [(f.name, f.type) for f in fields(Settings) if f.name != "root"]
    return MappingProxyType({name: MappingProxyType(knobs_of(kind)) for name, kind in sections})


def knobs_of(section: Any) -> dict[str, Knob]:
    """The settings of one dataclass, by key."""
    found = {}
    for key, hint in get_type_hints(section, include_extras=True).items():
        plain, *extras = get_args(hint) if get_origin(hint) is Annotated else (hint,)
        limits = extras[0] if extras else Limits()
        found[key] = Knob(get_origin(plain) or plain, limits)
    return found


def secret_keys() -> tuple[tuple[str, str], ...]:
    """(section, key) of every setting that only the secrets file or the environment may hold."""
    return tuple(
        (section, key)
        for section, keys in knobs().items()
        for key, knob in keys.items()
        if knob.limits.secret
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
            key: _shown(knob, getattr(getattr(settings, section), key))
            for key, knob in keys.items()
        }
        for section, keys in knobs().items()
    }


def _shown(knob: Knob, value: Any) -> Any:
    if knob.limits.secret:
        return HIDDEN if value else ""
    if isinstance(value, Mapping):
        return {str(day): holiday for day, holiday in value.items()}
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, time):
        return value.isoformat(timespec="minutes")
    if isinstance(value, str) and "://" in value:
        return without_password(value)
    return str(value) if isinstance(value, Path) else value


def without_password(url: str) -> str:
    """A URL as it may be shown."""
    password = urlsplit(url).password
    return url.replace(f":{password}@", f":{HIDDEN}@") if password else url
