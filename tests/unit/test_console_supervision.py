"""What an agent does, as a line; sheets without formulas; one forecast for all who watch. Pure."""

import asyncio
from datetime import date, datetime, timedelta

import pytest

from console.agent_lines import Doing, lines
from console.sheets import harmless
from console.supervision import FORECAST_EVERY, Forecast, Supervision
from dialer.forecast import Staff, forecast
from domain.states import Duty
from store.agents import Present
from tests.answering_calls import ALL_DAY, LEASE
from tests.rows import NOW

MINUTE = timedelta(minutes=1)


def agent(duty: Duty, *moments: datetime | None, callback: int | None = None) -> Present:
    """An agent on that duty; the moments are those of claim, call and talk."""
    claimed, dialled, answered = (*moments, None, None, None)[:3]
    return Present(1, "Lan", duty, NOW, None, callback, claimed, dialled, answered)


@pytest.mark.parametrize(
    ("present", "doing", "minutes"),
    [
        (agent(Duty.ON), Doing.READY, 0),
        (agent(Duty.PAUSED), Doing.PAUSED, 0),
        (agent(Duty.OFF), Doing.OFF, 0),
        (agent(Duty.ON, NOW + MINUTE, callback=7), Doing.HOLDING, 1),
        (agent(Duty.PAUSED, NOW + MINUTE, callback=7), Doing.HOLDING, 1),
        (agent(Duty.ON, NOW + MINUTE, NOW + 2 * MINUTE, callback=7), Doing.CALLING, 2),
        (agent(Duty.ON, *(NOW + n * MINUTE for n in (1, 2, 3)), callback=7), Doing.TALKING, 3),
    ],
)
def test_a_call_says_more_than_a_claim_and_a_claim_more_than_the_duty(
    present: Present, doing: Doing, minutes: int
) -> None:
    [line] = lines([present], {})
    assert (line.doing, line.since) == (doing, NOW + minutes * MINUTE)


def test_who_does_something_stands_first() -> None:
    listed = [agent(Duty.OFF), agent(Duty.ON), agent(Duty.ON, NOW, callback=7)]
    assert [line.doing for line in lines(listed, {})] == [Doing.HOLDING, Doing.READY, Doing.OFF]


@pytest.mark.parametrize("text", ["=1+1", "+84901234567", "-1", "@x", "\tx", "\rx", "\nx"])
def test_a_text_that_could_be_a_formula_is_quoted(text: str) -> None:
    assert harmless(text) == "'" + text


@pytest.mark.parametrize("cell", ["Lan", "0901 234 567", "", -1, 0.5, None, date(2021, 4, 1)])
def test_everything_else_stays_as_it_is(cell: str | float | date | None) -> None:
    assert harmless(cell) == cell


async def test_all_who_watch_share_a_forecast_until_it_is_old() -> None:
    made: list[datetime] = []

    async def forecaster(now: datetime) -> Forecast:
        made.append(now)
        return forecast([], Staff(1, 180, 0.6, 5), ALL_DAY, now)

    shared = Supervision(forecaster, MINUTE, LEASE)
    await asyncio.gather(*(shared.forecast(NOW) for _ in range(5)))
    await shared.forecast(NOW + FORECAST_EVERY / 2)
    assert made == [NOW]
    await shared.forecast(NOW + FORECAST_EVERY)
    assert made == [NOW, NOW + FORECAST_EVERY]
