"""Which call or bind a task works for: told with each line that it logs. Pure."""

from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import TypedDict, Unpack
from uuid import UUID

_BOUND: ContextVar[Mapping[str, str | int]] = ContextVar("log_ids", default=MappingProxyType({}))


class Ids(TypedDict, total=False):
    """What a line of the log may name; an agent's call has an attempt of its own."""

    attempt: UUID
    channel: str
    campaign: int
    bind: str


def bind(**ids: Unpack[Ids]) -> None:
    """Name these in all that the task logs from now on, and the tasks that it starts."""
    named = {name: str(value) if name == "attempt" else value for name, value in ids.items()}
    _BOUND.set({**_BOUND.get(), **named})  # type: ignore[dict-item]


def bound() -> Mapping[str, str | int]:
    """What the present task has named."""
    return _BOUND.get()
