"""What the API answers of a campaign's control: why it waits, what knobs come to, brakes. Pure."""

from datetime import date, datetime
from typing import Any, Literal, TypeVar

from console.api.answers import Count, Shown
from domain.states import BrakeCause, CampaignState, Stand

S = TypeVar("S", bound=Shown)


class Waits(Shown):
    """Targets, each in one of these: due, waiting for a dial, held by the gate, in a call, done.

    `held` and `done` are by reason and outcome; `held_until` is when the first of those held is
    judged again.
    """

    due: Count
    retry: Count
    held: dict[str, Count]
    held_until: dict[str, datetime]
    in_the_air: Count
    done: dict[str, Count]
    next_due: datetime | None


class WhyNot(Shown):
    """Why a campaign is not dialling: what keeps all of it, what the server says, its numbers."""

    state: CampaignState
    reason: str | None
    words: str | None
    until: datetime | None
    server: str | None
    targets: Waits


class RetriesDue(Shown):
    """How many retries fall due in an hour."""

    at: datetime
    count: Count


class ScriptVersionFigures(Shown):
    """What came of a script version, in numbers; the true share who press 1 lies within 95 %
    between `key_1_low` and `key_1_high`, which are null while nobody has answered."""

    version: str
    called: Count
    answered: Count
    keys: dict[str, Count]
    key_1_rate: float | None
    key_1_low: float | None
    key_1_high: float | None


class Figures(Shown):
    """What a campaign has come to. `audience`, `called` and `done` are numbers; `answered` and
    `keys` calls, `attempts` all calls by disposition; `asr` is null where no call has ended."""

    campaign: str
    counted_at: datetime
    audience: Count
    called: Count
    done: Count
    answered: Count
    keys: dict[str, Count]
    registered: Count
    confirmed: Count
    asr: float | None
    attempts: dict[str, Count]
    retries: list[RetriesDue]
    versions: list[ScriptVersionFigures]


class TargetWaiting(Shown):
    """A number in a campaign; `file_name` of the import that brought it, null where none did."""

    state: str
    outcome: str | None
    attempts_made: Count
    not_before: datetime
    held_by: str | None
    province_code: str | None
    district_code: str | None
    import_id: int | None
    file_name: str | None


class PhaseShown(Shown):
    """When a place is invited; `closes_on` null is an open end."""

    opens_on: date
    closes_on: date | None


class Dial(Shown):
    """A call to the number; `disposition` is null while it goes on."""

    campaign_id: int
    started_at: datetime
    disposition: str | None


class WhyNotNumber(Shown):
    """How one number stands, and all that it is judged by."""

    msisdn: str
    stand: Stand
    reason: str | None
    until: datetime | None
    target: TargetWaiting | None
    has_opted_out: bool
    do_not_call: list[str]
    registered_at: datetime | None
    phase: PhaseShown | None
    dials: list[Dial]


class Effect(Shown):
    """What knobs come to, if nothing else changes; `finishes_at` is null for not within a year.

    `limited_by`: what allows no more calls a second. `late_by_…`: call-backs that would come too
    late. `measured_calls`: what the rates are measured on, 0 for a guess.
    """

    cps: float
    limited_by: Literal["cps", "channels", "shared_cps", "shared_channels"]
    channels: float
    dials: Count
    finishes_at: datetime | None
    callbacks_a_day: float
    agents_a_day: float
    late_by_target: Count
    late_by_promise: Count
    measured_calls: Count


class Effects(Shown):
    """The knobs as they are, and as they would be."""

    before: Effect
    after: Effect


class Reverted(Shown):
    """The tuning that was undone: what stood, and what stands again."""

    name: str
    before: dict[str, Any]
    after: dict[str, Any]


class RecyclingLook(Shown):
    """Numbers that would be dialled once more, by outcome.

    Those left out are stopped for good; those spent were dialled as often as the campaign allows;
    those over are of places whose phase is over.
    """

    recycled: dict[str, Count]
    left_out: Count
    spent: Count
    over: Count


class Recycled(Shown):
    """Numbers that are to be dialled once more, by their outcome before."""

    recycled: dict[str, Count]


class Brake(Shown):
    """What slows a campaign, or a trunk, by itself: to `factor` of its rate."""

    id: int
    scope: str
    campaign_id: int | None
    trunk: str | None
    node: str | None
    cause: BrakeCause
    factor: float
    reason: str
    since: datetime
    until: datetime | None
    is_probing: bool
    overridden_by: str | None
    override_until: datetime | None


class Brakes(Shown):
    """The brakes that are drawn."""

    items: list[Brake]
