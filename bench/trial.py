"""What one run at one rate came to. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median


@dataclass(frozen=True)
class Trial:
    """Calls offered at a rate; `done` ended as they should; CPU in milliseconds per call."""

    name: str
    rate: float
    offered: int
    done: int
    started_per_second: float
    asterisk_ms: float
    ours_ms: float
    latencies: dict[str, dict[str, float]]

    @property
    def lost(self) -> int:
        """Calls that did not end as they should."""
        return self.offered - self.done

    @property
    def done_per_second(self) -> float:
        """What was started a second, without those that were lost."""
        return self.started_per_second * self.done / self.offered

    @property
    def holds(self) -> bool:
        """No call lost, and the rate kept to within three per cent."""
        return self.lost == 0 and self.started_per_second >= 0.97 * self.rate


def in_the_middle(trials: Sequence[Trial]) -> Trial:
    """Trials of one thing at one rate as one: calls in sum, of each other figure the median."""
    first = trials[0]
    return replace(
        first,
        offered=sum(trial.offered for trial in trials),
        done=sum(trial.done for trial in trials),
        started_per_second=median(trial.started_per_second for trial in trials),
        asterisk_ms=median(trial.asterisk_ms for trial in trials),
        ours_ms=median(trial.ours_ms for trial in trials),
        latencies={
            wait: {
                figure: median(trial.latencies[wait][figure] for trial in trials)
                for figure in figures
            }
            for wait, figures in first.latencies.items()
        },
    )
