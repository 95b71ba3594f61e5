"""What the API answers: the shapes of the document, to which every answer is held. Pure.

Times are ISO 8601 in UTC, numbers E.164, or masked where the role does not dial.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from domain.dispositions import Disposition
from domain.sla import SlaState
from domain.states import (
    CallbackKind,
    CallbackState,
    CampaignKind,
    CampaignState,
    Purpose,
    TrialState,
)

Count = Annotated[int, Field(ge=0)]


class Shown(BaseModel):
    """Something a program is answered."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


class Campaign(Shown):
    """A campaign with its knobs."""

    id: int
    name: str
    state: CampaignState
    purpose: Purpose | None
    script_version: str
    cps: float
    max_channels: int
    ring_timeout_seconds: int
    max_attempts: int
    windows: list[str]
    call_on_holidays: bool
    by_phase: bool
    priority: int
    variants: dict[str, int]
    kind: CampaignKind
    text: str | None
    account: str | None
    source: str | None
    follows: str | None
    follow_after_hours: float | None
    retry: dict[str, Any]
    created_at: datetime
    started_at: datetime | None


class CampaignPage(Shown):
    """Campaigns, the oldest first; `next` is `after` of the next page, null where none follows."""

    items: list[Campaign]
    next: int | None


class Moved(Shown):
    """How a campaign stands now; `changed` is false where it stood so before."""

    name: str
    state: CampaignState
    changed: bool


class Counts(Shown):
    """Targets by state and by outcome, attempts by disposition (`open` for those in the air)."""

    targets: dict[str, Count]
    outcomes: dict[str, Count]
    attempts: dict[str, Count]


class TrialCallShown(Shown):
    """A test call; `keys` are those pressed, `disposition` is how it ended."""

    id: UUID
    msisdn: str
    script_version: str
    state: TrialState
    keys: str
    disposition: Disposition | None
    asked_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None


class CapsInForce(Shown):
    """The limits of one scope; where `is_set` is false they come from the settings."""

    cps: float
    channels: int
    is_set: bool


class Limits(Shown):
    """All limits, by scope: `global`, or `trunk:NAME`."""

    scopes: dict[str, CapsInForce]


class TargetShown(Shown):
    """The number in a campaign; `held_by` is why the gate sent it away the last time.

    `import_id` and `file_name` tell which file brought it; they are null where none did.
    """

    campaign: str
    state: str
    outcome: str | None
    attempts_made: Count
    not_before: datetime
    held_by: str | None
    province: str | None
    district: str | None
    list_no: int | None
    import_id: int | None
    file_name: str | None


class RegistrationShown(Shown):
    """A request for a visit; `late_since`: the last day of the phase, if it came after that."""

    state: str
    channel: str
    registered_at: datetime
    late_since: date | None


class CallbackPromised(Shown):
    """A call-back that the number was promised."""

    kind: CallbackKind
    state: CallbackState
    target_at: datetime
    promise_at: datetime


class Happened(Shown):
    """One thing that happened; `text` has a text's words, for who may read them."""

    at: datetime
    kind: str
    details: dict[str, str]
    text: str | None


class Number(Shown):
    """All that stands for a number, the newest first, and all that happened, the oldest first."""

    msisdn: str
    has_opted_out: bool
    targets: list[TargetShown]
    registrations: list[RegistrationShown]
    callbacks: list[CallbackPromised]
    timeline: list[Happened]


class CallbackWaiting(Shown):
    """A call-back still to be made."""

    id: int
    msisdn: str
    kind: CallbackKind
    state: CallbackState
    sla: SlaState
    requested_at: datetime
    target_at: datetime
    promise_at: datetime
    ready_at: datetime | None
    attempts_made: Count
    claimed_by: int | None


class CallbackPage(Shown):
    """Call-backs in the order they are served."""

    items: list[CallbackWaiting]
    next: int | None


class CallbackFigures(Shown):
    """How many call-backs stand where; those that agents hold are among those that wait."""

    waiting: Count
    by_sla: dict[SlaState, Count]
    held: Count
    broken_today: Count


class Point(Shown):
    """How many call-backs will be open then, and may be if no deadline is to be missed."""

    at: datetime
    open: Count
    allowed_by_target: Count
    allowed_by_promise: Count


class CallbackForecast(Shown):
    """What becomes of the queue if the agents on duty stay; `clears_at` is null for never."""

    clears_at: datetime | None
    misses_target: Count
    misses_promise: Count
    curve: list[Point]


class HealthPart(Shown):
    """One part of the server."""

    part: str
    name: str
    state: Literal["well", "waiting", "trouble"]
    said: str
    advice: str
    since: datetime | None


class Health(Shown):
    """How the server is; `calls` are live now."""

    ok: bool
    calls: Count
    parts: list[HealthPart]


class Document(Shown):
    """A description of this API, OpenAPI 3.1."""

    model_config = ConfigDict(extra="allow")


class Problem(Shown):
    """Why a request was not answered as it was meant (RFC 9457)."""

    type: Literal["about:blank"] = "about:blank"
    title: str
    status: int
    detail: str
