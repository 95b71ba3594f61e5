"""The supervisor puts an agent off duty: who has gone home with a call-back in hand. I/O."""

from domain.roles import Role
from domain.states import CallbackState, Duty
from store import duty
from store.engine import Store
from tests.answering_calls import callback_of, on_duty, taken
from tests.consoles import Rig, Visitor
from tests.integration.test_console_supervise import acts, queued
from tests.integration.test_console_supervise import rig as rig
from tests.integration.test_console_supervise import supervisor as supervisor


async def test_an_agent_is_put_off_duty(rig: Rig, store: Store, supervisor: Visitor) -> None:
    """Once, however often the form comes."""
    [msisdn] = await queued(store)
    agent = rig.users[Role.AGENT]
    await on_duty(store, agent)
    await taken(store, agent)
    place = f"/supervise/agents/{agent}"
    assert f'href="{place}"' in await supervisor.text("/supervise")
    assert "trở về hàng chờ" in await supervisor.text(place)
    fields = await supervisor.hidden(place)
    for _ in range(2):
        answer = await supervisor.post(f"{place}/off", fields)
        assert answer.headers["Location"] == "/supervise?done=agent_sent_off"
    assert await store.read(duty.duty_of, agent) is Duty.OFF
    assert (await callback_of(store, msisdn))["state"] == CallbackState.OPEN
    said = await supervisor.text("/supervise?done=agent_sent_off")
    assert "Đã cho tổng đài viên ra ca" in said
    assert f'href="{place}"' not in said
    assert "chưa vào ca" in await supervisor.text(place)
    assert await acts(store) == [("agent_sent_off", "Nguyễn Thị Agent", {"before": "on"})]
    nobody = await supervisor.get(f"/supervise/agents/{rig.users[Role.OPERATOR]}")
    assert nobody.status == 404
