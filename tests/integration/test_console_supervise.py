"""The supervisor's pages as they are asked for: queue, hand-over, release, days, downloads. I/O."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from openpyxl import load_workbook  # type: ignore[import-untyped]
from sqlalchemy import Connection

from domain.callbacks import Outcome
from domain.clock import to_local
from domain.roles import Role
from domain.states import CallbackState, ClaimEnd, Duty
from store import duty, sla, users
from store.engine import Store
from store.models import Audit, CallbackClaim
from store.users import NewUser
from tests.answering_calls import callback_of, close, on_duty, register, release, taken
from tests.consoles import PASSWORD_HASH, Rig, Visitor, console
from tests.rows import NOW, all_rows, numbers

HOUR = timedelta(hours=1)
AGES = {"fresh": 0, "due_today": 12, "late": 40, "broken": 50}
"""So many hours ago something was asked for: at 10:00 it then stands like this (none at risk)."""


@pytest.fixture
async def rig(store: Store) -> AsyncIterator[Rig]:
    async with console(store) as served:
        yield served


@pytest.fixture
async def supervisor(rig: Rig) -> AsyncIterator[Visitor]:
    async with Visitor(rig) as visitor:
        await visitor.log_in(Role.SUPERVISOR)
        yield visitor


async def add_agent(store: Store, name: str = "=Trần Thị Bê", *, busy: bool = False) -> int:
    """A second agent, on duty."""
    new = NewUser("be", name, Role.AGENT, PASSWORD_HASH, phone="agent2")
    agent = await store.write(users.add, new, NOW)
    await on_duty(store, agent)
    if busy:
        await taken(store, agent)
    return agent


async def queued(store: Store, count: int = 1, age: float = 0) -> list[str]:
    """Call-backs that wait."""
    listed = numbers(count, first=int(age * 1000))
    await register(store, *listed, at=NOW - age * HOUR)
    await release(store)
    return listed


async def place_of(store: Store, msisdn: str) -> str:
    """The page of a number's call-back."""
    return f"/supervise/{(await callback_of(store, msisdn))['id']}"


async def acts(store: Store) -> list[tuple[str, str | None, dict[str, object]]]:
    """What is in the audit beside the login."""
    rows = await all_rows(store, Audit)
    return [(r["action"], r["subject"], r["data"]) for r in rows if r["action"] != "logged_in"]


async def test_the_desk_of_an_empty_server_says_what_will_come(supervisor: Visitor) -> None:
    said = await supervisor.text("/supervise")
    assert "Không có cuộc gọi lại nào đang chờ" in said
    assert "Nguyễn Thị Agent" in said


async def test_each_state_is_counted_and_can_be_shown_alone(
    store: Store, supervisor: Visitor
) -> None:
    told = {state: (await queued(store, 1, age))[0] for state, age in AGES.items()}
    ids = {state: (await callback_of(store, msisdn))["id"] for state, msisdn in told.items()}
    said = await supervisor.text("/supervise")
    for state in AGES:
        alone = await supervisor.text(f"/supervise?sla={state}")
        assert f'id="row-{ids[state]}"' in said
        shown = [other for other in AGES if f'id="row-{ids[other]}"' in alone]
        assert shown == [state]
        assert f'sse-connect="/supervise/stream?sla={state}"' in alone


async def test_the_queue_pages_by_key(store: Store, supervisor: Visitor) -> None:
    await queued(store, 120)
    path, seen = "/supervise", 0
    for _ in range(3):
        said = await supervisor.text(path)
        seen += said.count('<tr id="row-')
        _, more, rest = said.partition('href="/supervise?after=')
        path = "/supervise?after=" + rest.partition("#")[0]
    assert (seen, more) == (120, "")


@pytest.mark.parametrize("after", ["x", "1,2,3", "2021-04-01,2021-04-02,9e9", "a,b,1"])
async def test_an_address_that_is_no_place_shows_the_beginning(
    store: Store, supervisor: Visitor, after: str
) -> None:
    await queued(store)
    assert '<tr id="row-' in await supervisor.text(f"/supervise?sla=none&after={after}")


