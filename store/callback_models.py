"""Rows of the call-backs: promise, claims, calls, address, the day's report. Pure."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from domain.addresses import Scheme, Slot
from domain.callbacks import Outcome
from domain.dispositions import Disposition
from domain.sla import SlaState
from domain.states import CallbackKind, CallbackState, ClaimEnd
from store.base import Base, BigId, Msisdn
from store.columns import any_of, one_of, word

UNFINISHED = any_of("state", CallbackState.OPEN, CallbackState.CLAIMED)
"""That a call-back still has to be made, in the words of its indexes."""


class Callback(Base):
    """A promised call of a 9090 agent, with both deadlines (procedure's n+1, script's 48 hours).

    `source_id` names what asked for it, channel first: one source, one call-back of a kind.
    `ready_at` is when it may be called (again), inside the agents' hours; None: the scheduler has
    yet to say so. `outcome` is the last one, `warned` the worst deadline that was raised.
    """

    __tablename__ = "callbacks"
    __table_args__ = (
        one_of("state", CallbackState),
        one_of("kind", CallbackKind),
        one_of("outcome", Outcome),
        one_of("warned", SlaState),
        one_of("appointment_slot", Slot),
        CheckConstraint("kind <> 'confirm' OR registration_id IS NOT NULL", name="confirm_has_why"),
        CheckConstraint(
            "(state = 'claimed') = (claim_id IS NOT NULL) "
            "AND (claim_id IS NULL) = (claimed_by IS NULL) "
            "AND (claim_id IS NULL) = (claimed_at IS NULL) "
            "AND (claim_id IS NULL) = (claimed_until IS NULL)",
            name="claimed_has_agent",
        ),
        CheckConstraint(f"{UNFINISHED} = (closed_at IS NULL)", name="closed_has_time"),
        CheckConstraint("state <> 'done' OR outcome IS NOT NULL", name="done_has_outcome"),
        CheckConstraint(
            "(appointment_day IS NULL) = (appointment_slot IS NULL)", name="appointment_is_whole"
        ),
        Index(
            "uq_callbacks_open_msisdn_kind",
            *("msisdn", "kind"),
            unique=True,
            sqlite_where=text(UNFINISHED),
            postgresql_where=text(UNFINISHED),
        ),
        Index(
            "uq_callbacks_claimed_msisdn",
            "msisdn",
            unique=True,
            sqlite_where=text("state = 'claimed'"),
            postgresql_where=text("state = 'claimed'"),
        ),
        Index(
            "uq_callbacks_claimed_by",
            "claimed_by",
            unique=True,
            sqlite_where=text("state = 'claimed'"),
            postgresql_where=text("state = 'claimed'"),
        ),
        Index(
            "ix_callbacks_queue",
            *("target_at", "promise_at", "id", "ready_at"),
            sqlite_where=text(UNFINISHED),
            postgresql_where=text(UNFINISHED),
        ),
        Index(
            "ix_callbacks_unscheduled",
            "id",
            sqlite_where=text("state = 'open' AND ready_at IS NULL"),
            postgresql_where=text("state = 'open' AND ready_at IS NULL"),
        ),
        UniqueConstraint("source_id", "kind"),
        Index("ix_callbacks_campaign_id", "campaign_id"),
        Index("ix_callbacks_registration_id", "registration_id"),
        Index("ix_callbacks_msisdn", "msisdn"),
        Index(
            "ix_callbacks_closed_at",
            "closed_at",
            sqlite_where=text("closed_at IS NOT NULL"),
            postgresql_where=text("closed_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, init=False)
    kind: Mapped[str] = mapped_column(word())
    msisdn: Mapped[str] = mapped_column(Msisdn)
    campaign_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("campaigns.id"))
    source_id: Mapped[str] = mapped_column(String(72))
    requested_at: Mapped[datetime]
    target_at: Mapped[datetime]
    promise_at: Mapped[datetime]
    registration_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("registrations.id"), default=None
    )
    state: Mapped[str] = mapped_column(word(), default=CallbackState.OPEN)
    ready_at: Mapped[datetime | None] = mapped_column(default=None)
    attempts_made: Mapped[int] = mapped_column(SmallInteger, default=0)
    outcome: Mapped[str | None] = mapped_column(word(), default=None)
    outcome_at: Mapped[datetime | None] = mapped_column(default=None)
    claim_id: Mapped[UUID | None] = mapped_column(default=None)
    claimed_by: Mapped[int | None] = mapped_column(BigId, default=None)
    claimed_at: Mapped[datetime | None] = mapped_column(default=None)
    claimed_until: Mapped[datetime | None] = mapped_column(default=None)
    closed_at: Mapped[datetime | None] = mapped_column(default=None)
    appointment_day: Mapped[date | None] = mapped_column(default=None)
    appointment_slot: Mapped[str | None] = mapped_column(word(), default=None)
    warned: Mapped[str | None] = mapped_column(word(), default=None)


class CallbackClaim(Base):
    """One agent's turn at a call-back, and its own history: who, when, and what came of it."""

    __tablename__ = "callback_claims"
    __table_args__ = (
        one_of("ending", ClaimEnd),
        one_of("outcome", Outcome),
        CheckConstraint("(ended_at IS NULL) = (ending IS NULL)", name="ended_has_why"),
        CheckConstraint(
            "(outcome IS NOT NULL) = (ending IS NOT NULL AND ending = 'result')",
            name="result_has_outcome",
        ),
        Index("ix_callback_claims_callback_id", "callback_id"),
        Index("ix_callback_claims_ended_at", "ended_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    callback_id: Mapped[int] = mapped_column(BigId, ForeignKey("callbacks.id"))
    agent_id: Mapped[int] = mapped_column(BigId)
    claimed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    ending: Mapped[str | None] = mapped_column(word(), default=None)
    reason: Mapped[str | None] = mapped_column(Text, default=None)
    outcome: Mapped[str | None] = mapped_column(word(), default=None)
    later_at: Mapped[datetime | None] = mapped_column(default=None)
    note: Mapped[str | None] = mapped_column(Text, default=None)


class CallbackAttempt(Base):
    """One call of an agent to a subscriber, both legs; its id is the channel of the subscriber."""

    __tablename__ = "callback_attempts"
    __table_args__ = (
        one_of("disposition", Disposition),
        CheckConstraint("(ended_at IS NULL) = (disposition IS NULL)", name="ended_has_disposition"),
        Index(
            "uq_callback_attempts_open",
            "callback_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_callback_attempts_callback_id", "callback_id"),
        Index("ix_callback_attempts_started_at", "started_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    callback_id: Mapped[int] = mapped_column(BigId, ForeignKey("callbacks.id"))
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("callback_claims.id"))
    agent_id: Mapped[int] = mapped_column(BigId)
    node: Mapped[str] = mapped_column(String(40))
    started_at: Mapped[datetime]
    agent_ringing_at: Mapped[datetime | None] = mapped_column(default=None)
    agent_answered_at: Mapped[datetime | None] = mapped_column(default=None)
    subscriber_dialled_at: Mapped[datetime | None] = mapped_column(default=None)
    subscriber_answered_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    disposition: Mapped[str | None] = mapped_column(word(), default=None)
    hangup_cause: Mapped[int | None] = mapped_column(SmallInteger, default=None)
    tech_cause: Mapped[int | None] = mapped_column(SmallInteger, default=None)


class Address(Base):
    """The address that a call-back confirmed (domain.addresses says what each part is)."""

    __tablename__ = "addresses"
    __table_args__ = (
        one_of("scheme", Scheme),
        one_of("best_slot", Slot),
        Index("ix_addresses_place", "province", "district", "ward"),
    )

    callback_id: Mapped[int] = mapped_column(BigId, ForeignKey("callbacks.id"), primary_key=True)
    confirmed_at: Mapped[datetime]
    confirmed_by: Mapped[int] = mapped_column(BigId)
    scheme: Mapped[str] = mapped_column(word())
    contact_name: Mapped[str | None] = mapped_column(Text)
    title: Mapped[str | None] = mapped_column(Text)
    contact_msisdn: Mapped[str | None] = mapped_column(Msisdn)
    house_number: Mapped[str | None] = mapped_column(Text)
    alley: Mapped[str | None] = mapped_column(Text)
    street: Mapped[str | None] = mapped_column(Text)
    residents_group: Mapped[str | None] = mapped_column(Text)
    hamlet: Mapped[str | None] = mapped_column(Text)
    ward: Mapped[str] = mapped_column(Text)
    district: Mapped[str | None] = mapped_column(Text)
    province: Mapped[str] = mapped_column(Text)
    landmark: Mapped[str | None] = mapped_column(Text)
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    at_home: Mapped[str | None] = mapped_column(Text)
    best_slot: Mapped[str | None] = mapped_column(word())
    note: Mapped[str | None] = mapped_column(Text)


class SlaReport(Base):
    """How one local day went for call-backs of one kind; written once, after the day."""

    __tablename__ = "sla_reports"
    __table_args__ = (one_of("kind", CallbackKind),)

    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(word(), primary_key=True)
    made_at: Mapped[datetime]
    requested: Mapped[int]
    done: Mapped[int]
    done_by_target: Mapped[int]
    done_by_promise: Mapped[int]
    done_late: Mapped[int]
    unreachable: Mapped[int]
    cancelled: Mapped[int]
    targets_missed: Mapped[int]
    promises_broken: Mapped[int]
    open_at_end: Mapped[int]
