"""Schemathesis against the served API: no fault of ours, answers as the document says. I/O.

Requests that fit the document and requests that do not, with a token of each role.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from console.api.routes import PREFIX
from domain.roles import Role
from store.engine import open_store
from tests.answering_calls import register
from tests.api_calls import add_tokens, token_of
from tests.consoles import Rig, console
from tests.rows import make_campaign, numbers

EXAMPLES = {Role.OPERATOR: 12, Role.SUPERVISOR: 8}
OTHERS = 2
KNOWN = {"campaign": "mekong"}


@pytest.fixture
async def rig(
    tmp_path: Path, migrated_file: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Rig]:
    # Schemathesis tries wrong tokens too, and must be told each time that they are wrong.
    monkeypatch.setattr("console.api.guesses.MOST_WRONG", 1_000_000)
    shutil.copy(migrated_file, tmp_path / "store.sqlite")
    store = open_store(f"sqlite:///{tmp_path}/store.sqlite")
    async with console(store) as served:
        await make_campaign(store, numbers(3))
        await register(store, *numbers(2))
        await add_tokens(served)
        yield served
    await store.close()


def operations(base: str) -> Iterator[Any]:
    """What the document lists; what ends the campaign comes last."""
    document = schemathesis.openapi.from_url(f"{base}/openapi.json")
    found = [one.ok() for one in document.get_all_operations()]
    yield from sorted(found, key=lambda one: one.path.endswith("/stop"))


def fuzz(base: str, role: Role) -> int:
    """Ask all that the document offers; gives how many requests were sent."""
    sent = 0
    headers = {"Authorization": f"Bearer {token_of(role)}"}
    plan = settings(
        max_examples=EXAMPLES.get(role, OTHERS),
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    for operation in operations(base):
        for mode in GenerationMode:
            path = (
                KNOWN
                if mode is GenerationMode.POSITIVE and "{campaign}" in operation.path
                else None
            )
            strategy = operation.as_strategy(mode, path_parameters=path)

            @plan
            @given(case=strategy)
            def ask(case: Case) -> None:
                nonlocal sent
                sent += 1
                # What a field may hold is narrower than its JSON Schema: windows, numbers, files.
                case.call_and_validate(
                    base_url=base, headers=headers, excluded_checks=[positive_data_acceptance]
                )

            ask()
    return sent


@pytest.mark.parametrize("role", Role)
async def test_nothing_that_is_sent_makes_the_server_fail(rig: Rig, role: Role) -> None:
    sent = await asyncio.to_thread(fuzz, rig.url + PREFIX, role)
    assert sent >= 20
