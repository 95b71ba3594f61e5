"""Joins the pages of text campaigns to the texts: what they cost, when they are out. I/O."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from console.text_port import TextCost
from dialer.preview import finish
from dialer.windows import calendar_by
from runtime.settings import Settings
from runtime.smsc_file import account_setting, read_accounts
from sms.invitations import cost, plain
from sms.segments import LongStyle


class TextDesk:
    """What `console.text_port.TextControl` asks for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def accounts(self) -> Sequence[str]:
        """As the SMSC file names them."""
        return list(read_accounts(self._settings.sms.smsc_file))

    def cost(self, text: str, account: str, numbers: int) -> TextCost:
        """The figures of `tstn campaign show`; one that is not there is a usual one."""
        known = read_accounts(self._settings.sms.smsc_file).get(account)
        style = LongStyle.UDH8 if known is None else account_setting(known).long_style
        one = cost(text, style, 1, self._settings.sms.price_per_segment)
        return TextCost(one.alphabet, one.characters, one.segments_each, numbers, one.price)

    def plain(self, text: str) -> str:
        """Without diacritics."""
        return plain(text)

    def finishes_at(self, knobs: Mapping[str, Any], numbers: int, now: datetime) -> datetime | None:
        """By the rate that is set, as if this were the only campaign."""
        calendar = calendar_by(knobs, self._settings.calendar.holidays)
        return finish(numbers, knobs["cps"], calendar, now)