async def test_a_call_back_is_handed_over_once(rig: Rig, store: Store, supervisor: Visitor) -> None:
    [msisdn] = await queued(store)
    agent = rig.users[Role.AGENT]
    await on_duty(store, agent)
    place = await place_of(store, msisdn)
    fields = await supervisor.hidden(place) | {"agent": str(agent)}
    for _ in range(2):
        answer = await supervisor.post(f"{place}/assign", fields)
        assert answer.headers["Location"] == "/supervise?done=callback_handed_over"
    row = await callback_of(store, msisdn)
    assert (row["state"], row["claimed_by"]) == (CallbackState.CLAIMED, agent)
    assert len(await all_rows(store, CallbackClaim)) == 1
    data = {"agent": "Nguyễn Thị Agent", "before": None}
    assert await acts(store) == [("callback_handed_over", "090****000", data)]
    assert "Nguyễn Thị Agent" in await supervisor.text("/supervise")


async def test_a_call_back_goes_from_one_agent_to_another(
    rig: Rig, store: Store, supervisor: Visitor
) -> None:
    [msisdn] = await queued(store)
    agent, other = rig.users[Role.AGENT], await add_agent(store, "Trần Thị Bê")
    await on_duty(store, agent)
    await taken(store, agent)
    place = await place_of(store, msisdn)
    assert "lấy khỏi Nguyễn Thị Agent ngay" in await supervisor.text(place)
    await supervisor.send(place, f"{place}/assign", agent=str(other))
    assert (await callback_of(store, msisdn))["claimed_by"] == other
    endings = {row["agent_id"]: row["ending"] for row in await all_rows(store, CallbackClaim)}
    assert endings == {agent: ClaimEnd.RELEASED, other: None}


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("off duty", "không trực"),
        ("busy", "đang giữ một cuộc gọi lại"),
        ("nobody", "hãy chọn tổng đài viên"),
        ("supervisor", "hãy chọn tổng đài viên"),
    ],
)
async def test_a_hand_over_that_can_not_be_is_explained(
    rig: Rig, store: Store, supervisor: Visitor, who: str, said: str
) -> None:
    listed = await queued(store, 2)
    busy = await add_agent(store, busy=True)
    await on_duty(store, rig.users[Role.AGENT])
    row = next(r for r in [await callback_of(store, one) for one in listed] if not r["claim_id"])
    hidden = await supervisor.hidden(f"/supervise/{row['id']}")
    await store.write(duty.set_duty, rig.users[Role.AGENT], Duty.OFF, NOW)
    chosen = {"off duty": rig.users[Role.AGENT], "busy": busy, "nobody": "", "supervisor": 10**9}
    fields = hidden | {"agent": str(chosen[who])}
    answer = await supervisor.post(f"/supervise/{row['id']}/assign", fields)
    assert answer.status == 422
    assert said in await answer.text()
    assert await acts(store) == []


async def test_a_claim_is_released_with_its_reason(
    rig: Rig, store: Store, supervisor: Visitor
) -> None:
    [msisdn] = await queued(store)
    await on_duty(store, rig.users[Role.AGENT])
    await taken(store, rig.users[Role.AGENT])
    place = await place_of(store, msisdn)
    fields = await claim_form(supervisor, place) | {"reason": "hết ca, gọi 0901 234 567"}
    answer = await supervisor.post(f"{place}/release", fields)
    assert answer.headers["Location"] == "/supervise?done=callback_taken_back_by"
    assert (await callback_of(store, msisdn))["state"] == CallbackState.OPEN
    [claim] = await all_rows(store, CallbackClaim)
    assert claim["ending"] == ClaimEnd.RELEASED
    assert claim["reason"] == "hết ca, gọi 0901 234 567"  # erased with the number's other rows
    data = {"before": "Nguyễn Thị Agent", "reason": "hết ca, gọi 090****567"}
    assert await acts(store) == [("callback_taken_back_by", "090****000", data)]


async def test_a_late_release_takes_nothing_from_the_next_agent(
    rig: Rig, store: Store, supervisor: Visitor
) -> None:
    [msisdn] = await queued(store)
    agent, other = rig.users[Role.AGENT], await add_agent(store)
    await on_duty(store, agent)
    await taken(store, agent)
    place = await place_of(store, msisdn)
    fields = await claim_form(supervisor, place)
    await store.write(duty.set_duty, agent, Duty.OFF, NOW)
    await taken(store, other)
    answer = await supervisor.post(f"{place}/release", fields)
    assert answer.status == 422
    assert "không còn giữ" in await answer.text()
    assert (await callback_of(store, msisdn))["claimed_by"] == other
    assert await acts(store) == []


async def claim_form(supervisor: Visitor, place: str) -> dict[str, str]:
    """The form that releases the claim which the page shows."""
    _, _, rest = (await supervisor.text(place)).partition('name="claim" value="')
    return await supervisor.hidden(place) | {"claim": rest.partition('"')[0]}


