"""Live channels against open attempts: after a connect, and for what is overdue. I/O.

An attempt without a channel has ended unseen: `answered` if that is known, else `unknown`, which is
never redialled at once. A channel without an attempt is hung up.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol
from uuid import UUID

from domain.dispositions import Disposition
from domain.states import Channel as RegistrationChannel
from ivr import reports
from ivr.call_setting import CallSetting
from ivr.driver import CallDriver, LiveChannel
from ivr.script import Call, Event, State
from ivr.session import MOST_PLAYBACKS, LiveCall, playback_id
from store import attempts, consent, registrations
from store.claims import Claimed
from store.engine import Store
from store.models import Attempt

log = logging.getLogger(__name__)


class Calls(Protocol):
    """The live calls of a node."""

    calls: dict[str, LiveCall]
    late: dict[str, LiveCall]
    call_setting: CallSetting

    def adopt(self, call: LiveCall) -> None: ...

    async def hang_up(self, channel_id: str) -> None: ...


async def reconcile(
    node: str, channels: dict[str, LiveChannel], driver: CallDriver, store: Store, live: Calls
) -> None:
    """Bring memory, rows and Asterisk to one truth. Raises DriverError or StoreUnavailable."""
    open_rows = await store.read(attempts.open_on, node)
    standings = await _standings(open_rows, store)
    gone = [row for row in open_rows if str(row.id) not in channels]
    here = [row for row in open_rows if str(row.id) in channels]
    live.late.clear()
    for row in gone:
        call = _call_of(row, live)
        call.standing = replace(call.standing, may_refuse=standings[row.id].may_refuse)
        call.end_unseen(Disposition.UNKNOWN)
        live.late[call.channel_id] = call  # its last keys may wait in the stream
    await _take_over(here, channels, standings, driver, store, live)
    known = {str(row.id) for row in open_rows}
    orphans = [id_ for id_ in channels if as_uuid(id_) and id_ not in known]
    for channel_id in orphans:
        await live.hang_up(channel_id)
    if open_rows or orphans:
        log.warning(
            "reconciled: %d calls live, %d ended unseen, %d without an attempt hung up",
            *(len(here), len(gone), len(orphans)),
        )


async def reap(node: str, driver: CallDriver, store: Store, live: Calls) -> None:
    """Close attempts past their deadline: hang up what is live, record the rest."""
    now = live.call_setting.clock()
    for row in await store.read(attempts.overdue, node, now):
        known = live.calls.get(str(row.id))
        if known is not None and known.deadline_at is not None and known.deadline_at > now:
            continue  # handed over, though the store has not been told yet
        if row.node == node and await driver.channel(str(row.id)) is not None:
            await live.hang_up(str(row.id))
        else:
            log.warning("attempt %s is overdue and closed", row.id)
            _call_of(row, live).end_unseen(Disposition.UNKNOWN)


def as_uuid(text: str) -> UUID | None:
    """The attempt id that a channel is named by, or None for somebody else's channel."""
    try:
        return UUID(text)
    except ValueError:
        return None


async def _standings(rows: Sequence[Attempt], store: Store) -> dict[UUID, Call]:
    """What was acted on in these calls already."""
    registered = await store.read(
        registrations.made_by, RegistrationChannel.IVR, [str(row.id) for row in rows]
    )
    sources = {row.id: reports.source_of_refusal(row.id) for row in rows}
    refused = await store.read(consent.from_sources, list(sources.values()))
    adverts = await store.read(consent.advertising_campaigns)
    return {
        row.id: Call(
            registered=str(row.id) in registered,
            refused=sources[row.id] in refused,
            may_refuse=row.campaign_id in adverts,
        )
        for row in rows
    }


async def _take_over(
    rows: Sequence[Attempt],
    channels: dict[str, LiveChannel],
    standings: dict[UUID, Call],
    driver: CallDriver,
    store: Store,
    live: Calls,
) -> None:
    strangers = [row for row in rows if str(row.id) not in live.calls]
    if strangers:
        await store.write(attempts.adopted, [row.id for row in strangers])
    for row in rows:
        channel = channels[str(row.id)]
        await driver.subscribe(channel.id)
        if channel.id in live.calls:
            await live.calls[channel.id].resume(channel)
        else:
            await _adopt(row, channel, standings[row.id], driver, live)


async def _adopt(
    row: Attempt, channel: LiveChannel, standing: Call, driver: CallDriver, live: Calls
) -> None:
    """Go on with a call of a process before us.

    Who has refused or registered is told so, who waited for an agent that none came; all others are
    invited anew.
    """
    call = _call_of(row, live, adoptions=row.adoptions + 1)
    live.adopt(call)
    call.standing = Call(may_refuse=standing.may_refuse)
    if channel.state == "Ringing":
        call.ringing_at = row.started_at
    if channel.state != "Up":
        return
    call.answered_at = row.answered_at or live.call_setting.clock()
    if not channel.held:
        with_agent = row.queue_connected_at is not None
        state = State.WITH_AGENT if with_agent else State.HANDING_OVER
        call.standing = replace(call.standing, state=state)
        return
    played = [playback_id(channel.id, row.adoptions, 1 + n) for n in range(MOST_PLAYBACKS)]
    await asyncio.gather(*(driver.stop_playback(playback) for playback in played))
    if standing.refused:
        call.standing = replace(standing, state=State.REFUSING)
        call.feed(Event.KEPT)
    elif call.waits_for_agents:
        call.standing = replace(standing, state=State.HANDING_OVER)
        call.feed(Event.NO_AGENT)
    elif standing.registered:
        call.standing = replace(standing, state=State.REGISTERING)
        call.feed(Event.KEPT)
    else:
        call.feed(Event.ANSWERED)


def _call_of(row: Attempt, live: Calls, adoptions: int = 0) -> LiveCall:
    """The call that is in memory already, or one made from the attempt's row."""
    known = live.calls.get(str(row.id))
    if known is not None:
        return known
    claimed = Claimed(
        attempt_id=row.id,
        target_id=row.target_id,
        campaign_id=row.campaign_id,
        msisdn=row.msisdn,
        trunk=row.trunk,
        script_version=row.script_version,
        ring_timeout_seconds=row.ring_timeout_seconds,
        started_at=row.started_at,
    )
    call = LiveCall(claimed, live.call_setting, adoptions=adoptions)
    call.answered_at = row.answered_at
    call.waits_for_agents = row.queue_joined_at is not None and row.queue_left_at is None
    if row.queue_connected_at is not None:
        call.standing = Call(state=State.WITH_AGENT)
    return call
