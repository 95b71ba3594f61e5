"""What is sent and what is answered: one declaration checks requests and is in the document. Pure.

`Given` is what a program sends: a field that nobody knows is refused. `Shown` is what it gets.
Times are ISO 8601 in UTC, numbers E.164, or masked where the role does not dial.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from domain.sla import SlaState
from domain.states import CallbackKind, CallbackState, CampaignState, ImportState, Purpose

_LEFT_OUT: Any = Field(default_factory=lambda: None)
"""A field that may be missing, but is never null."""

# No signs but . _ and - (\w is ASCII in some programs' regular expressions, and names are not).
_NAME = r"^[^\x00-\x2f:-@\[-`{-\x7f][^\x00-,/:-@\[-\^`{-\x7f]{0,79}$"
LIMIT, MOST = 100, 500
_BIG = 2**63 - 1


class Given(BaseModel):
    """Something a program sends."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Shown(BaseModel):
    """Something a program is answered."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


def _digits(value: Any) -> Any:
    """A whole number of an address, written in the one plain way."""
    is_plain = isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20
    return int(value) if is_plain else value


Id = Annotated[int, BeforeValidator(_digits), Field(ge=1, le=_BIG)]
Count = Annotated[int, Field(ge=0)]
CampaignRef = Annotated[str, Field(min_length=1, max_length=80, description="Its name or its id.")]
Scope = Annotated[str, Field(pattern=r"^(global|trunk:[A-Za-z][A-Za-z0-9_-]{0,31})$")]
Cps = Annotated[float, Field(ge=0.01, le=1000, description="Calls a second.")]
Channels = Annotated[int, Field(ge=1, le=20000, description="Calls at once.")]
RetryWord = Literal[
    "no_answer", "busy", "rejected", "invalid_number", "unreachable", "congestion",
    "unknown", "unexpected_cause",
]  # fmt: skip


class OfCampaign(Given):
    """The address of a campaign."""

    campaign: CampaignRef


class OfScope(Given):
    """The address of limits."""

    scope: Scope


class PageAsked(Given):
    """Where a list goes on."""

    after: Annotated[Id, Field(description="`next` of the page before.")] = _LEFT_OUT
    limit: Annotated[int, BeforeValidator(_digits), Field(ge=1, le=MOST)] = LIMIT


class CallbacksAsked(PageAsked):
    """Where the queue goes on, and which of it."""

    sla: Annotated[SlaState, Field(strict=False)] = _LEFT_OUT


class RowsAsked(Given):
    """Where an export goes on."""

    after: Annotated[Id, Field(description="The id of the last row that came.")] = _LEFT_OUT


class AttemptsAsked(Given):
    """Where an export of attempts goes on."""

    after: Annotated[
        str,
        Field(
            pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
            description="`attempt_id` of the last row that came.",
        ),
    ] = _LEFT_OUT


class RetryRule(Given):
    """How often, and how many seconds after the end of a dial, a number is dialled again."""

    max: Annotated[int, Field(ge=0, le=20)] = _LEFT_OUT
    delay_seconds: Annotated[float, Field(ge=1, le=30 * 24 * 3600)] = _LEFT_OUT
    factor: Annotated[float, Field(ge=1, le=10)] = _LEFT_OUT


class Tuning(Given):
    """The knobs to change; each one that is left out stays as it is."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    purpose: Purpose = _LEFT_OUT
    script_version: Annotated[str, Field(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)] = (
        _LEFT_OUT
    )
    cps: Cps = _LEFT_OUT
    max_channels: Channels = _LEFT_OUT
    ring_timeout_seconds: Annotated[int, Field(ge=5, le=120)] = _LEFT_OUT
    max_attempts: Annotated[int, Field(ge=1, le=20)] = _LEFT_OUT
    windows: Annotated[
        list[str], Field(min_length=1, max_length=50, examples=[["mon-fri 08:00-11:30"]])
    ] = _LEFT_OUT
    call_on_holidays: bool = _LEFT_OUT
    retry: Annotated[dict[RetryWord, RetryRule], Field(description="By how the dial ended.")] = (
        _LEFT_OUT
    )


class NewCampaign(Tuning):
    """A campaign to make; what is left out has the default of `tstn campaign create`."""

    model_config = ConfigDict(json_schema_extra={})

    name: Annotated[
        str,
        Field(
            pattern=_NAME,
            description="Letters, digits, . _ and -, a letter or digit first, not digits alone.",
        ),
    ]


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


class Caps(Given):
    """The limits of one scope."""

    cps: Cps
    channels: Annotated[int, Field(ge=0, le=20000, description="Calls at once.")]


class CapsInForce(Shown):
    """The limits of one scope; where `is_set` is false they come from the settings."""

    cps: float
    channels: int
    is_set: bool


class Limits(Shown):
    """All limits, by scope: `global`, or `trunk:NAME`."""

    scopes: dict[str, CapsInForce]


class Imported(Shown):
    """What came of a file: how many numbers were added, how many rows refused for which reason."""

    campaign: str
    file_name: str
    added: Count
    rejected: Count
    reasons: dict[str, Count]


class Import(Shown):
    """A file of numbers that was brought into a campaign; `counts` has its rows by verdict."""

    id: int
    file_name: str
    sha256: str
    extracted_at: datetime | None
    imported_at: datetime
    imported_by: str
    counts: dict[str, Any]
    state: ImportState


class ImportPage(Shown):
    """Imports, the oldest first."""

    items: list[Import]
    next: int | None


class NumberAsked(Given):
    """The number to look up, in any form; it is not in the address, since addresses are kept."""

    msisdn: Annotated[str, Field(min_length=1, max_length=40, examples=["+84901234567"])]


class TargetShown(Shown):
    """The number in a campaign; `held_by` is why the gate sent it away the last time."""

    campaign: str
    state: str
    outcome: str | None
    attempts_made: Count
    not_before: datetime
    held_by: str | None
    province: str | None
    district: str | None
    list_no: int | None


class RegistrationShown(Shown):
    """A request for a visit."""

    state: str
    channel: str
    registered_at: datetime


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
