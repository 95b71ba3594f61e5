"""What `/metrics` tells, read as Prometheus reads it. Pure."""

import re
from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families

from lab.network import CHECKOUT

NUMBER = re.compile(r"(?<![0-9A-Za-z])(?:\+?84|0)[35789][0-9]{8}(?![0-9A-Za-z])")
"""A subscriber's number that nobody has masked."""
_METRIC = re.compile(r"\b(?:tstn|process)_[a-z0-9_]+")


class Exposition:
    """The samples of one scrape."""

    def __init__(self, text: str) -> None:
        self._families = list(text_string_to_metric_families(text))
        self._samples = [sample for family in self._families for sample in family.samples]

    def value(self, name: str, **labels: str) -> float:
        """The sum of the samples of this name that have these labels."""
        return sum(
            sample.value
            for sample in self._samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def names(self) -> set[str]:
        """Every name that a query may use, whether it has a sample yet or not."""
        return {sample.name for sample in self._samples} | {
            f"{family.name}_total" if family.type == "counter" else family.name
            for family in self._families
        }

    def labels(self) -> Iterator[str]:
        """Every value of a label."""
        for sample in self._samples:
            yield from sample.labels.values()


def used_in_config() -> set[str]:
    """The metrics that the example dashboard and the alert rules name."""
    files = ("config/grafana/tstn.json", "config/prometheus/alerts.yml")
    texts = [(CHECKOUT / file).read_text(encoding="utf-8") for file in files]
    return {name for text in texts for name in _METRIC.findall(text)}
