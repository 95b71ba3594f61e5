"""The judge of killed containers: what is lost and what is dialled twice is found."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any, cast

import pytest

from lab.carrier import CarrierEvent
from lab.containers.kills_verdict import MUST_COUNT, judge_health, judge_kills
from lab.demo_summary import Summary
from lab.presence import AFTER_SECONDS, BEFORE_SECONDS, Presence

COUNT = MUST_COUNT
AT = 1000.0


def number(index: int) -> str:
    return f"09000000{index:02d}"


def events() -> list[CarrierEvent]:
    return [
        event
        for index in range(COUNT)
        for event in (
            CarrierEvent("invite", AT + index, number(index), f"call-{index}"),
            CarrierEvent("key", AT + index + 10, number(index), f"call-{index}", "1"),
        )
    ]


def summary() -> dict[str, Any]:
    text: dict[str, Any] = {"registrations": 1, "notes": (), "opted_out": False}
    text |= {"answers": ("ok",), "replies": ("ok",)}
    return {
        "finished": True,
        "seconds": 100.0,
        "numbers": [
            {
                "msisdn": f"+84{number(index)[1:]}",
                "demanded": {"registrations": 1},
                "seen": {"registrations": 1},
            }
            for index in range(COUNT)
        ],
        "texts": {"texters": [{"name": "registers", "demanded": text, "seen": dict(text)}]},
    }


def problems(
    change: Callable[[dict[str, Any]], object] = lambda _: None,
    presence: Presence | None = None,
    more: tuple[CarrierEvent, ...] = (),
) -> tuple[str, ...]:
    changed = deepcopy(summary())
    change(changed)
    there = presence or Presence(listened=[(AT, AT + 200)])
    return judge_kills(cast(Summary, changed), [*events(), *more], there).problems


def test_all_is_well() -> None:
    assert problems() == ()


def test_a_second_dial_is_found() -> None:
    again = CarrierEvent("invite", AT + 90, number(3), "call-again")
    assert problems(more=(again,)) == (f"{number(3)} was dialled 2 times",)


def lose_key_5(changed: dict[str, Any]) -> None:
    changed["numbers"][5]["seen"]["registrations"] = 0


def test_a_lost_key_is_found() -> None:
    assert problems(lose_key_5) == (f"key 1 of {number(5)} is lost",)


@pytest.mark.parametrize(
    ("presence", "is_lost"),
    [
        (Presence(listened=[(AT, AT + 15 + AFTER_SECONDS)]), True),
        (Presence(listened=[(AT, AT + 15), (AT + 15.1, AT + 200)]), False),
        (Presence(listened=[(AT + 15 - BEFORE_SECONDS / 2, AT + 200)]), False),
        (Presence(listened=[(AT, AT + 200)], asterisk_killed=[AT + 4.9]), True),
        (Presence(listened=[(AT, AT + 200)], asterisk_killed=[AT + 5.1]), False),
        (Presence(listened=[(AT, AT + 200)], asterisk_killed=[AT + 15.5]), False),
        (Presence(listened=[(AT, AT + 200)], asterisk_killed=[AT + 16]), True),
    ],
)
def test_a_key_counts_where_somebody_was_there_to_take_it(
    presence: Presence, is_lost: bool
) -> None:
    found = problems(lose_key_5, presence)
    assert (f"key 1 of {number(5)} is lost" in found) is is_lost


def invent(changed: dict[str, Any]) -> None:
    changed["numbers"][2]["seen"]["registrations"] = 2


def lose_text(changed: dict[str, Any]) -> None:
    changed["texts"]["texters"][0]["seen"]["registrations"] = 0


def lose_reply(changed: dict[str, Any]) -> None:
    changed["texts"]["texters"][0]["seen"]["replies"] = ()


def lose_answer(changed: dict[str, Any]) -> None:
    changed["texts"]["texters"][0]["seen"].update(answers=(), replies=())


def answer_otherwise(changed: dict[str, Any]) -> None:
    changed["texts"]["texters"][0]["seen"].update(answers=("syntax",), replies=("syntax",))


def repeat_reply(changed: dict[str, Any]) -> None:
    changed["texts"]["texters"][0]["seen"]["replies"] = ("ok", "ok")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda changed: changed.update(finished=False), "was not finished"),
        (invent, "without having asked"),
        (lose_text, "registers: {"),
        (lose_reply, "registers: never read ok"),
        (lose_answer, "registers: never read 1 answers more"),
    ],
)
def test_what_else_is_wrong_is_found(
    change: Callable[[dict[str, Any]], object], words: str
) -> None:
    (found,) = problems(change)
    assert words in found


def test_an_answer_may_hang_on_a_call_that_was_lost() -> None:
    assert problems(answer_otherwise) == ()


def test_a_reply_may_be_read_twice() -> None:
    assert problems(repeat_reply) == ()


def test_too_few_keys_prove_nothing() -> None:
    (found,) = problems(presence=Presence(listened=[(AT, AT + 20)]))
    assert "prove something" in found


BOUND = {"state": "bound", "trouble": None}
WELL = {"ok": True, "binds": {"lab:1": BOUND}, "store": {"up": True, "spooled_facts": 0}}


@pytest.mark.parametrize(
    ("report", "words"),
    [
        ({}, "not well"),
        (WELL | {"ok": False}, "not well"),
        (WELL | {"binds": {"lab:1": {"state": "waiting", "trouble": "refused"}}}, "lab:1 is not"),
        (WELL | {"store": {"up": True, "spooled_facts": 2}}, "2 facts"),
    ],
)
def test_all_that_was_killed_is_there_again_at_the_end(report: dict[str, Any], words: str) -> None:
    assert list(judge_health(WELL)) == []
    (found,) = judge_health(report)
    assert words in found
