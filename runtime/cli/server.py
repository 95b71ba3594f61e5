"""Commands about the server itself: migrate, health, check-config. I/O."""

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from runtime.cli.output import pairs, show
from runtime.settings import Settings, redacted

# The three need different libraries, each of which takes long to import: every one takes its own.


async def migrate(arguments: Namespace, settings: Settings) -> None:
    """Bring the database to the schema of this version."""
    from domain.clock import utc_now
    from runtime.idle import require_drained
    from store.engine import open_store
    from store.migrate import migrate as apply_missing
    from store.revision import current_revision, head, require_known

    store = open_store(settings.store.url)
    try:
        stands = await current_revision(store)
        if stands not in (None, head()):
            require_known(stands)
            await require_drained(settings, store, utc_now())
        revision = await apply_missing(store)
    finally:
        await store.close()
    show(arguments, {"revision": revision}, f"the database is at revision {revision}")


async def health(arguments: Namespace, settings: Settings) -> int:
    """Print what the running server says of itself; exit status 1 if it is not well."""
    from runtime.asked_server import ask_health

    report = await ask_health(settings)
    show(arguments, report, pairs(_flat(report)))
    return 0 if report.get("ok") is True else 1


def check_config(arguments: Namespace, settings: Settings) -> None:
    """Print the settings and SMSC accounts in force. Raises ConfigError as the server's start."""
    from runtime.callback_wiring import callback_setting
    from runtime.smsc_file import load_smscs, read_accounts, shown
    from sms import replies
    from sms.esme.group import Binds

    replies.check(asdict(settings.replies))
    smscs = load_smscs(settings)
    callback_setting(settings)
    Binds(smscs.binds, smscs.account_tps)  # holds names, passwords and certificates to SMPP
    accounts = read_accounts(settings.sms.smsc_file)
    smsc = {name: shown(account) for name, account in accounts.items()}
    effective = redacted(settings) | {"smsc": smsc}
    readable = _flat(effective) | ({} if smsc else {"smsc": "no account: there are no texts"})
    show(arguments, effective, pairs(readable))


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as dotted names."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        inner = _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) and value else {}
        flat |= inner or {f"{prefix}{key}": value}
    return flat
