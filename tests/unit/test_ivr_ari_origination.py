"""Nothing but plain texts reaches an originate request."""

import pytest

from ivr.ari.origination import originate_body
from ivr.origination import ALLOWED_VARIABLES, Endpoint

CARRIER = Endpoint("0901234567", "carrier")


def body(**changed: object) -> dict[str, object]:
    fields = {"caller_id": "9090", "timeout_seconds": 30, "variables": {}, **changed}
    return originate_body("tstn", "5f0c-1", CARRIER, **fields)  # type: ignore[arg-type]


def test_the_body_asterisk_gets() -> None:
    assert body(variables={"TIMEOUT(absolute)": "180", "CHANNEL(language)": "vi"}) == {
        "endpoint": "PJSIP/0901234567@carrier",
        "app": "tstn",
        "appArgs": "5f0c-1",
        "callerId": "9090",
        "timeout": 30,
        "variables": {"TIMEOUT(absolute)": "180", "CHANNEL(language)": "vi"},
    }


@pytest.mark.parametrize("number", ["0901234567", "84901234567", "+84901234567"])
def test_numbers_in_dial_form_are_dialled(number: str) -> None:
    assert str(Endpoint(number, "carrier")) == f"PJSIP/{number}@carrier"


@pytest.mark.parametrize(
    "number",
    [
        "",
        "901234567",
        "090123456",
        "09012345678",
        "00841234567890",
        "0101234567",
        "0901234567@evil",
        "0901234567&PJSIP/1900",
        "0901234567/s",
        "0901234567\n",
        " 0901234567",
        "0901234567;x=1",
        "٠٩٠١٢٣٤٥٦٧",
        "+1900123456",
    ],
)
def test_any_other_number_is_refused_and_not_repeated(number: str) -> None:
    with pytest.raises(ValueError, match="number") as refused:
        Endpoint(number, "carrier")
    assert not number or number not in str(refused.value)


@pytest.mark.parametrize("trunk", ["", "a@b", "a/b", "a b", "1carrier", "carrier\n", "x" * 50])
def test_a_trunk_is_a_plain_name(trunk: str) -> None:
    with pytest.raises(ValueError, match="trunk"):
        Endpoint("0901234567", trunk)


@pytest.mark.parametrize(
    "name", ["SHELL(rm -rf /)", "timeout(absolute)", "CHANNEL(hangup_handler_push)", "", "X"]
)
def test_a_variable_that_is_not_on_the_list_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not on the list"):
        body(variables={name: "1"})


@pytest.mark.parametrize("value", ["", "${SHELL(id)}", "a,b", "a b", "a\nb", "x" * 81])
@pytest.mark.parametrize("name", sorted(ALLOWED_VARIABLES))
def test_a_variable_has_a_plain_value(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="value of"):
        body(variables={name: value})


@pytest.mark.parametrize("caller_id", ["", '"x" <9090>', "9090\n", "12"])
def test_a_caller_id_is_a_number(caller_id: str) -> None:
    with pytest.raises(ValueError, match="caller id"):
        body(caller_id=caller_id)


@pytest.mark.parametrize("seconds", [0, -1])
def test_it_never_rings_for_ever(seconds: int) -> None:
    with pytest.raises(ValueError, match="ring time"):
        body(timeout_seconds=seconds)


@pytest.mark.parametrize("channel_id", ["", "a,b", "a/b", "x" * 150])
def test_a_channel_id_is_plain_since_commas_split_arguments(channel_id: str) -> None:
    with pytest.raises(ValueError, match="channel id"):
        originate_body(
            "tstn", channel_id, CARRIER, caller_id="9090", timeout_seconds=30, variables={}
        )
