"""Accounts, look-up and audit as their forms are sent: once, twice, wrongly. I/O."""

from collections.abc import AsyncIterator

import pytest

from domain.errors import StoreUnavailable
from domain.roles import Role
from store import users
from store.engine import Store
from store.models import Audit, User
from store.users import Details
from tests.consoles import PASSWORD, Rig, Visitor, console
from tests.rows import all_rows, make_campaign, numbers

LAN = {"login": "lan", "name": "Nguyễn Thị Lan", "role": "agent", "phone": "agent2"}


@pytest.fixture
async def rig(store: Store) -> AsyncIterator[Rig]:
    async with console(store) as served:
        yield served


@pytest.fixture
async def administrator(rig: Rig) -> AsyncIterator[Visitor]:
    async with Visitor(rig) as visitor:
        await visitor.log_in(Role.ADMINISTRATOR)
        yield visitor


async def logins(rig: Rig) -> list[str]:
    return [row["login"] for row in await all_rows(rig.store, User)]


async def test_an_account_is_added_and_may_log_in(rig: Rig, administrator: Visitor) -> None:
    answer = await administrator.send("/users/new", "/users/new", **LAN, password=PASSWORD)
    assert answer.headers["Location"] == "/users?done=user_added"
    async with Visitor(rig) as lan:
        assert (await lan.log_in("LAN")).status == 303
    [row] = [row for row in await all_rows(rig.store, Audit) if row["action"] == "user_added"]
    assert (row["user_id"], row["subject"]) == (rig.users[Role.ADMINISTRATOR], "lan")
    assert row["data"] == {
        "name": "Nguyễn Thị Lan",
        "role": "agent",
        "province": None,
        "phone": "agent2",
    }
    assert PASSWORD not in str(await all_rows(rig.store, Audit))


async def test_a_form_that_is_sent_again_does_its_work_once(
    rig: Rig, administrator: Visitor
) -> None:
    fields = await administrator.hidden("/users/new") | LAN | {"password": PASSWORD}
    first = await administrator.post("/users/new", fields)
    second = await administrator.post("/users/new", fields | {"login": "lan2", "phone": "agent3"})
    assert first.headers["Location"] == second.headers["Location"]
    assert (await logins(rig)).count("lan") == 1
    assert "lan2" not in await logins(rig)


async def test_a_write_that_is_refused_leaves_no_row(rig: Rig, administrator: Visitor) -> None:
    """And its form may be sent again once it is mended: its key has done no work."""
    fields = await administrator.hidden("/users/new") | LAN | {"password": PASSWORD}
    refused = await administrator.post("/users/new", fields | {"login": "agent"})
    assert refused.status == 422
    assert "thuộc tài khoản khác" in await refused.text()
    assert (await administrator.post("/users/new", fields)).status == 303
    rows = await all_rows(rig.store, Audit)
    assert [row["action"] for row in rows] == ["logged_in", "user_added"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"password": "short"}, "10 đến 200"),
        ({"login": "L N"}, "Tên đăng nhập gồm"),
        ({"role": "king"}, "chọn vai trò"),
        ({"role": "specialist"}, "cần có tỉnh"),
        ({"phone": "agent1"}, "thuộc tài khoản khác"),
        ({"role": "specialist", "province": "Vinh Long"}, "tỉnh trong danh sách"),
    ],
)
async def test_a_wrong_form_comes_back_with_what_was_typed(
    rig: Rig, administrator: Visitor, wrong: dict[str, str], said: str
) -> None:
    fields = LAN | {"password": PASSWORD} | wrong
    answer = await administrator.send("/users/new", "/users/new", **fields)
    text = await answer.text()
    assert answer.status == 422
    assert said in text
    assert 'value="Nguyễn Thị Lan"' in text
    assert PASSWORD not in text
    assert "lan" not in await logins(rig)


async def test_an_account_is_switched_off_and_on(rig: Rig, administrator: Visitor) -> None:
    agent = rig.users[Role.AGENT]
    async with Visitor(rig) as visitor:
        await visitor.log_in(Role.AGENT)
        await administrator.send("/users", f"/users/{agent}/deactivate")
        assert (await visitor.get("/numbers")).status == 303
        assert (await visitor.log_in(Role.AGENT)).status == 422
        await administrator.send("/users", f"/users/{agent}/activate")
        assert (await visitor.log_in(Role.AGENT)).status == 303


async def test_who_leaves_gives_the_phone_to_who_comes(rig: Rig, administrator: Visitor) -> None:
    """And has none any more when the account is switched on again; the audit has whose it was."""
    agent = rig.users[Role.AGENT]
    await administrator.send("/users", f"/users/{agent}/deactivate")
    mai = LAN | {"login": "mai", "phone": "agent1", "password": PASSWORD}
    answer = await administrator.send("/users/new", "/users/new", **mai)
    assert answer.headers["Location"] == "/users?done=user_added"
    path = f"/users/{agent}/change"
    given = {"name": "Trần Thị Bê", "province": "", "phone": "agent3"}
    answer = await administrator.send(path, path, **given)
    assert "hãy mở lại trước" in await answer.text()
    await administrator.send("/users", f"/users/{agent}/activate")
    assert "chưa có máy nhánh" in await administrator.text("/users?done=user_activated")
    taken = await administrator.send(path, path, **(given | {"phone": "agent1"}))
    assert taken.status == 422
    assert 'value="Trần Thị Bê"' in await taken.text()
    for _ in range(2):
        answer = await administrator.send(path, path, **given)
        assert answer.headers["Location"] == "/users?done=user_changed"
    rows = await all_rows(rig.store, Audit)
    told = [(r["action"], r["data"]) for r in rows if r["subject"] == "agent"]
    assert told == [
        ("user_deactivated", {"phone": "agent1"}),
        ("user_activated", {}),
        (
            "user_changed",
            {"name": "Trần Thị Bê", "phone": "agent3", "before": "Nguyễn Thị Agent, –"},
        ),
    ]


