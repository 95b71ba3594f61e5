"""What the desk offers: moments to call later, keys of outcomes, places without their marks."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from console import address_form, later
from console.agent_words import read_words
from console.outcomes import choices
from console.places import read_places
from domain.addresses import Scheme
from domain.calendar import Calendar, Window
from domain.callbacks import Next, Outcome, outcomes_of
from domain.errors import ConfigError
from domain.states import CallbackKind
from lab.network import CHECKOUT
from tests.rows import NOW

HOURS = Calendar([Window.parse("07:00-21:00")], call_on_holidays=True)
PLACES = read_places(CHECKOUT / "config" / "districts-phase1.csv")
TODAY = date(2021, 4, 1)
WHOLE = address_form.empty() | {
    "province": "Vĩnh Long",
    "district": "Vũng Liêm",
    "ward": "Trung Hiếu",
    "hamlet": "ấp 3",
    "house_number": "12",
    "contact_name": "Nguyễn Thị Sáu",
}


def test_later_is_every_half_hour_that_is_still_to_come_inside_the_hours() -> None:
    days = later.days(NOW + timedelta(minutes=1), NOW + timedelta(hours=48), HOURS)
    assert [day.day.day for day in days] == [1, 2, 3, 4]
    assert [moment.hour for moment in days[0].moments[:2]] == ["10:30", "11:00"]
    assert days[0].moments[-1].hour == "20:30"
    assert (days[1].moments[0].hour, len(days[1].moments)) == ("07:00", 28)


def test_a_full_half_hour_that_is_now_is_past() -> None:
    [first, *_] = later.days(NOW, NOW, HOURS)[0].moments
    assert first.hour == "10:30"


def test_later_tells_what_breaks_the_promise() -> None:
    promise = NOW + timedelta(hours=2)
    moments = later.days(NOW, promise, HOURS)[0].moments
    assert [moment.at for moment in moments if not moment.is_past_promise][-1] < promise
    assert next(moment.at for moment in moments if moment.is_past_promise) == promise


@pytest.mark.parametrize("value", ["", "soon", "2021-04-02T02:30:00"])
def test_a_moment_without_its_zone_is_none(value: str) -> None:
    assert later.read(value) is None


def test_a_moment_comes_back_as_it_went() -> None:
    moment = later.days(NOW, NOW, HOURS)[0].moments[0]
    assert later.read(moment.value) == moment.at == datetime(2021, 4, 1, 3, 30, tzinfo=UTC)


@pytest.mark.parametrize("kind", CallbackKind)
def test_every_outcome_is_offered_once_and_nine_have_keys(kind: CallbackKind) -> None:
    offered = choices(kind)
    assert {choice.outcome for choice in offered} == set(outcomes_of(kind))
    assert len(offered) == len(outcomes_of(kind))
    assert [choice.key for choice in offered][:9] == list("123456789")
    assert [choice.outcome for choice in offered[1:4]] == [
        Outcome.NO_ANSWER,
        Outcome.BUSY,
        Outcome.SWITCHED_OFF,
    ]
    assert all(choice.leads is Next.ENDED for choice in offered[5:])


@pytest.mark.parametrize("typed", ["vinh long", "VĨNH LONG", "Vinh  Long"])
def test_a_province_is_spelt_as_the_list_has_it(typed: str) -> None:
    assert PLACES.province(typed) == "Vĩnh Long"


def test_the_unit_tells_the_two_cao_lanh_apart() -> None:
    assert PLACES.district("Đồng Tháp", "cao lanh") == "cao lanh"
    assert PLACES.district("Đồng Tháp", "thanh pho cao lanh") == "Thành phố Cao Lãnh"
    assert PLACES.district("An Giang", "chau doc") == "Thành phố Châu Đốc"


def test_a_whole_address_is_read() -> None:
    form = address_form.read(WHOLE | {"contact_msisdn": "0901 234 567"}, TODAY, PLACES)
    assert form.wrong == {}
    assert form.address is not None
    assert (form.address.scheme, form.address.contact_msisdn) == (Scheme.VN_2021, "+84901234567")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"province": ""}, "province"),
        ({"district": ""}, "district"),
        ({"scheme": "vn-2025"}, "district"),
        ({"ward": ""}, "ward"),
        ({"hamlet": ""}, "hamlet"),
        ({"house_number": ""}, "landmark"),
        ({"contact_msisdn": "12"}, "contact_msisdn"),
        ({"latitude": "10,25"}, "latitude"),
        ({"latitude": "bắc", "longitude": "106"}, "latitude"),
        ({"latitude": "91", "longitude": "106"}, "latitude"),
        ({"note": "x" * 201}, "note"),
        ({"day": "2021-03-31", "slot": "morning"}, "day"),
        ({"slot": "morning"}, "day"),
        ({"day": "2021-04-02"}, "slot"),
    ],
)
def test_each_fault_stands_at_its_field(given: dict[str, str], field: str) -> None:
    form = address_form.read(WHOLE | given, TODAY, PLACES)
    assert field in form.wrong
    assert form.address is None


def test_words_ask_for_nothing_that_nobody_knows(tmp_path: Path) -> None:
    words = read_words(CHECKOUT / "prompts" / "agent-vi.toml")
    said = words.spoken(CallbackKind.CONFIRM, agent="Lan", registered="01/04/2021", district="")
    assert "Lan" in said[0].words
    file = tmp_path / "agent-vi.toml"
    text = (CHECKOUT / "prompts" / "agent-vi.toml").read_text(encoding="utf-8")
    file.write_text(text.replace("{agent}", "{balance}"), encoding="utf-8")
    with pytest.raises(ConfigError, match="balance"):
        read_words(file)
