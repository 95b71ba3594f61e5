"""A new text campaign from what its file or form says: the account, the law's words. I/O."""

from collections.abc import Mapping
from typing import Any

from domain.errors import InputError
from domain.states import CampaignKind
from runtime.settings import Settings
from runtime.smsc_file import any_of, read_accounts, require_account
from sms.invitations import fault


def completed(values: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """The columns of a new campaign with the account and source that its file leaves out.

    Raises InputError for words that must not be sent, ConfigError for an account that is not there.
    """
    if values["kind"] != CampaignKind.TEXT:
        return dict(values)
    if found := fault(values["text"], values["purpose"]):
        raise InputError(f"text: {found}")
    account = values["account"] or _only_account(settings)
    require_account(account, settings)
    source = values["source"] or settings.sms.short_code
    return {**values, "account": account, "source": source}


def _only_account(settings: Settings) -> str:
    accounts = read_accounts(settings.sms.smsc_file)
    if len(accounts) > 1:
        raise InputError(f"there are several SMSC accounts: write account = {any_of(accounts)}")
    return next(iter(accounts), "")
