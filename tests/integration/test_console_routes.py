"""Every route × every role: allowed, refused, not logged in; each form without its token. I/O."""

from collections.abc import AsyncIterator

import pytest

from console.access import Open, Route
from console.routes import ROUTES
from domain.roles import Permission, Role, may
from store import imports
from store.engine import Store
from store.imports import NewImport
from tests.answering_calls import callback_of, register
from tests.consoles import Rig, Visitor, console
from tests.rows import NOW, make_campaign, numbers

GUARDED = [route for route in ROUTES if route.needs is not Open.TO_EVERYBODY]
FORMS = [route for route in ROUTES if route.method == "POST"]
EXAMPLES = {
    r"{campaign:\d{1,9}}": "1",
    "{move:start|pause|stop}": "start",
    r"{brake:\d{1,18}}": "1",
    "{kind:attempts|registrations|callbacks}": "attempts",
    "{form:csv|xlsx}": "csv",
    r"{import:\d{1,18}}": "1",
    r"{scope:global|trunk:[A-Za-z0-9_-]{1,32}}": "global",
}
STREAM = {"Accept": "text/event-stream"}


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.fixture
async def rig(store: Store) -> AsyncIterator[Rig]:
    async with console(store) as served:
        await register(store, *numbers(1))
        campaign = await make_campaign(store, numbers(1, first=5), name="mekong")
        file = NewImport(
            campaign_id=campaign.id,
            file_name="a.csv",
            sha256="0" * 64,
            extracted_at=None,
            imported_at=NOW,
            imported_by="Lan",
        )
        brought = await store.write(imports.begin, file)
        (served.console.parts.setting.uploads / f"{brought}.rejects.csv").touch()
        yield served


async def path_of(route: Route, rig: Rig) -> str:
    """An address of the route: of another's account or a call-back, where it names one."""
    path = route.path.replace(r"{id:\d{1,18}}", str(rig.users[Role.VERIFIER]))
    path = path.replace(r"{agent:\d{1,18}}", str(rig.users[Role.AGENT]))
    if "{callback:" in path:
        identity = (await callback_of(rig.store, numbers(1)[0]))["id"]
        path = path.replace(r"{callback:\d{1,18}}", str(identity))
    for pattern, given in EXAMPLES.items():
        path = path.replace(pattern, given)
    return path.replace("{version}/{name}", "x/console.css")


def is_allowed(route: Route, role: Role) -> bool:
    return not isinstance(route.needs, Permission) or may(role, route.needs)


@pytest.mark.parametrize("role", Role)
async def test_each_role_gets_what_it_may_and_is_refused_the_rest(rig: Rig, role: Role) -> None:
    """A form is sent without its key: who may send it is told that, who may not is refused."""
    for route in GUARDED:
        async with Visitor(rig) as visitor:
            await visitor.log_in(role)
            token = (await visitor.hidden("/numbers"))["csrf"]
            path = await path_of(route, rig)
            if route.method == "POST":
                answer = await visitor.post(path, {"csrf": token})
            else:
                answer = await visitor.get(path)
            if is_allowed(route, role):
                assert answer.status not in (401, 403, 404, 500), name_of(route)
            else:
                assert answer.status == 403, name_of(route)
            answer.close()


async def test_who_is_not_logged_in_is_sent_to_the_login(rig: Rig) -> None:
    async with Visitor(rig) as visitor:
        for route in GUARDED:
            path = await path_of(route, rig)
            sent = visitor.get(path) if route.method == "GET" else visitor.post(path)
            answer = await sent
            assert answer.status == 303, name_of(route)
            assert answer.headers["Location"].startswith("/login"), name_of(route)
            assert not await answer.text() or "Nguyễn" not in await answer.text()


async def test_who_is_not_logged_in_hears_nothing_but_that_on_a_stream(rig: Rig) -> None:
    async with Visitor(rig) as visitor:
        for route in GUARDED:
            if route.path.endswith("/stream"):
                answer = await visitor.get(await path_of(route, rig), headers=STREAM)
                assert await answer.text() == "event: ended\ndata:\n\n", name_of(route)


@pytest.mark.parametrize("route", FORMS, ids=name_of)
async def test_a_form_without_its_token_is_refused(rig: Rig, route: Route) -> None:
    needs = route.needs
    role = next(r for r in Role if not isinstance(needs, Permission) or may(r, needs))
    async with Visitor(rig) as visitor:
        await visitor.log_in(role)
        token = (await visitor.hidden("/numbers"))["csrf"]
        path = await path_of(route, rig)
        for fields, origin in (
            ({}, None),
            ({"csrf": ""}, None),
            ({"csrf": "x" * len(token)}, None),
            ({"csrf": token}, "https://elsewhere.example"),
            ({"csrf": token}, "null"),
        ):
            answer = await visitor.post(path, fields, origin)
            assert answer.status == 403, (fields, origin)


async def test_a_form_that_says_not_whence_it_comes_is_refused(rig: Rig) -> None:
    async with Visitor(rig) as visitor:
        await visitor.log_in(Role.ADMINISTRATOR)
        token = (await visitor.hidden("/numbers"))["csrf"]
        answer = await visitor._session.post(rig.path("/logout"), data={"csrf": token})
        assert answer.status == 403


async def test_every_answer_has_the_headers_that_protect_it(rig: Rig) -> None:
    async with Visitor(rig) as visitor:
        for path in ("/login", "/", "/nothing", "/static/x/console.css"):
            answer = await visitor.get(path)
            policy = answer.headers["Content-Security-Policy"]
            assert "script-src 'self';" in policy, path
            assert "unsafe" not in policy, path
            assert answer.headers["X-Content-Type-Options"] == "nosniff", path
            assert answer.headers["Cache-Control"] == "no-store", path


async def test_a_page_that_is_not_there_says_so_and_keeps_the_way_around(rig: Rig) -> None:
    async with Visitor(rig) as visitor:
        await visitor.log_in(Role.OPERATOR)
        answer = await visitor.get("/nothing")
        assert answer.status == 404
        assert 'href="/health"' in await answer.text()
