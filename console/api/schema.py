"""What programs send: one declaration checks each request and is in the document. Pure."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from domain.sla import SlaState
from domain.states import CampaignKind, Purpose

_LEFT_OUT: Any = Field(default_factory=lambda: None)
"""A field that may be missing, but is never null."""

# No signs but . _ and - (\w is ASCII in some programs' regular expressions, and names are not).
_NAME = r"^[^\x00-\x2f:-@\[-`{-\x7f][^\x00-,/:-@\[-\^`{-\x7f]{0,79}$"
LIMIT, MOST = 100, 500
_BIG = 2**63 - 1


class Given(BaseModel):
    """Something a program sends; a field that nobody knows is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def _digits(value: Any) -> Any:
    """A whole number of an address, written in the one plain way."""
    is_plain = isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20
    return int(value) if is_plain else value


def _flag(value: Any) -> Any:
    """Yes or no in an address."""
    return value == "true" if value in ("true", "false") else value


Flag = Annotated[bool, BeforeValidator(_flag)]
Id = Annotated[int, BeforeValidator(_digits), Field(ge=1, le=_BIG)]
CampaignRef = Annotated[str, Field(min_length=1, max_length=80, description="Its name or its id.")]
Scope = Annotated[str, Field(pattern=r"^(global|trunk:[A-Za-z][A-Za-z0-9_-]{0,31})$")]
Cps = Annotated[float, Field(ge=0.01, le=1000, description="Calls a second.")]
Channels = Annotated[int, Field(ge=1, le=20000, description="Calls at once.")]
ScriptVersion = Annotated[str, Field(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
Name = Annotated[
    str,
    Field(
        pattern=_NAME,
        description="Letters, digits, . _ and -, a letter or digit first, not digits alone.",
    ),
]
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


class OfBrake(Given):
    """The address of a brake."""

    brake: Id


class PageAsked(Given):
    """Where a list goes on."""

    after: Annotated[Id, Field(description="`next` of the page before.")] = _LEFT_OUT
    limit: Annotated[int, BeforeValidator(_digits), Field(ge=1, le=MOST)] = LIMIT


class ImportAsked(Given):
    """How a file is brought in; the words are those of `tstn audience import`."""

    extracted_at: Annotated[
        str,
        Field(
            min_length=1,
            max_length=40,
            description="When the figures were true, for rows that do not say so; without a zone "
            "it is local.",
            examples=["2026-03-26", "2026-03-26T08:30"],
        ),
    ] = _LEFT_OUT
    require_eligibility: Annotated[
        Flag, Field(description="Demand every rule: a column that is missing is an error.")
    ] = False
    skip_other_campaigns: Annotated[
        Flag, Field(description="Refuse numbers that another campaign has which is not at its end.")
    ] = False


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
    script_version: ScriptVersion = _LEFT_OUT
    cps: Cps = _LEFT_OUT
    max_channels: Channels = _LEFT_OUT
    ring_timeout_seconds: Annotated[int, Field(ge=5, le=120)] = _LEFT_OUT
    max_attempts: Annotated[int, Field(ge=1, le=20)] = _LEFT_OUT
    windows: Annotated[
        list[str], Field(min_length=1, max_length=50, examples=[["mon-fri 08:00-11:30"]])
    ] = _LEFT_OUT
    call_on_holidays: bool = _LEFT_OUT
    by_phase: Annotated[
        bool, Field(description="Only while the phase of a number's place is open.")
    ] = _LEFT_OUT
    priority: Annotated[int, Field(ge=1, le=9)] = _LEFT_OUT
    variants: Annotated[
        dict[ScriptVersion, Annotated[int, Field(ge=1, le=1000)]],
        Field(description="Weights by script version; none: all hear `script_version`."),
    ] = _LEFT_OUT
    follow_after_hours: Annotated[float, Field(ge=0, le=30 * 24)] = _LEFT_OUT
    retry: Annotated[dict[RetryWord, RetryRule], Field(description="By how the dial ended.")] = (
        _LEFT_OUT
    )


class NewCampaign(Tuning):
    """A campaign to make; what is left out has the default of `tstn campaign create`."""

    model_config = ConfigDict(json_schema_extra={})

    name: Name
    kind: CampaignKind = _LEFT_OUT
    text: Annotated[str, Field(min_length=1, max_length=2000)] = _LEFT_OUT
    account: Annotated[str, Field(pattern="^[!-~]{1,80}$", description="Of SMSCs.")] = _LEFT_OUT
    source: Annotated[str, Field(pattern="^[0-9]{1,8}$")] = _LEFT_OUT
    follows: Annotated[
        Name, Field(description="The text campaign of which it calls who did not answer.")
    ] = _LEFT_OUT


class Caps(Given):
    """The limits of one scope."""

    cps: Cps
    channels: Annotated[int, Field(ge=0, le=20000, description="Calls at once.")]


class Override(Given):
    """For how long a brake is not to be heeded."""

    minutes: Annotated[int, Field(ge=1, le=24 * 60)]


class Recycling(Given):
    """Which numbers that are done with: by their outcome, all places and times unless given."""

    outcomes: Annotated[
        list[
            Literal["no_answer", "busy", "rejected", "unreachable", "congestion",
                    "unknown", "unexpected_cause", "phase_closed", "attempts_spent", "do_not_call"]
        ],
        Field(min_length=1, max_length=20),
    ]  # fmt: skip
    province: Annotated[
        str,
        Field(
            pattern=r"^[^\x00-\x1f\x7f]{1,80}$",
            description="Its official code, or its name as the file had it.",
        ),
    ] = _LEFT_OUT
    ended_before: Annotated[
        str,
        Field(
            min_length=1,
            max_length=40,
            description="When their last call must have ended; without a zone it is local.",
            examples=["2026-03-26", "2026-03-26T08:30"],
        ),
    ] = _LEFT_OUT


class OfImport(OfCampaign):
    """The address of an import."""

    number: Id


class OfTrialCall(OfCampaign):
    """The address of a test call."""

    test_call: Annotated[UUID, Field(strict=False)]


class TrialCallAsked(Given):
    """One's own number, in any form, and the script; left out it is the campaign's."""

    msisdn: Annotated[str, Field(min_length=1, max_length=40, examples=["+84901234567"])]
    script_version: ScriptVersion = _LEFT_OUT


class NumberAsked(Given):
    """The number to look up, in any form; it is not in the address, since addresses are kept."""

    msisdn: Annotated[str, Field(min_length=1, max_length=40, examples=["+84901234567"])]
