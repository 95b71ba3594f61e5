"""Which prompts, in which order, does a subscriber hear in a recording? I/O.

Samples are float32 arrays of 8 kHz mono audio. A prompt is cut into short pieces; normalised
cross-correlation (1.0 = the same wave, whatever the level) finds where its first pieces sound, and
from there each next piece must follow at its place. Pieces may slip a little, because a recorder
under load drops or repeats frames, and the last ones may be missing, because a key cuts a prompt.

All prompts are one voice and share phrases: "close" is also the last sentence of "after_1". So only
a prompt's beginning makes a candidate, and what lies inside a better candidate is part of it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domain.errors import InputError
from ivr.prompt_audio import RATE, AudioFault, read_wav

Samples = NDArray[np.float32]

_PIECE = RATE // 5
"""Samples of one piece: 0.2 s, less than a syllable, long enough not to fit elsewhere."""

_ALIKE = 0.93
"""Likeness of a recognised piece: the same audio has 0.99, its words said elsewhere rarely 0.9."""

_FIRST_PIECES = 4
"""Any of these can show where a prompt begins, so that one damaged piece does not hide it."""

_SLIP = RATE // 100
_EARLY, _LATE = RATE, RATE // 4
"""Samples by which a piece may be off its place: usually; and where audio was lost, or silence
added (Asterisk's recorder on a busy machine drops up to half a second at once)."""

_LOST_PIECES = 6
"""Pieces not heard in a row after which the prompt has been cut."""

_MIN_PIECES, _MIN_SHARE = 2, 0.5
"""Recognised pieces that make a prompt, in number and as a share of those up to its end."""

_FLOOR = 60.0
"""Root mean square of 16-bit samples below which a piece is a pause and proves nothing."""

_BLOCK = 16384
_STEP = _BLOCK - _PIECE + 1
"""Samples of one Fourier transform, and the places of a piece that it tells."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One prompt in a recording, its times to about 0.2 s; `score` is its mean likeness, 0…1.

    `heard_seconds` ends with the last recognised piece, so it leaves out the pause at the end.
    """

    name: str
    start_seconds: float
    heard_seconds: float
    score: float


def read_samples(path: Path) -> Samples:
    """The samples of an 8 kHz mono 16-bit WAV; raises InputError naming the file."""
    try:
        return np.array(read_wav(path), dtype=np.float32)
    except AudioFault as fault:
        raise InputError(f"{path} {fault}") from None


def hear(recording: Samples, prompts: Mapping[str, Samples]) -> list[Heard]:
    """The prompts heard in the recording, in order; less than half a second is not recognised."""
    sound = _Recording(recording)
    candidates = [
        candidate
        for name, prompt in prompts.items()
        for start in _possible_starts(sound, prompt)
        if (candidate := _follow(sound, name, prompt, start)) is not None
    ]
    accepted: list[_Candidate] = []
    for candidate in sorted(candidates, key=lambda each: sum(each.scores), reverse=True):
        if not candidate.is_part_of(accepted):
            accepted.append(candidate)
    return [candidate.heard() for candidate in sorted(accepted, key=lambda each: each.start)]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A prompt that may begin at `start`; the places and scores of its recognised pieces."""

    name: str
    start: int
    places: list[int]
    scores: list[float]

    def is_part_of(self, others: Iterable["_Candidate"]) -> bool:
        """Whether most of what speaks for this one is what the others are made of."""
        spans = [range(other.places[0], other.places[-1] + _PIECE) for other in others]
        middles = (place + _PIECE // 2 for place in self.places)
        shared = sum(any(middle in span for span in spans) for middle in middles)
        return shared > len(self.places) / 2

    def heard(self) -> Heard:
        seconds = (self.places[-1] + _PIECE - self.start) / RATE
        return Heard(self.name, self.start / RATE, seconds, float(np.mean(self.scores)))


class _Recording:
    """A recording made ready to be searched for pieces."""

    def __init__(self, samples: Samples) -> None:
        self._places = max(0, len(samples) - _PIECE + 1)
        blocks = max(1, -(-self._places // _STEP))
        self._samples = np.zeros(blocks * _STEP + _PIECE - 1, dtype=np.float32)
        self._samples[: len(samples)] = samples
        windows = np.lib.stride_tricks.sliding_window_view(self._samples, _BLOCK)[::_STEP]
        self._spectrum = np.fft.rfft(windows, axis=1)
        energy = np.concatenate(([0.0], np.cumsum(np.square(samples, dtype=np.float64))))
        heard = energy[_PIECE:] - energy[: self._places]
        self._norms = np.sqrt(np.maximum(heard, _PIECE * _FLOOR**2)).astype(np.float32)

    def likeness(self, piece: Samples) -> Samples:
        """The normalised cross-correlation of the piece with every place, -1…1."""
        spectrum = self._spectrum * np.conj(np.fft.rfft(piece, _BLOCK))
        products = np.fft.irfft(spectrum, _BLOCK, axis=1)[:, :_STEP].reshape(-1)
        return self._normalised(products[: self._places].astype(np.float32), 0, piece)

    def best(self, piece: Samples, first: int, last: int) -> tuple[int, float]:
        """The likest place of the piece from the first to the last place, and its likeness."""
        first, last = max(0, first), min(self._places - 1, last)
        if first > last:
            return first, 0.0
        products = np.correlate(self._samples[first : last + _PIECE], piece)
        likeness = self._normalised(products, first, piece)
        best = int(np.argmax(likeness))
        return first + best, float(likeness[best])

    def _normalised(self, products: Samples, first: int, piece: Samples) -> Samples:
        norms = self._norms[first : first + len(products)] * float(np.linalg.norm(piece))
        likeness: Samples = (products / norms).astype(np.float32)
        return likeness


def _pieces(prompt: Samples) -> Iterator[tuple[int, Samples]]:
    """The pieces of a prompt that are not pauses, each with its place in samples."""
    for place in range(0, len(prompt) - _PIECE + 1, _PIECE):
        piece = prompt[place : place + _PIECE]
        if _level(piece) >= _FLOOR:
            yield place, piece


def _level(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))


def _possible_starts(recording: _Recording, prompt: Samples) -> list[int]:
    """Places in the recording, in samples, from which one of the first pieces says it begins."""
    starts: list[int] = []
    for place, piece in islice(_pieces(prompt), _FIRST_PIECES):
        for peak in _peaks(recording.likeness(piece)):
            start = peak - place
            if all(abs(start - other) > _LATE for other in starts):
                starts.append(start)
    return starts


def _peaks(likeness: Samples) -> list[int]:
    """The best place of each group of neighbouring places that are alike enough."""
    alike = np.flatnonzero(likeness >= _ALIKE)
    groups = np.split(alike, np.flatnonzero(np.diff(alike) > _PIECE) + 1)
    return [int(group[np.argmax(likeness[group])]) for group in groups if len(group)]


def _follow(recording: _Recording, name: str, prompt: Samples, start: int) -> _Candidate | None:
    """Follow the prompt from its start until it is no longer heard; None if it is another."""
    places: list[int] = []
    scores: list[float] = []
    lost, slip, needed = 0, 0, float(_MIN_PIECES)
    for tried, (place, piece) in enumerate(_pieces(prompt), start=1):
        due = start + place + slip
        where, score = recording.best(piece, due - _SLIP, due + _SLIP)
        if score < _ALIKE:
            # Never before what was heard last: there it would be the same words of another time.
            earliest = places[-1] + _PIECE // 2 if places else due - _LATE
            where, score = recording.best(piece, max(earliest, due - _EARLY), due + _LATE)
        if score >= _ALIKE:
            if not places:
                needed += lost  # a beginning that is not heard asks for more of the rest
            places.append(where)
            scores.append(score)
            slip, lost = where - start - place, 0
            needed = max(needed, tried * _MIN_SHARE)
        elif (lost := lost + 1) == _LOST_PIECES:
            break
    return _Candidate(name, start, places, scores) if len(places) >= needed else None
