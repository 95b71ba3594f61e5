"""The demo's texters ask for what the keywords make of their words, and text when they should."""

import pytest

from lab.behaviours import behaviour_of
from lab.demo_audience import list_of, make_audience
from lab.demo_texters import Diary, Step, Texter, Way, invited_numbers, make_texters
from sms import keywords
from sms.keywords import Verdict
from sms.replies import DEFAULTS, ReplyKind, is_ours

NUMBERS = make_audience().numbers
TEXTERS = make_texters(NUMBERS)
FITTING = {
    Verdict.REGISTER: {ReplyKind.OK, ReplyKind.ALREADY, ReplyKind.INELIGIBLE},
    Verdict.OPT_OUT: {ReplyKind.OPTED_OUT},
    Verdict.CANCEL: {ReplyKind.CANCELLED, ReplyKind.NONE_STANDING},
    Verdict.HELP: {ReplyKind.HELP},
    Verdict.STATUS: {ReplyKind.STATUS_OPEN, ReplyKind.NONE_STANDING},
    Verdict.NEAR_MISS: {ReplyKind.SYNTAX},
    Verdict.UNKNOWN: {ReplyKind.SYNTAX},
}
STEPS = [(texter, step) for texter in TEXTERS for step in texter.steps]


def texter(name: str) -> Texter:
    return next(each for each in TEXTERS if each.name == name)


def named(name: str) -> list[Texter]:
    return [each for each in TEXTERS if each.name == name]


@pytest.mark.parametrize(("who", "step"), STEPS, ids=lambda each: getattr(each, "name", ""))
def test_the_demand_fits_what_the_words_mean(who: Texter, step: Step) -> None:
    reading = keywords.read(step.words)
    if step.reply is not None:
        assert step.reply in FITTING[reading.verdict]
        assert step.note == reading.note
    else:
        is_echo = is_ours(step.words, {str(kind): words for kind, words in DEFAULTS.items()})
        assert is_echo or reading.verdict is Verdict.EMPTY or not who.is_subscriber


def test_about_70_senders_of_all_kinds() -> None:
    assert len({each.sender for each in TEXTERS}) == len(TEXTERS) >= 60
    # Nobody asks for the text to whom the agents called in vain.
    assert {step.reply for _, step in STEPS} == {*ReplyKind, None} - {ReplyKind.UNREACHABLE}
    assert {step.way for _, step in STEPS} == set(Way)
    assert sum(each.sender in NUMBERS for each in TEXTERS) == sum(e.is_called for e in TEXTERS) > 9


def test_who_is_called_has_a_number_of_the_campaign_and_the_others_have_not() -> None:
    assert all(each.is_called == (each.sender in NUMBERS) for each in TEXTERS)
    [both] = named("key 1, then TSTN")
    assert both.presses_1
    assert behaviour_of(both.sender).keys == "1"
    assert not texter("registers").presses_1


def test_the_second_campaign_has_all_but_strangers_and_the_called() -> None:
    invited = invited_numbers(TEXTERS)
    outside = [each for each in TEXTERS if each.sender not in {*invited, *NUMBERS}]
    assert {each.name for each in outside} == {"not in the audience", "a short code", "a word"}
    assert list_of(invited).count("\n") == len(invited) + 1


def test_the_same_each_time() -> None:
    assert make_texters(NUMBERS) == TEXTERS


def test_a_diary_gives_each_text_once_and_in_order() -> None:
    diary, given = Diary(TEXTERS), []
    for second in range(120):
        given += list(diary.due(float(second), NUMBERS))
    assert diary.done
    assert sorted(given, key=lambda one: TEXTERS.index(one[0])) == STEPS


def test_who_is_called_waits_for_the_end_of_the_call() -> None:
    called = Texter("t", "+84900000070", (Step("TSTN", ReplyKind.OK),), is_called=True)
    diary = Diary([called])
    assert list(diary.due(100, [])) == []
    assert not diary.done
    assert list(diary.due(101, [called.sender])) == [(called, called.steps[0])]
    assert diary.done


def test_the_next_text_leaves_time_for_the_answer() -> None:
    steps = (Step("TSTN", ReplyKind.OK), Step("HUY", ReplyKind.CANCELLED))
    diary = Diary([Texter("t", "+84910000001", steps)])
    assert [step.words for _, step in diary.due(10, [])] == ["TSTN"]
    assert list(diary.due(11, [])) == []
    assert [step.words for _, step in diary.due(20, [])] == ["HUY"]
