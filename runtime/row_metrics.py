"""Metrics of what stands in rows: the same on every server of one store. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from prometheus_client.core import Metric

from domain.brake_alarms import scope_of
from domain.states import Channel
from runtime.metric_families import counter, gauge, level
from runtime.row_figures import RowFigures
from store.callback_figures import Figures
from store.scrape import Present
from store.texts import Backlog


def of_rows(rows: RowFigures) -> Iterator[Metric]:
    """How the rows stood when they were last read; nothing of them before the first time."""
    said = "How long ago the figures of rows were read"
    yield level("tstn_rows_age_seconds", said, rows.age_seconds)
    said = "Registrations of all servers since the start of this one"
    by_channel = {str(channel): float(rows.registrations[channel]) for channel in Channel}
    yield counter("tstn_registrations", said, ("channel",), by_channel)
    if rows.present is not None:
        yield from _of_callbacks(rows.present.callbacks)
        yield from _of_campaigns(rows.present, rows.due)
        yield from _of_brakes(rows.present.brakes)
        yield from _of_texts(rows.present.texts)


def _of_callbacks(figures: Figures) -> Iterator[Metric]:
    waiting = {str(state): float(number) for state, number in figures.by_sla.items()}
    said = "Call-backs still to be made, by how they stand against their deadlines"
    yield gauge("tstn_callbacks_waiting", said, ("sla",), waiting)
    yield level("tstn_callbacks_held", "Those of them that an agent holds", figures.held)
    said = "Promises of 48 hours that ran out today"
    yield level("tstn_callbacks_broken_today", said, figures.broken_today)


def _of_campaigns(present: Present, is_due: frozenset[int]) -> Iterator[Metric]:
    by = ("campaign",)
    said = "Channels in use"
    yield gauge("tstn_channels_in_use", said, ("campaign", "trunk"), present.channels)
    both = (*present.running, *present.texting)
    due = {each.name: float(each.id in is_due) for each in both}
    said = "Whether a running campaign has a number to dial, or to text, now, within its window"
    yield gauge("tstn_campaign_due", said, by, due)
    said = "When a running campaign last dialled, or was started if it never has"
    last = {
        each.name: at.timestamp()
        for each in present.running
        if (at := present.last_dials[each.id] or each.started_at) is not None
    }
    yield gauge("tstn_campaign_last_dial_timestamp_seconds", said, by, last)
    said = "When a running campaign of texts last posted one, or was started if it never has"
    last = {
        each.name: at.timestamp()
        for each in present.texting
        if (at := each.text_due_at or each.started_at) is not None
    }
    yield gauge("tstn_campaign_last_text_timestamp_seconds", said, by, last)
    cps = {each.name: each.cps for each in present.running}
    yield gauge("tstn_campaign_cps", "Calls a second at most, of a running campaign", by, cps)
    channels = {each.name: each.max_channels for each in present.running}
    yield gauge("tstn_campaign_channels", "Channels at most, of a running campaign", by, channels)
    cps = {scope: caps.cps for scope, caps in present.limits.items()}
    yield gauge(
        "tstn_limit_cps", "Calls a second at most, as set by `tstn limits`", ("scope",), cps
    )
    channels = {scope: caps.max_channels for scope, caps in present.limits.items()}
    yield gauge("tstn_limit_channels", "Channels at most, as set there", ("scope",), channels)


def _of_brakes(rows: Sequence[Mapping[str, Any]]) -> Iterator[Metric]:
    factors: dict[tuple[str, str], float] = {}
    for row in rows:
        key = (str(row["cause"]), scope_of(row))
        factors[key] = min(row["factor"], factors.get(key, 1.0))
    said = "To what of its rate a drawn brake slows, overridden or not; 0 for an open breaker"
    yield gauge("tstn_brake_factor", said, ("cause", "scope"), factors)


def _of_texts(backlog: Backlog) -> Iterator[Metric]:
    waiting = {
        "unread": backlog.unread,
        "parts": backlog.parts_waiting,
        "orphan_receipts": backlog.orphans,
    }
    yield gauge("tstn_texts_waiting", "What came in and waits", ("what",), waiting)
    said = "Texts that wait to be sent"
    yield gauge("tstn_texts_queued", said, ("account",), backlog.queued)
    said = "Texts that wait for the SMSC's answer, as the rows have it"
    yield gauge("tstn_texts_sending", said, ("bind",), backlog.sending)
