"""One campaign with two numbers of every behaviour, by each driver, listened to in full. I/O."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone

import pytest

from domain.msisdn import national
from ivr.prompts import PROMPT_NAMES
from lab.behaviours import BEHAVIOURS, Behaviour, Timing, numbers_for
from lab.carrier import CarrierEvent
from lab.listen import Heard, hear, read_samples
from lab.network import CHECKOUT
from tests.acceptance.rehearsal import CAMPAIGN, NO_RETRIES, Rehearsal, Row, json_lines

A_BEHAVIOUR = 2
# Keys come while the offer speaks, in its second second after the whole notice.
TIMING = Timing(ring_seconds=1.0, think_seconds=9.2, barge_seconds=2.0, leave_seconds=3.0)
RING_TIMEOUT_SECONDS = 6
KEY_LATE_SECONDS = 1.5
VIETNAM = timezone(timedelta(hours=7))

INVITATION, MENU = ("notice", "offer"), ("offer", "menu_replay", "menu_agent")
HEARD = {
    "press-1": (*INVITATION, "after_1"),
    "press-2-then-1": (*INVITATION, *INVITATION, "after_1"),
    "press-3": (*INVITATION, "no_agent"),
    "silent": ("notice", *MENU, *MENU, "close"),
    "wrong-key": (*INVITATION, *MENU, "close"),
    "wrong-key-then-1": (*INVITATION, "offer", "after_1"),
    "barge-1": ("notice", "after_1"),
    "hang-up-early": ("notice",),
    "press-1-and-leave": INVITATION,
}
CAUSES = {  # Q.850, SIP
    "busy": (17, 486),
    "no-answer": (19, 480),
    "switched-off": (19, 480),
    "invalid": (1, 404),
    "congestion": (34, 503),
    "rejected": (21, 603),
}
STATES = {  # of the script, at each key
    "press-1": ["inviting"],
    "press-2-then-1": ["inviting", "inviting"],
    "press-3": ["inviting"],
    "wrong-key": ["inviting"],
    "wrong-key-then-1": ["inviting", "reminding"],
    "barge-1": ["inviting"],
    "press-1-and-leave": ["inviting"],
}


@dataclass(frozen=True)
class Outcome:
    """All that is known of a campaign that has run."""

    rehearsal: Rehearsal
    attempts: dict[str, list[Row]]
    registrations: list[Row]
    callbacks: list[Row]
    carrier: list[CarrierEvent]

    def attempt(self, number: str) -> Row:
        """The only attempt there is."""
        [attempt] = self.attempts[number]
        return attempt

    def of(self, number: str) -> tuple[list[Row], list[Row]]:
        """Its registrations and its call-backs."""
        mine = ([row for row in rows if row["msisdn"] == number] for rows in self._brought)
        registrations, callbacks = mine
        return registrations, callbacks

    @property
    def _brought(self) -> tuple[list[Row], list[Row]]:
        return self.registrations, self.callbacks

    def seen(self, number: str, event: str) -> list[CarrierEvent]:
        """What the carrier logged of it."""
        dialled = national(number)
        return [e for e in self.carrier if e.number == dialled and e.event == event]


@pytest.fixture(scope="module", params=["ari", "agi"])
def outcome(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Outcome]:
    directory = tmp_path_factory.mktemp("behaviours")
    sections = {"ivr": {"silence_seconds": 1, "driver": request.param}}
    with Rehearsal(directory, timing=TIMING, recording=True, sections=sections) as rehearsal:
        # The longest calls first.
        longest_first = sorted(BEHAVIOURS, key=lambda each: each.name != "silent")
        numbers = [n for each in longest_first for n in numbers_for(each.name, A_BEHAVIOUR)]
        rehearsal.load(numbers, cps=3, ring_timeout_seconds=RING_TIMEOUT_SECONDS, **NO_RETRIES)
        server = rehearsal.serve()
        rehearsal.until_finished(120)
        yield Outcome(
            rehearsal,
            rehearsal.attempts(),
            rehearsal.export("registrations"),
            rehearsal.export("callbacks"),
            rehearsal.carrier.events(),
        )
        server.terminate()
        assert server.exit_status(20) == 0


@pytest.fixture(params=BEHAVIOURS, ids=lambda each: each.name)
def behaviour(request: pytest.FixtureRequest) -> Behaviour:
    each: Behaviour = request.param
    return each


@pytest.fixture(params=range(A_BEHAVIOUR), ids=["first", "second"])
def number(behaviour: Behaviour, request: pytest.FixtureRequest) -> str:
    place: int = request.param
    return numbers_for(behaviour.name, A_BEHAVIOUR)[place]


def test_it_is_dialled_once_and_its_end_is_known(
    outcome: Outcome, behaviour: Behaviour, number: str
) -> None:
    attempt = outcome.attempt(number)
    assert attempt["disposition"] == behaviour.disposition
    causes = (attempt["hangup_cause"], attempt["tech_cause"])
    assert causes == CAUSES.get(behaviour.name, (16, None))
    assert len(outcome.seen(number, "invite")) == 1
    steps = [attempt[f"{step}_at"] for step in ("started", "ringing", "answered", "ended")]
    rings = behaviour.answers or behaviour.name == "no-answer"
    assert [step is not None for step in steps] == [True, rings, behaviour.answers, True]
    times = [moment(step) for step in steps if step]
    assert times == sorted(times)


def test_its_keys_are_kept_with_their_times(
    outcome: Outcome, behaviour: Behaviour, number: str
) -> None:
    keys = outcome.attempt(number)["keys"]
    sent = outcome.seen(number, "key")
    assert "".join(key["key"] for key in keys) == behaviour.keys
    assert [key["script_state"] for key in keys] == STATES.get(behaviour.name, [])
    assert len(sent) == len(keys)
    for key, at_carrier in zip(keys, sent, strict=True):
        assert abs(moment(key["at"]).timestamp() - at_carrier.at) < KEY_LATE_SECONDS


def test_key_1_is_a_registration_with_its_call_back(
    outcome: Outcome, behaviour: Behaviour, number: str
) -> None:
    registrations, callbacks = outcome.of(number)
    if not behaviour.registration:
        assert registrations == []
        assert [callback["kind"] for callback in callbacks] == ["advice"] * behaviour.advice
        return
    attempt = outcome.attempt(number)
    [registration], [callback] = registrations, callbacks
    assert registration["registered_at"] == attempt["keys"][-1]["at"]
    assert registration["source_id"] == attempt["attempt_id"]
    assert (registration["channel"], registration["state"]) == ("ivr", "open")
    assert registration["evidence"] == {"key": "1", "script_version": "vi-1"}
    assert (callback["kind"], callback["state"]) == ("confirm", "open")
    assert callback["registration_id"] == registration["registration_id"]
    assert callback["requested_at"] == registration["registered_at"]


def test_a_call_back_is_due_at_nine_of_the_next_day_and_promised_in_48_hours(
    outcome: Outcome,
) -> None:
    assert len(outcome.callbacks) == A_BEHAVIOUR * sum(
        b.registration or b.advice for b in BEHAVIOURS
    )
    for callback in outcome.callbacks:
        asked = moment(callback["requested_at"])
        next_day = asked.astimezone(VIETNAM).date() + timedelta(days=1)
        assert moment(callback["target_at"]) == datetime.combine(next_day, time(21), VIETNAM)
        assert moment(callback["promise_at"]) == asked + timedelta(hours=48)


def test_the_subscriber_hears_the_right_prompts_in_their_order(
    outcome: Outcome, behaviour: Behaviour, number: str
) -> None:
    recordings = outcome.rehearsal.carrier.recordings(national(number))
    if not behaviour.answers:
        assert recordings == []
        return
    [recording] = recordings
    heard = hear(read_samples(recording), PROMPTS)
    assert tuple(each.name for each in heard) == HEARD[behaviour.name]
    if not behaviour.leaves:
        assert whole(heard[-1]), "the last prompt is cut off"


def test_the_timeline_of_a_registrant_is_in_order(outcome: Outcome) -> None:
    number = numbers_for("press-1")[0]
    timeline = json_lines(outcome.rehearsal.run("timeline", number, "--json").stdout)
    assert [entry["kind"] for entry in timeline] == [
        "attempt_dialled",
        "attempt_ringing",
        "attempt_answered",
        "key_pressed",
        "registered",
        "callback_promised",
        "attempt_ended",
    ]
    times = [moment(entry["at"]) for entry in timeline]
    assert times == sorted(times)
    readable = outcome.rehearsal.run("timeline", number).stdout
    assert len(readable.splitlines()) == len(timeline) + 1


def test_nothing_is_left_behind(outcome: Outcome) -> None:
    shown = outcome.rehearsal.counts()
    assert shown["targets"] == {"done": A_BEHAVIOUR * len(BEHAVIOURS)}
    assert "open" not in shown["attempts"]
    outcome.rehearsal.until_no_channel()
    assert "Traceback" not in outcome.rehearsal.log()
    assert CAMPAIGN in outcome.rehearsal.log()


PROMPTS = {
    name: read_samples(CHECKOUT / "var" / "prompts" / "vi-1" / f"{name}.wav")
    for name in PROMPT_NAMES
}


def whole(heard: Heard) -> bool:
    """Heard to its end, but for the pause there."""
    return heard.heard_seconds > len(PROMPTS[heard.name]) / 8000 - 1.0


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
