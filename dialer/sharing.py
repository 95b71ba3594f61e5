"""Which campaign gets the next call where the server or the trunk has too few for all. Pure.

The rule:

1. A campaign is hungry while its own rate, channels and numbers would let it dial. Nobody else
   counts: what a campaign can't use goes to the next one at once, and nothing is saved up for it.
2. The hungry campaigns of the highest priority come first. If others are hungry behind them, nine
   calls go to those in front and the tenth to those behind, so that nobody starves.
3. Equals share by weight, and the weight is the campaign's own cps: of two equals with 20 and 10
   calls a second, the first gets two calls of three. Those behind share their tenth call by cps ×
   priority. Each of them gets at least its part of that tenth, however many are in front.

Shares are kept by start-time fair queueing: each call moves its campaign on by 1 / weight, the one
that is least far goes next (of equals the one with the smaller id), and who comes back from a pause
begins where the others are. The same questions get the same answers; a restart forgets at most one
round.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

FRONT_CALLS = 9
"""So many calls go to the highest priority before those behind it get one."""


@dataclass(frozen=True, slots=True)
class Want:
    """What a campaign could start now by its own limits."""

    id: int
    priority: int
    weight: float
    most: int


@dataclass(frozen=True, slots=True)
class Pick:
    """One call of a campaign; `line` is where it stood in: its priority, or behind the others."""

    id: int
    line: int
    step: float
    passes_by: bool = False


_BEHIND = 0


@dataclass
class _Line:
    """Fair queueing among some campaigns: how far each has come, and how far the line has."""

    reached: float = 0.0
    next_start: dict[int, float] = field(default_factory=dict)

    def start(self, identity: int) -> float:
        return max(self.reached, self.next_start.get(identity, 0.0))

    def serve(self, identity: int, step: float) -> None:
        self.reached = self.start(identity)
        self.next_start[identity] = self.reached + step


@dataclass
class Sharing:
    """Remembers who was served, so that shares hold over any number of small rounds."""

    _lines: dict[int, _Line] = field(default_factory=dict)
    _passed_by: int = 0

    def plan(self, calls: int, wants: Sequence[Want]) -> list[Pick]:
        """Who gets each of so many calls, in order; fewer where the wants are fewer."""
        trial = deepcopy(self)
        left = {want.id: want.most for want in wants}
        picks: list[Pick] = []
        while len(picks) < calls:
            pick = trial._next([want for want in wants if left[want.id] > 0])
            if pick is None:
                break
            trial._serve(pick)
            left[pick.id] -= 1
            picks.append(pick)
        return picks

    def charge(self, picks: Sequence[Pick], taken: Mapping[int, int]) -> None:
        """Keep in mind what was really taken of a plan: of each campaign the first picks."""
        left = Counter(taken)
        for pick in picks:
            if left[pick.id] > 0:
                left[pick.id] -= 1
                self._serve(pick)

    def _next(self, hungry: Sequence[Want]) -> Pick | None:
        if not hungry:
            return None
        highest = max(want.priority for want in hungry)
        front = [want for want in hungry if want.priority == highest]
        behind = [want for want in hungry if want.priority < highest]
        if behind and self._passed_by >= FRONT_CALLS:
            return self._least_far(_BEHIND, behind, passes_by=False)
        return self._least_far(highest, front, passes_by=bool(behind))

    def _least_far(self, line: int, wants: Sequence[Want], *, passes_by: bool) -> Pick:
        found = self._lines.setdefault(line, _Line())
        want = min(wants, key=lambda want: (found.start(want.id), want.id))
        weight = want.weight if line != _BEHIND else want.weight * want.priority
        return Pick(want.id, line, 1.0 / weight, passes_by)

    def _serve(self, pick: Pick) -> None:
        self._lines.setdefault(pick.line, _Line()).serve(pick.id, pick.step)
        if pick.line == _BEHIND:
            self._passed_by = 0
        elif pick.passes_by:
            self._passed_by += 1
