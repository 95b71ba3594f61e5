"""Writes a batch of facts, set by set, in an order that suits any mixture. I/O."""

from collections.abc import Callable, Sequence
from datetime import time
from typing import TypeVar

from sqlalchemy import Connection

from domain.clock import utc_now
from store import attempts, callbacks, consent, handovers, registrations, trial_calls
from store.facts import (
    AdviceAsked,
    AgentConnected,
    Answered,
    AttemptEnded,
    Fact,
    HandedOver,
    KeyPressed,
    LeftAgents,
    OptOutAsked,
    RegistrationAsked,
    TrialCallStood,
)

F = TypeVar("F")


def apply(connection: Connection, facts: Sequence[Fact], target_by: time) -> None:
    """Write all facts. Each one may have been applied before: then it changes nothing."""
    _each(connection, facts, Answered, attempts.record_answered)
    _each(connection, facts, KeyPressed, attempts.record_keys)
    if asked := _of_kind(facts, RegistrationAsked):
        registrations.register(connection, asked, target_by)
    if advice := _of_kind(facts, AdviceAsked):
        callbacks.promise_advice(connection, advice, target_by)
    if refusals := _of_kind(facts, OptOutAsked):
        # A spooled one takes effect later than it was asked for, and says so.
        consent.opt_out(connection, refusals, utc_now())
    _each(connection, facts, HandedOver, handovers.record_handed_over)
    _each(connection, facts, AgentConnected, handovers.record_connected)
    _each(connection, facts, LeftAgents, handovers.record_left)
    _each(connection, facts, AttemptEnded, attempts.record_ended)
    _each(connection, facts, TrialCallStood, trial_calls.record)


def _of_kind(facts: Sequence[Fact], kind: type[F]) -> list[F]:
    return [fact for fact in facts if isinstance(fact, kind)]


def _each(
    connection: Connection,
    facts: Sequence[Fact],
    kind: type[F],
    record: Callable[[Connection, Sequence[F]], None],
) -> None:
    if chosen := _of_kind(facts, kind):
        record(connection, chosen)
