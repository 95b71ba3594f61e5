"""Makes the retention job of the settings. Pure."""

from datetime import timedelta

from dialer.retention import Retention
from domain.clock import Clock
from runtime.settings import Settings
from store.engine import Store
from store.retention import Periods


def retention(settings: Settings, store: Store, clock: Clock) -> Retention:
    """The job with the periods of [law]."""
    law = settings.law
    periods = Periods(timedelta(days=law.keep_days), timedelta(days=law.keep_consent_days))
    return Retention(store, periods, law.erasure_key, clock)