async def test_what_is_closed_can_not_be_moved_but_is_told(
    rig: Rig, store: Store, supervisor: Visitor
) -> None:
    [msisdn] = await queued(store)
    await on_duty(store, rig.users[Role.AGENT])
    place = await place_of(store, msisdn)
    fields = await supervisor.hidden(place)
    await close(store, await taken(store, rig.users[Role.AGENT]), Outcome.CONFIRMED)
    said = await supervisor.text(place)
    assert "đã đóng" in said
    assert "Đã xác nhận địa chỉ" in said
    fields["agent"] = str(rig.users[Role.AGENT])
    answer = await supervisor.post(f"{place}/assign", fields)
    assert (answer.status, "đã đóng" in await answer.text()) == (422, True)
    assert (await supervisor.get("/supervise/999999999")).status == 404


async def worked(rig: Rig, store: Store) -> None:
    """A day on which two agents worked, and its report."""
    await queued(store, 4)
    agent, other = rig.users[Role.AGENT], await add_agent(store)
    await on_duty(store, agent)
    for who, outcome in ((agent, "confirmed"), (agent, "busy"), (other, "refused")):
        await close(store, await taken(store, who), Outcome(outcome), NOW + HOUR)
    day = to_local(NOW).date()

    def keep(connection: Connection) -> None:
        sla.keep(connection, sla.day_report(connection, day, NOW + 24 * HOUR))

    await store.write(keep)


async def test_a_day_is_told_by_agent_and_by_deadline(
    rig: Rig, store: Store, supervisor: Visitor
) -> None:
    await worked(rig, store)
    said = await supervisor.text("/supervise/day?day=2021-04-01")
    assert "=Trần Thị Bê" in said
    assert "Đã xác nhận địa chỉ" in said
    assert "60:00" in said  # an hour from claim to result
    assert "Ngày này không có ai trực" in await supervisor.text("/supervise/day?day=2021-03-31")


@pytest.mark.parametrize("given", ["", "x", "0001-01-01", "9999-12-31", "2021-02-30"])
async def test_any_day_of_an_address_gives_a_page(supervisor: Visitor, given: str) -> None:
    await supervisor.text(f"/supervise/day?day={given}")
    await supervisor.text(f"/supervise/report?first={given}&last={given}")


async def test_the_days_download_as_csv_without_formulas(
    rig: Rig, store: Store, supervisor: Visitor
) -> None:
    await worked(rig, store)
    answer = await supervisor.get("/supervise/day.csv?day=2021-04-01")
    assert "agents-2021-04-01.csv" in answer.headers["Content-Disposition"]
    body = await answer.read()
    assert body.startswith("\ufeffTổng đài viên".encode())
    head, *rows = csv.reader(io.StringIO(body.decode("utf-8-sig")))
    by_name = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
    assert set(by_name) == {"'=Trần Thị Bê", "Nguyễn Thị Agent", "Tổng cộng"}
    assert by_name["Nguyễn Thị Agent"]["Kết quả"] == "2"
    assert by_name["Nguyễn Thị Agent"]["Tỷ lệ gặp, %"] == "50"
    assert by_name["Tổng cộng"]["Xử lý, giây"] == "3600"


async def test_the_report_downloads_as_csv_and_as_a_book(
    rig: Rig, store: Store, supervisor: Visitor
) -> None:
    await worked(rig, store)
    span = "first=2021-03-20&last=2021-04-01"
    assert "01/04/2021" in await supervisor.text(f"/supervise/report?{span}")
    text = (await (await supervisor.get(f"/supervise/report.csv?{span}")).read()).decode()
    assert "01/04/2021,Xác nhận địa chỉ,4,2,2,2,0,0,0,0,0,2" in text
    book = await (await supervisor.get(f"/supervise/report.xlsx?{span}")).read()
    rows = list(load_workbook(io.BytesIO(book)).active.iter_rows(values_only=True))
    assert rows[0][:3] == ("Ngày", "Việc", "Yêu cầu")
    assert [row[2] for row in rows[1:]] == [0, 4] or [row[2] for row in rows[1:]] == [4, 0]
    assert f"{rows[1][0]:%d/%m/%Y}" == "01/04/2021"


async def test_the_agents_day_is_a_book_too(rig: Rig, store: Store, supervisor: Visitor) -> None:
    await worked(rig, store)
    book = await (await supervisor.get("/supervise/day.xlsx?day=2021-04-01")).read()
    sheet = load_workbook(io.BytesIO(book)).active
    assert {row[0].value for row in sheet.iter_rows(min_row=2)} >= {"'=Trần Thị Bê"}
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
