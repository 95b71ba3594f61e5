"""Makes what the brakes and the preview need of the settings. Pure."""

from datetime import timedelta

from dialer.brake_steps import BrakeSetting
from dialer.brakes import BreakerRule
from domain.states import BrakeCause
from runtime.callback_wiring import callback_setting
from runtime.settings import Settings
from store.limits import Caps


def brake_setting(settings: Settings) -> BrakeSetting:
    """Everything the brakes' ticks need. Raises ConfigError."""
    given = settings.dialer
    switches = {
        BrakeCause.PROMISE: given.brake_promise,
        BrakeCause.QUEUE: given.brake_queue,
        BrakeCause.CONGESTION: given.brake_congestion,
    }
    return BrakeSetting(
        node=settings.asterisk.node,
        trunk=settings.trunk.name,
        causes=frozenset(cause for cause, is_on in switches.items() if is_on),
        hold=timedelta(seconds=given.brake_hold_seconds),
        late_share=given.brake_late_share,
        tolerable_seconds=given.brake_wait_seconds,
        breaker=BreakerRule(
            calls=given.breaker_calls,
            share=given.breaker_share,
            probes=given.breaker_probes,
            pause=timedelta(seconds=given.breaker_pause_seconds),
        ),
        defaults=Caps(given.cps, given.max_channels),
        callbacks=callback_setting(settings),
        target_by=settings.callbacks.target_by,
        holidays=settings.calendar.holidays,
    )
