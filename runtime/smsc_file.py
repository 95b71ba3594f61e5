"""Reads the file of SMSC accounts, every mistake named, and makes the binds of it. I/O."""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, get_args

from domain.errors import ConfigError
from runtime.settings import Knob, Limits, Name, Port, Settings, knobs_of
from runtime.settings_load import checked, nearest
from sms.alphabet import DefaultAlphabet
from sms.esme.setting import BindSetting
from sms.pdu.make import BindKind
from sms.segments import LongStyle
from sms.setting import AccountSetting

_KINDS = {"trx": (BindKind.TRX,), "pair": (BindKind.TX, BindKind.RX)}
_Seconds = Annotated[float, Limits(least=0.05, most=3600)]
_Rate = Annotated[float, Limits(least=0, most=100_000)]
_Address = Annotated[
    str,
    Limits(
        pattern=r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*",
        hint="a host name or an IP address",
    ),
]
_Octet = Annotated[int, Limits(least=0, most=255)]
_NAME = Knob(str, get_args(Name)[1])


@dataclass(frozen=True, kw_only=True)
class SmscSettings:
    """One account at one SMSC."""

    host: _Address
    port: Port = 2775
    system_id: Annotated[str, Limits(pattern=r"[!-~]{1,15}", hint="1 to 15 letters or digits")]
    password_file: Path
    kind: Annotated[str, Limits(one_of=tuple(_KINDS))] = "trx"
    binds: Annotated[int, Limits(least=1, most=32)] = 1
    window: Annotated[int, Limits(least=1, most=1000)] = 10
    tps: _Rate = 0.0
    account_tps: _Rate = 0.0
    tls: bool = False
    tls_ca: str = ""
    server_name: str = ""
    system_type: str = ""
    address_range: str = ""
    default_alphabet: Annotated[str, Limits(one_of=tuple(DefaultAlphabet))] = "gsm7"
    long_style: Annotated[str, Limits(one_of=tuple(LongStyle))] = "udh8"
    source_ton: _Octet = 3
    source_npi: _Octet = 0
    response_timeout_seconds: _Seconds = 30.0
    enquire_after_seconds: _Seconds = 30.0
    enquire_timeout_seconds: _Seconds = 10.0
    retry_seconds: _Seconds = 1.0
    longest_retry_seconds: _Seconds = 60.0


@dataclass(frozen=True)
class Smscs:
    """What the file comes to: all binds, and what their accounts share."""

    binds: tuple[BindSetting, ...]
    account_tps: Mapping[str, float]
    accounts: Mapping[str, AccountSetting]


def load_smscs(settings: Settings) -> Smscs:
    """The accounts of `[sms] smsc_file`; none where there is no such file.

    Raises ConfigError with all mistakes in one line.
    """
    accounts = read_accounts(settings.sms.smsc_file)
    return Smscs(
        binds=tuple(
            bind
            for name, account in accounts.items()
            for bind in _binds(settings, name, account, _password(settings.root, name, account))
        ),
        account_tps={name: a.account_tps for name, a in accounts.items() if a.account_tps},
        accounts={name: account_setting(account) for name, account in accounts.items()},
    )


def read_accounts(file: Path) -> dict[str, SmscSettings]:
    """The accounts by name, without their passwords; none where there is no such file.

    Raises ConfigError with all mistakes in one line.
    """
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not TOML: {error}") from None
    problems: list[str] = []
    accounts = {name: _smsc(name, table, problems) for name, table in content.items()}
    if problems:
        raise ConfigError(f"{file.name}: {'; '.join(problems)}")
    return {name: account for name, account in accounts.items() if account is not None}


def shown(account: SmscSettings) -> dict[str, Any]:
    """Key → value in plain JSON types; the password stands elsewhere."""
    values = asdict(account)
    return {key: str(v) if isinstance(v, Path) else v for key, v in values.items()}


def _smsc(name: str, table: Any, problems: list[str]) -> SmscSettings | None:
    if not isinstance(table, dict):
        problems.append(f"{name} stands outside a section: write [NAME] above it")
        return None
    known, before = knobs_of(SmscSettings), len(problems)
    try:
        checked(_NAME, name)
    except ValueError as error:
        problems.append(f"the section's name {error}, not {name!r}")
    given = {}
    for key, value in table.items():
        if key not in known:
            problems.append(f"unknown key {name}.{key}{nearest(key, known)}")
            continue
        try:
            given[key] = checked(known[key], value)
        except ValueError as error:
            problems.append(f"{name}.{key} {error}, not {value!r}")
    missing = {"host", "system_id", "password_file"} - table.keys()
    problems += [f"{name}.{key} is missing" for key in sorted(missing)]
    return SmscSettings(**given) if len(problems) == before else None


def _password(root: Path, name: str, account: SmscSettings) -> str:
    file = root / account.password_file
    try:
        password = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        password = ""
    if not password:
        raise ConfigError(
            f"no password of SMSC account {name} in {file}: "
            "write it there, mode 0600, and nothing else"
        )
    return password


def _binds(
    settings: Settings, name: str, account: SmscSettings, password: str
) -> list[BindSetting]:
    kinds = _KINDS[account.kind] * account.binds
    return [
        BindSetting(
            name=f"{settings.asterisk.node}:{name}:{number}",
            account=name,
            host=account.host,
            port=account.port,
            system_id=account.system_id,
            password=password,
            long_password=len(password) > 8,
            kind=kind,
            system_type=account.system_type,
            address_range=account.address_range,
            window=account.window,
            tps=account.tps or None,
            tls=account.tls,
            tls_ca=settings.root / account.tls_ca if account.tls_ca else None,
            server_name=account.server_name or None,
            response_timeout_seconds=account.response_timeout_seconds,
            enquire_after_seconds=account.enquire_after_seconds,
            enquire_timeout_seconds=account.enquire_timeout_seconds,
            retry_seconds=(account.retry_seconds, account.longest_retry_seconds),
        )
        for number, kind in enumerate(kinds, start=1)
    ]


def account_setting(account: SmscSettings) -> AccountSetting:
    """What reading and writing texts takes of an account."""
    return AccountSetting(
        default_alphabet=DefaultAlphabet(account.default_alphabet),
        long_style=LongStyle(account.long_style),
        source_ton=account.source_ton,
        source_npi=account.source_npi,
    )


def require_account(name: str, settings: Settings) -> None:
    """Raises ConfigError where there is no account of that name."""
    file = settings.sms.smsc_file
    accounts = read_accounts(file)
    if not accounts:
        raise ConfigError(f"no SMSC account is configured: write one into {file}")
    if name not in accounts:
        raise ConfigError(f"there is no SMSC account {name!r} in {file}: it is {any_of(accounts)}")


def any_of(accounts: Mapping[str, Any]) -> str:
    """Their names, for people."""
    return " or ".join(f'"{name}"' for name in accounts)
