"""The rows of the shared store. The database itself refuses what must never be. Pure."""

from datetime import datetime
from typing import Any
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
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from domain.dispositions import Disposition
from domain.states import (
    AttemptState,
    CampaignKind,
    CampaignState,
    Channel,
    Purpose,
    QueueOutcome,
    RegistrationState,
    TargetState,
)
from store.account_models import Audit as Audit
from store.account_models import Session as Session
from store.account_models import User as User
from store.base import Base as Base
from store.base import BigId, Msisdn
from store.base import table as table
from store.brake_models import Brake as Brake
from store.callback_models import Address as Address
from store.callback_models import Callback as Callback
from store.callback_models import CallbackAttempt as CallbackAttempt
from store.callback_models import CallbackClaim as CallbackClaim
from store.callback_models import SlaReport as SlaReport
from store.columns import one_of, word
from store.duty_models import Agent as Agent
from store.duty_models import DutySpan as DutySpan
from store.erasure_models import ErasureKey as ErasureKey
from store.gate_models import DoNotCall as DoNotCall
from store.gate_models import DoNotCallList as DoNotCallList
from store.gate_models import Phase as Phase
from store.gate_models import PlaceCode
from store.import_models import Import as Import
from store.message_models import MessageIn as MessageIn
from store.message_models import MessageOut as MessageOut
from store.message_models import OptOut as OptOut
from store.message_models import Receipt as Receipt
from store.message_models import SmsReference as SmsReference
from store.token_models import ApiAnswer as ApiAnswer
from store.token_models import ApiToken as ApiToken
from store.trial_models import TrialCall as TrialCall

DEFAULT_PRIORITY = 5
"""Of 1 to 9; dialer.sharing says what it does."""


