"""Makes what the call-backs need of the settings: hours, pauses, the text to the unreached. I/O."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from console.supervision import Supervision
from dialer.callback_rules import RedialRules
from dialer.callbacks import CallbackSetting, forecast_of
from dialer.forecast import Forecast
from domain.calendar import Calendar, Window
from domain.callbacks import Outcome
from domain.errors import ConfigError, InputError
from domain.states import PostKind
from runtime.settings import Settings
from runtime.smsc_file import account_setting, read_accounts
from sms.segments import split
from store.engine import Store
from store.outbox import PartRow, Post
from store.workload import workload


def callback_setting(settings: Settings) -> CallbackSetting:
    """Everything the ticks need. Raises ConfigError."""
    callbacks = settings.callbacks
    return CallbackSetting(
        hours=agents_hours(settings),
        redial=RedialRules(
            max_attempts=callbacks.max_attempts,
            pauses={
                Outcome.NO_ANSWER: timedelta(seconds=callbacks.no_answer_seconds),
                Outcome.BUSY: timedelta(seconds=callbacks.busy_seconds),
                Outcome.SWITCHED_OFF: timedelta(seconds=callbacks.switched_off_seconds),
            },
        ),
        at_risk=timedelta(seconds=callbacks.at_risk_seconds),
        notice=partial(text_drafter(settings), settings.replies.unreachable),
    )


def supervision(store: Store, setting: CallbackSetting, lease: timedelta) -> Supervision:
    """Joins the supervisor's pages to the forecast, which is worked out beside the event loop."""

    async def forecaster(now: datetime) -> Forecast:
        load = await store.read(workload)
        return await asyncio.to_thread(forecast_of, load, now, setting)

    return Supervision(forecaster, setting.at_risk, lease)


def agents_hours(settings: Settings) -> Calendar:
    """When agents call back. Raises ConfigError."""
    try:
        return Calendar(
            [Window.parse(window) for window in settings.callbacks.agents_hours],
            call_on_holidays=settings.callbacks.work_on_holidays,
            holiday_overrides=settings.calendar.holidays,
        )
    except InputError as error:
        raise ConfigError(f"callbacks.agents_hours: {error}") from error


def text_drafter(settings: Settings) -> Callable[[str, str], Post | None]:
    """Drafts a text of one segment, given its words and the number; nothing without an SMSC."""
    account = _account(settings)
    if account is None:
        return lambda words, msisdn: None
    style = account_setting(read_accounts(settings.sms.smsc_file)[account]).long_style

    def draft(words: str, msisdn: str) -> Post:
        [part] = split(words, reference=0, style=style)  # `replies.check`: one segment
        parts = (PartRow(part.payload, part.data_coding, part.esm_class, part.tlvs),)
        return Post(account, msisdn, settings.sms.short_code, PostKind.MANUAL, words, parts)

    return draft


def _account(settings: Settings) -> str | None:
    """The SMSC account that sends the text: the one that is named, or the first in the file."""
    wanted, accounts = settings.callbacks.sms_account, read_accounts(settings.sms.smsc_file)
    if wanted and wanted not in accounts:
        names = " or ".join(accounts) or "none"
        raise ConfigError(f"callbacks.sms_account {wanted!r} is not in the SMSC file: {names}")
    return wanted or next(iter(accounts), None)
