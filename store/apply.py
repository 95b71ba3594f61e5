"""Writes a batch of facts, set by set, in an order that suits any mixture. I/O."""

from collections.abc import Callable, Coroutine, Sequence
from datetime import time
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from store import attempts, callbacks, registrations
from store.facts import (
    AdviceAsked,
    Answered,
    AttemptEnded,
    Fact,
    KeyPressed,
    RegistrationAsked,
)

F = TypeVar("F")


async def apply(connection: AsyncConnection, facts: Sequence[Fact], target_by: time) -> None:
    """Write all facts. Each one may have been applied before: then it changes nothing."""
    await _each(connection, facts, Answered, attempts.record_answered)
    await _each(connection, facts, KeyPressed, attempts.record_keys)
    if asked := _of_kind(facts, RegistrationAsked):
        await registrations.register(connection, asked, target_by)
    if advice := _of_kind(facts, AdviceAsked):
        await callbacks.promise_advice(connection, advice, target_by)
    await _each(connection, facts, AttemptEnded, attempts.record_ended)


def _of_kind(facts: Sequence[Fact], kind: type[F]) -> list[F]:
    return [fact for fact in facts if isinstance(fact, kind)]


async def _each(
    connection: AsyncConnection,
    facts: Sequence[Fact],
    kind: type[F],
    record: Callable[[AsyncConnection, Sequence[F]], Coroutine[Any, Any, None]],
) -> None:
    if chosen := _of_kind(facts, kind):
        await record(connection, chosen)