async def test_a_specialist_s_province_is_corrected_from_the_list(
    rig: Rig, store: Store, administrator: Visitor
) -> None:
    """It counts from the next page; a name from before there was a list may stay as it is."""
    specialist, [ours] = rig.users[Role.SPECIALIST], numbers(1)
    await make_campaign(store, [ours])
    name = {"name": "Nguyễn Thị Specialist", "phone": ""}
    mistyped = Details(name["name"], "Long Vinh")
    await store.write(users.change, specialist, mistyped)
    path = f"/users/{specialist}/change"
    async with Visitor(rig) as visitor:
        await visitor.log_in(Role.SPECIALIST)
        assert (await visitor.send("/numbers", "/numbers", number=ours)).status == 403
        assert '<option value="Long Vinh" selected>' in await administrator.text(path)
        kept = await administrator.send(path, path, **name, province="Long Vinh")
        assert kept.status == 303
        refused = await administrator.send(path, path, **name, province="Vinh Long")
        assert "tỉnh trong danh sách" in await refused.text()
        await administrator.send(path, path, **name, province="Vĩnh Long")
        assert (await visitor.send("/numbers", "/numbers", number=ours)).status == 200


async def test_nobody_locks_himself_out(rig: Rig, administrator: Visitor) -> None:
    own = rig.users[Role.ADMINISTRATOR]
    answer = await administrator.send("/users", f"/users/{own}/deactivate")
    assert answer.status == 409
    assert (await administrator.get("/users")).status == 200


async def test_a_new_password_ends_the_sessions_and_the_lock(
    rig: Rig, administrator: Visitor
) -> None:
    agent = rig.users[Role.AGENT]
    async with Visitor(rig) as visitor:
        await visitor.log_in(Role.AGENT)
        path = f"/users/{agent}/password"
        assert (await administrator.send(path, path, password="ngắn")).status == 422
        await administrator.send(path, path, password="một mật khẩu khác")
        assert (await visitor.get("/numbers")).status == 303
        assert (await visitor.log_in(Role.AGENT)).status == 422
        assert (await visitor.log_in(Role.AGENT, "một mật khẩu khác")).status == 303


async def test_accounts_that_there_are_not(administrator: Visitor) -> None:
    for path in ("/users/999999/password", "/users/x/password", "/users/0"):
        assert (await administrator.get(path)).status == 404


async def test_a_specialist_sees_the_numbers_of_one_province(rig: Rig, store: Store) -> None:
    ours, unknown = numbers(2)
    await make_campaign(store, [ours])
    async with Visitor(rig) as visitor:
        await visitor.log_in(Role.SPECIALIST)
        shown = await visitor.send("/numbers", "/numbers", number=ours)
        assert "Vĩnh Long" in await shown.text()
        hidden = await visitor.send("/numbers", "/numbers", number=unknown)
        assert hidden.status == 403
        assert "không thuộc tỉnh" in await hidden.text()


async def test_a_look_up_is_in_the_audit_by_its_masked_number(rig: Rig) -> None:
    async with Visitor(rig) as visitor:
        await visitor.log_in(Role.AGENT)
        await visitor.send("/numbers", "/numbers", number="0900 000 001")
        bad = await visitor.send("/numbers", "/numbers", number="123")
        assert bad.status == 422
    rows = await all_rows(rig.store, Audit)
    looked_up = [row["subject"] for row in rows if row["action"] == "number_looked_up"]
    assert looked_up == ["090****001"]


async def test_the_audit_is_read_a_page_at_a_time_by_key(rig: Rig) -> None:
    async with Visitor(rig) as agent:
        await agent.log_in(Role.AGENT)
        for _ in range(60):
            await agent.send("/numbers", "/numbers", number="0900000001")
    async with Visitor(rig) as visitor:
        await visitor.log_in(Role.AUDITOR)
        first = await visitor.text("/audit")
        [older] = {part.split('"')[0] for part in first.split("/audit?before=")[1:]}
        second = await visitor.text(f"/audit?before={older}")
        assert first.count('<td class="moment">') == 50
        assert second.count('<td class="moment">') == 12
        assert "Không còn mục cũ hơn" in await visitor.text("/audit?before=1")
        assert (await visitor.get("/audit?before=x")).status == 200


async def test_a_store_that_is_away_is_said_and_nothing_more(
    rig: Rig, administrator: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("the store can't be reached: postgresql://tstn:hunter2@db")

    monkeypatch.setattr(rig.store, "read", away)
    answer = await administrator.get("/users")
    assert answer.status == 503
    assert "hunter2" not in await answer.text()
    assert "không trả lời" in await answer.text()
