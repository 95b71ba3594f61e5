"""Rows for the tests of store and dialler: a campaign, its numbers, its attempts. I/O."""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, select

from dialer.retry import DEFAULT_RULES, rules_to_row
from domain.dispositions import Disposition
from domain.states import CampaignState, Channel, Purpose
from store import audience, campaigns
from store.claims import Claimed, ClaimOrder, claim
from store.engine import Store
from store.facts import AdviceAsked, Answered, AttemptEnded, KeyPressed, RegistrationAsked
from store.models import Base, Campaign, table

NOW = datetime(2021, 4, 1, 3, 0, tzinfo=UTC)
"""A Thursday, 10:00 in Vietnam, within the calling hours and no holiday."""

BY_NINE = time(21, 0)


def numbers(count: int, first: int = 0) -> list[str]:
    """That many different numbers."""
    return [f"+8490{number:07d}" for number in range(first, first + count)]


async def make_campaign(
    store: Store,
    msisdns: Sequence[str] = (),
    name: str = "mekong",
    state: CampaignState = CampaignState.RUNNING,
    due: datetime = NOW,
    **knobs: Any,
) -> Campaign:
    """A campaign in that state, whose numbers may be dialled from `due` on."""
    values = {
        "name": name,
        "purpose": Purpose.CUSTOMER_CARE,
        "script_version": "vi-1",
        "cps": 100.0,
        "max_channels": 1000,
        "ring_timeout_seconds": 30,
        "max_attempts": 4,
        "retry": rules_to_row(DEFAULT_RULES),
        "windows": ["08:00-17:00"],
        "call_on_holidays": False,
        **knobs,
    }

    def make(connection: Connection) -> Campaign:
        made = campaigns.create(connection, values, NOW)
        for step in dict.fromkeys((CampaignState.RUNNING, state)):
            if state is not CampaignState.DRAFT:
                campaigns.move(connection, campaigns.by_name(connection, name), step, NOW)
        audience.add(connection, made.id, [target(msisdn) for msisdn in msisdns], due)
        return campaigns.by_name(connection, name)

    return await store.write(make)


def target(msisdn: str) -> audience.NewTarget:
    """A line of an audience file."""
    return {
        "msisdn": msisdn,
        "province": "Vĩnh Long",
        "district": "Châu Thành",
        "list_no": 1,
        "attributes": {"tên": "Nguyễn Thị Sáu"},
    }


def order_for(campaign: Campaign, limit: int = 50, now: datetime = NOW, **other: Any) -> ClaimOrder:
    """An order to claim numbers of the campaign."""
    values: dict[str, Any] = {
        "campaign_id": campaign.id,
        "limit": limit,
        "now": now,
        "ring_timeout_seconds": 30,
        "max_call_seconds": 300,
        "node": "node1",
        "trunk": "carrier",
        "script_version": "vi-1",
    }
    return ClaimOrder(**(values | other))


async def claim_some(
    store: Store, campaign: Campaign, limit: int = 50, now: datetime = NOW, **other: Any
) -> list[Claimed]:
    """Claim in a transaction of its own."""
    return await store.write(claim, order_for(campaign, limit, now, **other))


async def all_rows(store: Store, row: type[Base]) -> list[dict[str, Any]]:
    """Every row of a table, in the order of its key."""
    columns = table(row)

    def read(connection: Connection) -> list[dict[str, Any]]:
        found = connection.execute(select(columns).order_by(*columns.primary_key))
        return [dict(each) for each in found.mappings()]

    return await store.read(read)


def answered(attempt: Claimed, at: datetime) -> Answered:
    """The subscriber picks up."""
    return Answered(attempt.attempt_id, attempt.msisdn, attempt.campaign_id, at)


def pressed(attempt: Claimed, key: str, at: datetime, state: str = "inviting") -> KeyPressed:
    """The subscriber presses a key."""
    return KeyPressed(attempt.attempt_id, attempt.msisdn, key, state, at)


def asked(
    msisdn: str,
    at: datetime,
    source_id: str | UUID | None = None,
    channel: Channel = Channel.IVR,
    campaign_id: int | None = None,
) -> RegistrationAsked:
    """A subscriber asks for a visit."""
    return RegistrationAsked(
        channel=channel,
        source_id=str(source_id or uuid4()),
        msisdn=msisdn,
        campaign_id=campaign_id,
        evidence={"key": "1", "script_version": "vi-1"},
        at=at,
    )


def wants_advice(
    msisdn: str, at: datetime, source_id: str | UUID | None = None, campaign_id: int | None = None
) -> AdviceAsked:
    """A subscriber whom key 3 brought to nobody."""
    return AdviceAsked(Channel.IVR, str(source_id or uuid4()), msisdn, campaign_id, at)


def ended(
    attempt: Claimed,
    disposition: Disposition,
    at: datetime,
    *,
    cause: int | None = None,
    tech_cause: int | None = None,
    ringing_at: datetime | None = None,
    answered_at: datetime | None = None,
) -> AttemptEnded:
    """The dial is over."""
    return AttemptEnded(
        attempt_id=attempt.attempt_id,
        msisdn=attempt.msisdn,
        campaign_id=attempt.campaign_id,
        disposition=disposition,
        hangup_cause=cause,
        tech_cause=tech_cause,
        ringing_at=ringing_at,
        answered_at=answered_at,
        at=at,
    )
