"""`tstn rehearse`: a campaign's settings against a simulated carrier; nothing is written. I/O."""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from dialer.campaign_file import read_tuning
from dialer.rehearsal_carrier import Rates
from domain.clock import read_moment, utc_now
from domain.errors import InputError
from runtime.cli.opened_store import opened_store
from runtime.cli.output import show
from runtime.cli.rehearse_view import as_json, tables
from runtime.rehearsing import Question, read_given, rehearsed
from runtime.settings import Settings

_LONGEST_HOURS = 24 * 366
_ASKED_BY_THE_GATE = ("by_phase", "purpose")
"""Knobs that the gate reads in the campaign's row, so they can't be tried without tuning it."""


async def run(arguments: Namespace, settings: Settings) -> None:
    """Rehearse with the present knobs, and with changed ones where some are given."""
    question = _question(arguments)
    async with opened_store(settings) as store:
        given = await store.read(read_given, arguments.campaign, question.start)
    present = asdict(given.campaign)
    columns = [present]
    if arguments.pairs:
        columns.append(_changed(present, arguments.pairs))
    made = [rehearsed(question, given, knobs, settings) for knobs in columns]
    data = as_json(question, given, arguments.pairs, made)
    show(arguments, data, *tables(question, given, arguments.pairs, made))


def _changed(present: Mapping[str, Any], pairs: Sequence[str]) -> dict[str, Any]:
    changed = {**present, **read_tuning(pairs, retry=present["retry"])}
    for name in _ASKED_BY_THE_GATE:
        if changed[name] != present[name]:
            raise InputError(
                f"{name} decides whom the gate lets through: change it by `tstn campaign tune`, "
                "then rehearse"
            )
    return changed


def _question(arguments: Namespace) -> Question:
    if not 0 < arguments.hours <= _LONGEST_HOURS:
        raise InputError(f"--hours must be above 0 and at most {_LONGEST_HOURS}")
    if arguments.agents is not None and arguments.agents < 0:
        raise InputError("--agents must be 0 or more")
    named = {field.name: getattr(arguments, f"{field.name}_rate") for field in fields(Rates)}
    rates = {name: rate for name, rate in named.items() if rate is not None}
    start = utc_now() if arguments.start is None else read_moment(arguments.start, "--from")
    return Question(
        start,
        arguments.hours,
        Rates(**rates),
        arguments.agents,
        arguments.seed,
        frozenset(rates),
    )
