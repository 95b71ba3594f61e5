"""The history of a number for people: details worth reading, words only for who may. Pure."""

from console.timeline import Group, lines
from tests.rows import NOW

ENTRIES = [
    {"at": NOW, "kind": "attempt_dialled", "campaign_id": 1, "attempt_id": "x", "trunk": "carrier"},
    {"at": NOW, "kind": "key_pressed", "key": "1", "script_state": "inviting"},
    {"at": NOW, "kind": "registered", "channel": "ivr", "source_id": "y"},
    {"at": NOW, "kind": "text_received", "text": "TSTN 12 ap 3", "verdict": "register"},
    {"at": NOW, "kind": "text_delivered", "error": "000", "text_id": 3},
]


def test_ids_and_what_says_nothing_are_left_out() -> None:
    details = [line.details for line in lines(ENTRIES, whole=True)]
    assert details == [
        (("trunk", "carrier"),),
        (("key", "1"),),
        (("channel", "ivr"),),
        (("understood as", "register"),),
        (),
    ]


def test_the_words_of_a_text_are_for_who_may_see_them() -> None:
    assert [line.text for line in lines(ENTRIES, whole=True)][3] == "TSTN 12 ap 3"
    masked = lines(ENTRIES, whole=False)
    assert [line.text for line in masked] == [None] * 5
    assert [line.is_hidden for line in masked] == [False, False, False, True, False]


def test_one_group_alone() -> None:
    counts = {group: len(lines(ENTRIES, whole=True, group=group)) for group in Group}
    assert counts == {Group.CALLS: 2, Group.REQUESTS: 1, Group.TEXTS: 2}


def test_what_people_wrote_is_for_who_may_see_whole_numbers() -> None:
    told = {"at": NOW, "kind": "callback_released", "note": "chị Sáu", "reason": "gọi 0901234567"}
    whole, masked = (lines([told], whole=may)[0].details for may in (True, False))
    assert whole == (("reason", "gọi 0901234567"), ("note", "chị Sáu"))
    assert masked == ()
