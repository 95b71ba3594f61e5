"""Every way into the API × every role; no token, wrong ones, revoked ones; the document. I/O."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from openapi_spec_validator import validate

from console.api.guesses import MOST_WRONG
from console.api.openapi import document
from console.api.problems import PROBLEM_TYPE
from console.api.route import ApiRoute
from console.api.routes import PREFIX, ROUTES
from domain.roles import Role, may
from domain.states import BrakeCause, CampaignState
from store import brakes, campaigns, imports, limits, tokens, trial_calls, users
from store.brakes import Change, Scope
from store.engine import Store
from store.imports import NewImport
from store.models import ApiToken, Audit
from store.trial_calls import Asked
from tests.api_calls import add_tokens, program, token_of
from tests.consoles import Rig, console
from tests.rows import NOW, all_rows, make_campaign, numbers

STOP_LAST = sorted(ROUTES, key=lambda route: route.path.endswith("/stop"))
GUARDED = [route for route in ROUTES if route.needs is not None]
BODIES: dict[str, Any] = {
    "create_campaign": {"name": "by-api"},
    "tune_campaign": {"cps": 3},
    "put_limits": {"cps": 10, "channels": 100},
    "look_up_number": {"msisdn": numbers(1)[0]},
    "ask_why_not": {"msisdn": numbers(1)[0]},
    "preview_tuning": {"cps": 3},
    "preview_recycling": {"outcomes": ["busy"]},
    "recycle_numbers": {"outcomes": ["busy"]},
    "override_brake": {"minutes": 30},
    "make_test_call": {"msisdn": numbers(1)[0]},
}

EXAMPLES: dict[str, Any] = {}
"""What the addresses name, of the store that a test has."""


def name_of(route: ApiRoute) -> str:
    return f"{route.method} {route.path}"


@pytest.fixture
async def rig(store: Store) -> AsyncIterator[Rig]:
    async with console(store) as served:
        campaign = await make_campaign(store, numbers(2), state=CampaignState.PAUSED)
        await store.write(campaigns.tune, campaign, {"cps": 4.0}, NOW)
        await store.write(limits.put, limits.GLOBAL, limits.Caps(10.0, 100), NOW)
        trunk = Scope(BrakeCause.CONGESTION, trunk="carrier")
        await store.write(brakes.put, trunk, Change(0.0, "refused"), NOW)
        await add_tokens(served)
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
        asked = Asked(campaign, "+84901234567", "vi-1", "Lan")
        call = await store.write(trial_calls.ask, asked, NOW)
        EXAMPLES.update(number=brought, test_call=call.id)
        yield served


def request_of(route: ApiRoute, role: Role) -> tuple[str, str, dict[str, Any]]:
    """A request of the route that does well where the role may send it."""
    path = route.path.format(campaign="mekong", scope="global", brake=1, **EXAMPLES)
    name = route.handler.__name__
    if name == "create_campaign":
        return route.method, path, {"json": {"name": f"by-{role}"}}
    if route.is_upload:
        headers = {"Content-Type": "text/csv"}
        return route.method, path, {"data": "msisdn\n0901234567\n", "headers": headers}
    return route.method, path, {"json": BODIES[name]} if name in BODIES else {}


@pytest.mark.parametrize("role", Role)
async def test_each_role_gets_what_it_may_and_is_refused_the_rest(rig: Rig, role: Role) -> None:
    async with program(rig, token_of(role)) as by:
        for route in STOP_LAST:
            method, path, more = request_of(route, role)
            answer = await by.ask(method, path, **more)
            if route.needs is None or may(role, route.needs):
                assert answer.status == route.status, (name_of(route), await answer.text())
            else:
                assert answer.status == 403, name_of(route)
                assert answer.content_type == PROBLEM_TYPE


async def test_without_a_living_token_there_is_no_way_in(rig: Rig) -> None:
    await rig.store.write(tokens.revoke, "by-operator", NOW)
    await rig.store.write(users.set_active, rig.users[Role.SPECIALIST], NOW, is_active=False)
    for role, token in (
        (Role.OPERATOR, token_of(Role.OPERATOR)),
        (Role.SPECIALIST, token_of(Role.SPECIALIST)),
        (Role.OPERATOR, None),
    ):
        async with program(rig, token) as by:
            for route in GUARDED[:6]:
                method, path, more = request_of(route, role)
                answer = await by.ask(method, path, **more)
                assert answer.status == 401, name_of(route)
                assert answer.headers["WWW-Authenticate"] == "Bearer"
                assert answer.content_type == PROBLEM_TYPE


@pytest.mark.parametrize("given", ["Basic dHN0bg==", "Bearer", "Bearer a b", "Bearer é", ""])
async def test_what_is_no_bearer_token_is_refused_alike(rig: Rig, given: str) -> None:
    async with program(rig, None) as by:
        answer = await by.ask("GET", "/campaigns", headers={"Authorization": given})
        assert answer.status == 401


async def test_every_guarded_way_refuses_who_has_no_token(rig: Rig) -> None:
    async with program(rig, None) as by:
        for route in GUARDED:
            method, path, more = request_of(route, Role.OPERATOR)
            assert (await by.ask(method, path, **more)).status == 401, name_of(route)


async def test_a_cookie_of_the_pages_opens_nothing_here_and_a_token_no_page(rig: Rig) -> None:
    async with program(rig, token_of(Role.OPERATOR)) as by:
        page = await by.session.get(rig.path("/health"), allow_redirects=False)
        assert page.status == 303


async def test_who_guesses_is_turned_away_and_the_others_of_the_address_are_not(rig: Rig) -> None:
    async with program(rig, token_of(Role.OPERATOR)) as by, program(rig, "tstn_guessed") as guesser:
        assert (await by.ask("GET", "/campaigns")).status == 200
        for _ in range(MOST_WRONG):
            assert (await guesser.ask("GET", "/campaigns")).status == 401
        locked = await guesser.ask("GET", "/campaigns")
        assert (locked.status, locked.headers["Retry-After"]) == (429, "60")
        assert (await by.ask("GET", "/campaigns")).status == 200
        async with program(rig, token_of(Role.SUPERVISOR)) as late:
            assert (await late.ask("GET", "/callbacks")).status == 429  # may be a lucky guess
        rig.hands.move(minutes=1)
        assert (await guesser.ask("GET", "/campaigns")).status == 401


async def test_a_write_is_in_the_audit_with_its_token(rig: Rig) -> None:
    async with program(rig, token_of(Role.OPERATOR)) as by:
        await by.json("PATCH", "/campaigns/mekong", json={"cps": 2.5})
    row = (await all_rows(rig.store, Audit))[-1]
    named = {one["id"]: one["name"] for one in await all_rows(rig.store, ApiToken)}
    assert (row["action"], row["subject"]) == ("campaign_tuned", "mekong")
    assert (row["user_id"], named[row["token_id"]]) == (None, "by-operator")
    assert row["data"] == {"knobs": {"cps": 2.5}}


async def test_the_use_of_a_token_is_kept_once_a_minute(rig: Rig) -> None:
    async def last_used() -> Any:
        rows = await rig.store.read(tokens.all_of)
        return next(row["last_used_at"] for row in rows if row["name"] == "by-operator")

    async with program(rig, token_of(Role.OPERATOR)) as by:
        await by.ask("GET", "/campaigns")
        first = await last_used()
        rig.hands.move(seconds=59)
        await by.ask("GET", "/campaigns")
        assert await last_used() == first == NOW
        rig.hands.move(seconds=1)
        await by.ask("GET", "/campaigns")
        assert await last_used() == rig.hands.at


async def test_what_is_not_there_is_a_problem_too(rig: Rig) -> None:
    async with program(rig, token_of(Role.OPERATOR)) as by:
        for method, path, status in (
            ("GET", "/nothing", 404),
            ("GET", "/campaigns/nothing", 404),
            ("GET", "/campaigns/%00", 404),
            ("GET", "/campaigns/999999999", 404),
            ("DELETE", "/campaigns", 405),
            ("GET", "/campaigns?limit=501", 422),
            ("GET", "/campaigns?limit=1&limit=2", 422),
            ("GET", "/campaigns?offset=1", 422),
            ("GET", "/campaigns?after=9223372036854775808", 422),
            ("GET", "/limits?after=1", 422),
            ("PUT", "/limits/trunk:", 404),
        ):
            problem = await by.json(method, path, status)
            assert problem["status"] == status, path
            assert problem["detail"], path


def test_the_document_is_valid_and_has_every_route() -> None:
    made = document(ROUTES, PREFIX)
    validate(made)
    listed = {(verb.upper(), path) for path, verbs in made["paths"].items() for verb in verbs}
    assert listed == {(route.method, route.path) for route in ROUTES}
    assert len({route.handler for route in ROUTES}) == len(ROUTES)  # operationId is unique
