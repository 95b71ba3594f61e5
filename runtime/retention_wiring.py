"""Makes what takes out overdue rows and files, by the settings. Pure."""

from datetime import timedelta

from console.kept_rejects import KeptRejects
from dialer.retention import Retention
from domain.clock import Clock
from runtime.settings import Settings
from store.engine import Store
from store.overdue import Periods


def retention(settings: Settings, store: Store, clock: Clock) -> Retention:
    """The job with the periods of [law]."""
    law = settings.law
    periods = Periods(timedelta(days=law.keep_days), timedelta(days=law.keep_consent_days))
    return Retention(store, periods, law.erasure_key, clock)


def kept_rejects(settings: Settings) -> KeptRejects:
    """The files of imports, with the period of [console]."""
    given = settings.console
    return KeptRejects(given.uploads, timedelta(days=given.rejects_days))
