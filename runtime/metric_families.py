"""Prometheus's families of metrics, made of plain counts and waits. Pure."""

from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any, TypeVar

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from domain.latency import BOUNDS, Latency

Samples = Mapping[Any, float]
"""By the values of the labels: text where there is one, else a tuple of texts."""
Family = TypeVar("Family", CounterMetricFamily, GaugeMetricFamily)


def counter(name: str, help_: str, labels: Iterable[str], samples: Samples) -> Metric:
    """What only grows; the exposition adds `_total` to the name."""
    return _filled(CounterMetricFamily(name, help_, labels=list(labels)), samples)


def gauge(name: str, help_: str, labels: Iterable[str], samples: Samples) -> Metric:
    """What goes up and down."""
    return _filled(GaugeMetricFamily(name, help_, labels=list(labels)), samples)


def count(name: str, help_: str, value: float) -> Metric:
    """A counter without labels."""
    return CounterMetricFamily(name, help_, value=value)


def level(name: str, help_: str, value: float) -> Metric:
    """A gauge without labels."""
    return GaugeMetricFamily(name, help_, value=value)


def histogram(name: str, help_: str, waits: Latency) -> Metric:
    """All waits since the start of the process, in seconds."""
    bounds = [*(str(bound) for bound in BOUNDS), "+Inf"]
    buckets = list(zip(bounds, accumulate(waits.counts), strict=True))
    return HistogramMetricFamily(name, help_, buckets=buckets, sum_value=waits.total)


def _filled(family: Family, samples: Samples) -> Family:
    for labels, value in samples.items():
        family.add_metric([labels] if isinstance(labels, str) else list(labels), value)
    return family
