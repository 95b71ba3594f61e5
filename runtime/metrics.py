"""`/metrics`: what the parts have counted, and how the rows stand, for Prometheus. I/O.

The parts count in plain numbers of their own and know nothing of Prometheus. What they have is
taken on the event loop, which is quick; the text is made of it in a thread. No label ever holds a
subscriber's number.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import ProcessCollector, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

from dialer.schedule import Schedule
from ivr.node import AsteriskNode
from ivr.queue_9090 import Queue9090
from runtime.loop_lag import LoopLag
from runtime.metric_families import count, counter, gauge, histogram, level
from runtime.row_figures import RowFigures
from runtime.row_metrics import of_rows
from sms.esme.bind import BindState
from sms.service import Texts
from store.journal import Journal


@dataclass(frozen=True)
class Sources:
    """Whose figures are shown."""

    node: AsteriskNode
    queue: Queue9090
    journal: Journal
    texts: Texts
    schedule: Schedule
    lag: LoopLag
    rows: RowFigures


class Metrics:
    """Answers scrapes, several at once if need be."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._process = ProcessCollector(registry=CollectorRegistry())

    async def exposition(self) -> bytes:
        """All metrics in Prometheus's text form."""
        await self._sources.rows.refresh()
        taken = _Taken([*of_process(self._sources), *of_rows(self._sources.rows)], self._process)
        return await asyncio.to_thread(generate_latest, taken)


class _Taken(Collector):
    """What was taken on the loop; the process's own figures are read from /proc by the thread."""

    def __init__(self, families: list[Metric], process: Collector) -> None:
        self._families = families
        self._process = process

    def collect(self) -> Iterator[Metric]:
        yield from self._families
        yield from self._process.collect()


def of_process(sources: Sources) -> Iterator[Metric]:
    """What this process has seen since its start, and how it stands now."""
    yield from _of_calls(sources.node)
    yield from _of_store(sources.journal)
    yield from _of_queue(sources.queue)
    yield from _of_binds(sources.texts)
    yield from _of_texts(sources.texts)
    yield from _of_ticks(sources.schedule)
    yield histogram("tstn_loop_lag_seconds", "How late the event loop was", sources.lag.lags)


def _of_calls(node: AsteriskNode) -> Iterator[Metric]:
    setting = node.call_setting
    tally = setting.tally
    yield level("tstn_asterisk_ready", "Whether Asterisk is there and reconciled", node.ready)
    yield level("tstn_calls_live", "Calls of this server that are not over", len(node.calls))
    yield counter("tstn_calls_originated", "Dials sent", ("trunk",), tally.originated)
    yield counter("tstn_calls_answered", "Calls picked up", ("trunk",), tally.answered)
    by = ("trunk", "disposition")
    yield counter("tstn_calls_ended", "Calls that are over, by how they ended", by, tally.ended)
    yield counter("tstn_keys", "Keys that subscribers pressed", ("key",), tally.keys)
    said = "What came of key 3"
    yield counter("tstn_agents_asked", said, ("outcome",), tally.agents)
    said = "From key 1 until the registration is durable"
    yield histogram("tstn_key_1_committed_seconds", said, setting.key_to_commit)
    said = "From key 1 until the thank-you is heard"
    yield histogram("tstn_key_1_thanks_seconds", said, setting.key_to_thanks)


def _of_store(journal: Journal) -> Iterator[Metric]:
    yield level("tstn_store_up", "Whether the store takes what calls report", journal.store_is_up)
    yield level("tstn_spooled_facts", "Facts of calls that wait for the store", journal.spooled)
    said = "How long the journal's transactions took"
    yield histogram("tstn_store_commit_seconds", said, journal.commits)


def _of_queue(queue: Queue9090) -> Iterator[Metric]:
    yield level("tstn_ami_up", "Whether Asterisk's manager interface answers", not queue.trouble)
    if (view := queue.view) is not None:
        yield level("tstn_queue_9090_waiting", "Subscribers who wait for an agent", view.waiting)
        yield level("tstn_queue_9090_free", "Agents who are free to take one", view.free_agents)


def _of_binds(texts: Texts) -> Iterator[Metric]:
    binds, by, report = texts.binds.all, ("bind",), texts.report()
    states = {
        (bind.name, str(state)): float(bind.state is state) for bind in binds for state in BindState
    }
    yield gauge("tstn_bind_state", "1 for the state that a bind is in", ("bind", "state"), states)
    window = {bind.name: bind.setting.window for bind in binds}
    yield gauge("tstn_bind_window", "Submits that may wait for an answer at once", by, window)
    used = {bind.name: bind.unanswered for bind in binds}
    yield gauge("tstn_bind_window_used", "Submits that wait for an answer now", by, used)
    sent = {name: figures["sent"] for name, figures in report.items()}
    yield counter("tstn_bind_sent", "PDUs with texts that were written", by, sent)


def _of_texts(texts: Texts) -> Iterator[Metric]:
    tally = texts.tally
    by = ("bind", "outcome")
    yield counter("tstn_submits", "What became of texts that were sent", by, tally.submits)
    said = "Texts (or parts) and receipts that came and were stored"
    yield counter("tstn_texts_in", said, ("kind",), tally.arrived)
    said = "What SMSCs were asked to deliver again, for the store was away"
    yield count("tstn_texts_put_off", said, tally.put_off)
    said = "Texts that were read, by what they were taken for"
    yield counter("tstn_texts_read", said, ("verdict",), tally.verdicts)
    said = "From a delivery until it is stored and acknowledged"
    yield histogram("tstn_text_intake_seconds", said, tally.intake)
    said = "From a text's arrival until its answer may be sent"
    yield histogram("tstn_text_answer_seconds", said, tally.answering)


def _of_ticks(schedule: Schedule) -> Iterator[Metric]:
    ticks, by = schedule.ticks, ("tick",)
    last = {name: run.last_at.timestamp() for name, run in ticks.items() if run.last_at}
    yield gauge("tstn_tick_last_good_timestamp_seconds", "When it last went well", by, last)
    seconds = {name: run.seconds for name, run in ticks.items()}
    yield gauge("tstn_tick_seconds", "How long it took when it last went well", by, seconds)
    runs = {name: run.runs for name, run in ticks.items()}
    yield counter("tstn_tick_runs", "Runs of the scheduler's ticks", by, runs)
    failures = {name: run.failures for name, run in ticks.items()}
    yield counter("tstn_tick_failures", "Runs that came to no good end", by, failures)
