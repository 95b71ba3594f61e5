"""What an operator sets for texts, beyond the binds themselves. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time

from sms.alphabet import DefaultAlphabet
from sms.pdu.types import Address
from sms.segments import LongStyle


@dataclass(frozen=True)
class AccountSetting:
    """One account at an SMSC, whose binds share it.

    `default_alphabet` is what data_coding 0 means there; `long_style` how long texts go out.
    """

    default_alphabet: DefaultAlphabet = DefaultAlphabet.GSM7
    long_style: LongStyle = LongStyle.UDH8
    source_ton: int = 3
    source_npi: int = 0

    def source(self, digits: str) -> Address:
        """Our short code as the SMSC wants it (by default "network specific")."""
        return Address(self.source_ton, self.source_npi, digits)


@dataclass(frozen=True)
class TextSetting:
    """How texts are read and answered.

    Attributes:
        replies: checked texts by kind (`sms.replies`).
        accounts: by name; a text of an account without a setting is read with the defaults.
        target_by: local time of day n+1 for call-backs.
        repeat_seconds: the same text again within this is a redelivery, not a second request.
        most_an_hour: texts of one number that are answered; those beyond are acted on in silence.
        join_seconds: how long the parts of a long text wait for each other.
        patience_seconds: how long a commit may take before the SMSC is told to try again.
        accept_late: who registers after the phase of the district has closed is taken, and flagged.
    """

    replies: Mapping[str, str]
    accounts: Mapping[str, AccountSetting]
    target_by: time
    repeat_seconds: float = 300.0
    most_an_hour: int = 10
    join_seconds: float = 60.0
    patience_seconds: float = 2.0
    accept_late: bool = True

    def account(self, name: str) -> AccountSetting:
        """The setting of an account."""
        return self.accounts.get(name, _PLAIN)


_PLAIN = AccountSetting()
