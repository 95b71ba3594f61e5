"""Programs that use the JSON API of a running console, in tests. I/O."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientResponse, ClientSession

from console.api.routes import PREFIX
from console.cookies import hashed
from domain.roles import Role
from store import tokens
from tests.consoles import Rig
from tests.rows import NOW


def token_of(role: Role) -> str:
    """The token of the role that `add_tokens` has added."""
    return f"tstn_of_the_{role}"


async def add_tokens(rig: Rig) -> None:
    """One for each role; the specialist's is its account's."""
    for role in Role:
        by_account = role is Role.SPECIALIST
        await rig.store.write(
            tokens.add,
            f"by-{role}",
            hashed(token_of(role)),
            NOW,
            role=None if by_account else role,
            user_id=rig.users[role] if by_account else None,
        )


@dataclass(frozen=True)
class Program:
    """Asks with one token, or without."""

    session: ClientSession
    base: str

    async def ask(self, method: str, path: str, **more: Any) -> ClientResponse:
        """The answer, its body read."""
        answer = await self.session.request(method, self.base + path, **more)
        await answer.read()
        return answer

    async def json(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        """The JSON of an answer of that status."""
        answer = await self.ask(method, path, **more)
        assert answer.status == status, (answer.status, await answer.text())
        return await answer.json(content_type=None)


@asynccontextmanager
async def program(rig: Rig, token: str | None) -> AsyncIterator[Program]:
    """A program that has a token, or none."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with ClientSession(headers=headers) as session:
        yield Program(session, rig.url + PREFIX)
