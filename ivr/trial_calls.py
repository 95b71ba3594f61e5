"""Calls that try a script out: the call is real, but only its own row is told of it. I/O.

Key 1, 3 and 9 are answered as to a subscriber, once what was pressed is kept; no registration, no
call-back and no refusal comes of it, and no agent is asked for.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from domain.dispositions import Disposition
from domain.latency import Latency
from domain.states import QueueOutcome
from ivr.call_setting import CallSetting
from ivr.driver import CallDriver
from ivr.recovery import Calls
from ivr.tally import CallTally
from store import trial_calls
from store.claims import Claimed
from store.engine import Store
from store.facts import Answered, AttemptEnded, Fact, Kept, KeyPressed, TrialCallStood

log = logging.getLogger(__name__)


class NoAgents:
    """Nobody takes a call that only tries the script out."""

    def refusal(self) -> QueueOutcome | None:
        """As if none were free: the caller hears the apology."""
        return QueueOutcome.NO_AGENT


class TrialReport:
    """What a call reports, as how far it has come; it is kept before the call goes on."""

    def __init__(self, attempt: Claimed, record: Callable[[Fact], asyncio.Future[Kept]]) -> None:
        self._record = record
        self._stands = TrialCallStood(attempt.attempt_id, None, "", None, None, None)

    def __call__(self, fact: Fact) -> asyncio.Future[Kept]:
        """Take a fact of the call. Raises what the journal raises."""
        stands = self._stands
        match fact:
            case Answered():
                stands = replace(stands, answered_at=fact.at)
            case KeyPressed():
                stands = replace(stands, keys=stands.keys + fact.key)
            case AttemptEnded():
                stands = replace(
                    stands,
                    answered_at=fact.answered_at or stands.answered_at,
                    disposition=fact.disposition,
                    hangup_cause=fact.hangup_cause,
                    ended_at=fact.at,
                )
            case _:
                pass  # what it asks for is not done
        self._stands = stands
        return self._record(stands)


def setting_of(attempt: Claimed, setting: CallSetting) -> CallSetting:
    """The node's own setting, or that of a call which changes and counts nothing."""
    if not attempt.is_trial:
        return setting
    return replace(
        setting,
        record=TrialReport(attempt, setting.record),
        agents=NoAgents(),
        key_to_commit=Latency(),
        key_to_thanks=Latency(),
        tally=CallTally(),
    )


async def reconcile(node: str, store: Store, live: Calls) -> None:
    """After a gap in the events none goes on: each is closed, and its channel is nobody's then.

    Raises StoreUnavailable.
    """
    for call in list(live.calls.values()):
        if call.attempt.is_trial:
            call.end_unseen(Disposition.UNKNOWN)
    closed = await store.write(trial_calls.close_on, node, live.call_setting.clock())
    if closed:
        log.warning("%d test calls were cut short", closed)


async def reap(driver: CallDriver, store: Store, live: Calls) -> None:
    """End what should long have ended. Raises DriverError or StoreUnavailable."""
    now = live.call_setting.clock()
    for call_id in await store.read(trial_calls.overdue, now):
        channel_id = str(call_id)
        if await driver.channel(channel_id) is not None:
            await live.hang_up(channel_id)
        elif channel_id in live.calls:
            live.calls[channel_id].end_unseen(Disposition.UNKNOWN)
        else:
            await store.write(trial_calls.close, call_id, now)