class Campaign(Base):
    """An invitation to an audience: its script, its knobs, its state.

    `by_phase`: targets are called only while the phase of their place is open (R8).
    `variants` are weights by script version; where there are none, all hear `script_version`. A
    text campaign has its `text`, the SMSC `account` and the `source` it comes from; `text_due_at`
    is when its rate allows the next one. `follows` names the text campaign whose numbers it calls.
    """

    __tablename__ = "campaigns"
    __table_args__ = (
        one_of("state", CampaignState),
        one_of("purpose", Purpose),
        CheckConstraint(
            "state IN ('draft', 'stopped') OR purpose IS NOT NULL", name="started_has_purpose"
        ),
        CheckConstraint("cps > 0 AND max_channels > 0 AND max_attempts > 0", name="knobs_positive"),
        one_of("kind", CampaignKind),
        CheckConstraint(
            "(kind = 'text') = (text IS NOT NULL AND account IS NOT NULL AND source IS NOT NULL)",
            name="text_has_words",
        ),
        CheckConstraint(
            "(follows IS NULL) = (follow_after_hours IS NULL)", name="follows_after_hours"
        ),
        CheckConstraint("priority >= 1 AND priority <= 9", name="priority_in_range"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    purpose: Mapped[str | None] = mapped_column(word())
    script_version: Mapped[str] = mapped_column(String(40))
    cps: Mapped[float]
    max_channels: Mapped[int]
    ring_timeout_seconds: Mapped[int]
    max_attempts: Mapped[int]
    retry: Mapped[dict[str, Any]]
    windows: Mapped[list[str]]
    call_on_holidays: Mapped[bool]
    created_at: Mapped[datetime]
    by_phase: Mapped[bool] = mapped_column(default=False, server_default=false())
    state: Mapped[str] = mapped_column(word(), default=CampaignState.DRAFT)
    started_at: Mapped[datetime | None] = mapped_column(default=None)
    priority: Mapped[int] = mapped_column(default=DEFAULT_PRIORITY, server_default=text("5"))
    variants: Mapped[dict[str, Any]] = mapped_column(
        default_factory=dict, insert_default=dict, server_default=text("'{}'")
    )
    kind: Mapped[str] = mapped_column(
        word(), default=CampaignKind.CALL, server_default=CampaignKind.CALL
    )
    text: Mapped[str | None] = mapped_column(Text, default=None)
    account: Mapped[str | None] = mapped_column(String(80), default=None)
    source: Mapped[str | None] = mapped_column(Text, default=None)
    text_due_at: Mapped[datetime | None] = mapped_column(default=None)
    follows: Mapped[str | None] = mapped_column(String(80), default=None)
    follow_after_hours: Mapped[float | None] = mapped_column(default=None)


class Target(Base):
    """A number in a campaign. `not_before` is when it may be dialled (again).

    `held_by` says why the gate sent it away the last time; `import_id` is the file it came from.
    """

    __tablename__ = "targets"
    __table_args__ = (
        one_of("state", TargetState),
        CheckConstraint("(state = 'done') = (outcome IS NOT NULL)", name="done_has_outcome"),
        UniqueConstraint("campaign_id", "msisdn"),
        # SQLite uses a partial index only for a query that has its very condition.
        Index(
            "ix_targets_ready",
            *("campaign_id", "not_before", "id"),
            sqlite_where=text("state = 'ready'"),
            postgresql_where=text("state = 'ready'"),
        ),
        Index(
            "ix_targets_claimed",
            "campaign_id",
            sqlite_where=text("state = 'claimed'"),
            postgresql_where=text("state = 'claimed'"),
        ),
        # For the counts by reason: each target is in one of these four.
        Index(
            "ix_targets_done",
            *("campaign_id", "outcome"),
            sqlite_where=text("state = 'done'"),
            postgresql_where=text("state = 'done'"),
        ),
        Index(
            "ix_targets_held",
            *("campaign_id", "held_by", "not_before"),
            sqlite_where=text("held_by IS NOT NULL"),
            postgresql_where=text("held_by IS NOT NULL"),
        ),
        Index("ix_targets_msisdn", "msisdn"),
        Index(
            "ix_targets_import_id",
            "import_id",
            sqlite_where=text("import_id IS NOT NULL"),
            postgresql_where=text("import_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, init=False)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    msisdn: Mapped[str] = mapped_column(Msisdn)
    province: Mapped[str | None] = mapped_column(Text)
    district: Mapped[str | None] = mapped_column(Text)
    list_no: Mapped[int | None] = mapped_column(SmallInteger)
    attributes: Mapped[dict[str, Any]]
    not_before: Mapped[datetime]
    state: Mapped[str] = mapped_column(word(), default=TargetState.READY)
    attempts_made: Mapped[int] = mapped_column(SmallInteger, default=0)
    outcome: Mapped[str | None] = mapped_column(word(), default=None)
    import_id: Mapped[int | None] = mapped_column(BigId, default=None)
    province_code: Mapped[str | None] = mapped_column(PlaceCode, default=None)
    district_code: Mapped[str | None] = mapped_column(PlaceCode, default=None)
    held_by: Mapped[str | None] = mapped_column(word(), default=None)


class Attempt(Base):
    """One dial of a target; its id is the channel id in Asterisk.

    `settled_at` is when the retry rules have decided what follows from its end. `queue_…` tell of
    key 3 (store.handovers).
    """

    __tablename__ = "attempts"
    __table_args__ = (
        one_of("state", AttemptState),
        one_of("disposition", Disposition),
        one_of("queue_outcome", QueueOutcome),
        CheckConstraint(
            "(state = 'ended') = (ended_at IS NOT NULL AND disposition IS NOT NULL)",
            name="ended_has_disposition",
        ),
        CheckConstraint("state <> 'answered' OR answered_at IS NOT NULL", name="answered_has_time"),
        CheckConstraint("settled_at IS NULL OR state = 'ended'", name="settled_has_ended"),
        Index(
            "uq_attempts_open_msisdn",
            "msisdn",
            unique=True,
            sqlite_where=text("state <> 'ended'"),
            postgresql_where=text("state <> 'ended'"),
        ),
        Index(
            "ix_attempts_unsettled",
            "ended_at",
            sqlite_where=text("state = 'ended' AND settled_at IS NULL"),
            postgresql_where=text("state = 'ended' AND settled_at IS NULL"),
        ),
        Index("ix_attempts_target_id", "target_id"),
        Index("ix_attempts_msisdn", "msisdn"),
        Index("ix_attempts_campaign_id_started_at", "campaign_id", "started_at"),
        Index(
            "ix_attempts_trunk_ended",
            *("trunk", "ended_at"),
            sqlite_where=text("state = 'ended'"),
            postgresql_where=text("state = 'ended'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    target_id: Mapped[int] = mapped_column(BigId, ForeignKey("targets.id"))
    msisdn: Mapped[str] = mapped_column(Msisdn)
    node: Mapped[str] = mapped_column(String(40))
    trunk: Mapped[str] = mapped_column(String(40))
    script_version: Mapped[str] = mapped_column(String(40))
    ring_timeout_seconds: Mapped[int] = mapped_column(SmallInteger)
    started_at: Mapped[datetime]
    deadline_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(word(), default=AttemptState.DIALLING)
    ringing_at: Mapped[datetime | None] = mapped_column(default=None)
    answered_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    disposition: Mapped[str | None] = mapped_column(word(), default=None)
    hangup_cause: Mapped[int | None] = mapped_column(SmallInteger, default=None)
    tech_cause: Mapped[int | None] = mapped_column(SmallInteger, default=None)
    adoptions: Mapped[int] = mapped_column(SmallInteger, default=0)
    settled_at: Mapped[datetime | None] = mapped_column(default=None)
    queue_joined_at: Mapped[datetime | None] = mapped_column(default=None)
    queue_agent_id: Mapped[int | None] = mapped_column(BigId, default=None)
    queue_connected_at: Mapped[datetime | None] = mapped_column(default=None)
    queue_left_at: Mapped[datetime | None] = mapped_column(default=None)
    queue_outcome: Mapped[str | None] = mapped_column(word(), default=None)


class KeyPress(Base):
    """A key the subscriber pressed, with the state of the script: the evidence of consent."""

    __tablename__ = "key_presses"

    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempts.id"), primary_key=True)
    pressed_at: Mapped[datetime] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(1), primary_key=True)
    script_state: Mapped[str] = mapped_column(word())


class Registration(Base):
    """A subscriber's request for a SIM replacement at home. One is open per number.

    `source_id` names the evidence in its channel (the attempt, the text): one source, one row.
    """

    __tablename__ = "registrations"
    __table_args__ = (
        one_of("state", RegistrationState),
        one_of("channel", Channel),
        UniqueConstraint("source_id", "channel"),
        Index(
            "uq_registrations_open_msisdn",
            "msisdn",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_registrations_msisdn", "msisdn"),
        Index("ix_registrations_campaign_id", "campaign_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, init=False)
    msisdn: Mapped[str] = mapped_column(Msisdn)
    channel: Mapped[str] = mapped_column(word())
    source_id: Mapped[str] = mapped_column(String(64))
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaigns.id"))
    registered_at: Mapped[datetime]
    evidence: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(word(), default=RegistrationState.OPEN)


class Event(Base):
    """One thing that happened. Rows are only ever added: triggers refuse the rest.

    `once` makes a repeated report of the same happening leave one row.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_msisdn_at", "msisdn", "at"),
        Index(
            "ix_events_of_campaign",
            *("campaign_id", "id"),
            sqlite_where=text("msisdn IS NULL"),
            postgresql_where=text("msisdn IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, init=False)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(40))
    msisdn: Mapped[str | None] = mapped_column(Msisdn)
    campaign_id: Mapped[int | None] = mapped_column(Integer)
    data: Mapped[dict[str, Any]]
    once: Mapped[str | None] = mapped_column(String(80), unique=True, default=None)


class Limit(Base):
    """The rate and the channels of the whole server (`global`) or of one trunk (`trunk:NAME`)."""

    __tablename__ = "limits"
    __table_args__ = (CheckConstraint("cps > 0 AND max_channels >= 0", name="limits_positive"),)

    scope: Mapped[str] = mapped_column(String(60), primary_key=True)
    cps: Mapped[float]
    max_channels: Mapped[int]
