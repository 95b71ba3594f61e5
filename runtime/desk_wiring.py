"""Makes what the agent's desk needs of the settings. I/O."""

from dataclasses import asdict
from datetime import timedelta

from console.agent_words import read_words
from console.desk_setting import Confirmation, DeskSetting
from console.phone_line import PhoneLine
from console.places import read_places
from runtime.callback_wiring import agents_hours, text_drafter
from runtime.settings import Settings
from sms import replies
from sms.replies import ReplyKind
from store.consent import OptedOut
from store.outbox import Post


def desk_setting(settings: Settings, line: PhoneLine | None = None) -> DeskSetting:
    """Without a line agents dial by hand. Raises ConfigError."""
    return DeskSetting(
        hours=agents_hours(settings),
        lease=timedelta(seconds=settings.callbacks.lease_seconds),
        at_risk=timedelta(seconds=settings.callbacks.at_risk_seconds),
        words=read_words(settings.console.agent_words),
        places=read_places(settings.console.districts),
        line=line,
        confirm_refusal=_confirmation(settings),
    )


def _confirmation(settings: Settings) -> Confirmation:
    """The same words as answer a refusal by text."""
    texts, drafted = asdict(settings.replies), text_drafter(settings)

    def draft(refusal: OptedOut) -> Post | None:
        moments = {"received": refusal.at, "applied": refusal.applied_at}
        words = replies.text(ReplyKind.OPTED_OUT, texts, **moments)
        return drafted(words, refusal.msisdn)

    return draft
