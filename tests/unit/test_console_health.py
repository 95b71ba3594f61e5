"""The server's report as lines: what is unwell says what to do, and each since when. Pure."""

from datetime import timedelta

from console.health import Mood, Watch, lines
from tests.consoles import WELL
from tests.rows import NOW

ILL = WELL | {
    "asterisk": {"ready": False, "trouble": "refused"},
    "store": {"up": False, "spooled_facts": 3},
    "binds": {"main:1": {"state": "waiting", "trouble": None}},
    "why_idle": {"mekong": "outside the calling hours"},
}


def test_a_server_in_good_health() -> None:
    assert {line.mood for line in lines(WELL)} == {Mood.WELL}


def test_what_is_unwell_says_so_and_what_to_do() -> None:
    asterisk, database, spool, bind, campaign = lines(ILL)
    for line in (asterisk, database, bind):
        assert line.mood is Mood.TROUBLE
        assert line.advice
    assert asterisk.said == "refused"
    assert (spool.mood, spool.said) == (Mood.WAITING, "3")
    assert (bind.name, bind.said) == ("main:1", "waiting")
    assert (campaign.mood, campaign.said) == (Mood.WAITING, "outside the calling hours")


def test_each_line_keeps_the_time_since_it_stands_so() -> None:
    watch, later = Watch(), NOW + timedelta(minutes=5)
    watch.observe(WELL, NOW)
    asterisk, database, *_ = watch.observe(WELL | {"asterisk": ILL["asterisk"]}, later)
    assert (asterisk.since, database.since) == (later, NOW)
    assert watch.observe(WELL, later + timedelta(minutes=1))[1].since == NOW
