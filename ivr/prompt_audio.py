"""Prompt audio as numbers: read a WAV, measure level, clipping and silence. I/O.

Samples are signed 16-bit, full scale 32768; levels are dBFS (0 dBFS = full scale), -inf for
digital silence. The telephone side is G.711 A-law at 8 kHz, one byte a sample.
"""

import math
import wave
from array import array
from collections import Counter
from io import BytesIO
from itertools import groupby
from operator import mul
from pathlib import Path

RATE = 8000
"""Samples a second of all telephone audio."""

_FULL_SCALE = 32768
_FRAME_SECONDS = 0.02
_SILENT_FRAME_DBFS = -50.0


class AudioFault(Exception):
    """What is wrong with one file, as words to stand after its name: "is empty"."""


def read_wav(path: Path) -> "array[int]":
    """The samples of a WAV that is 8 kHz mono 16-bit PCM; raises AudioFault on anything else."""
    samples, rate, channels = read_pcm(path)
    if (rate, channels) != (RATE, 1):
        raise AudioFault(f"is {rate} Hz with {channels} channels, not 8000 Hz mono")
    return samples


def read_pcm(path: Path) -> "tuple[array[int], int, int]":
    """Samples (channels interleaved), rate in Hz, channels of a 16-bit PCM WAV; or AudioFault."""
    content = BytesIO(_read_bytes(path))
    try:
        with wave.open(content, "rb") as file:
            promised, width = file.getnframes() * file.getnchannels(), file.getsampwidth()
            data, rate, channels = (
                file.readframes(promised),
                file.getframerate(),
                file.getnchannels(),
            )
    except (wave.Error, EOFError) as error:
        raise AudioFault(f"is not a PCM WAV file ({error or 'cut off in its header'})") from None
    if width != 2:
        raise AudioFault(f"has {8 * width}-bit samples, not 16-bit")
    if len(data) != 2 * promised:
        raise AudioFault("is cut off: shorter than its header says")
    if not data:
        raise AudioFault("is empty")
    return array("h", data), rate, channels


def read_alaw(path: Path) -> bytes:
    """The bytes of a headerless A-law file, one a sample; raises AudioFault if missing or empty."""
    return _read_bytes(path)


def _read_bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise AudioFault("is missing") from None
    except OSError as error:
        raise AudioFault(f"cannot be read ({error.strerror})") from None
    if not data:
        raise AudioFault("is empty")
    return data


def peak_dbfs(samples: "array[int]") -> float:
    """The level of the loudest sample."""
    return _decibels(max(max(samples), -min(samples)))


def rms_dbfs(samples: "array[int]") -> float:
    """The level of the root mean square of 16-bit samples."""
    return _decibels(math.sqrt(sum(map(mul, samples, samples)) / len(samples)))


def alaw_rms_dbfs(data: bytes) -> float:
    """The level of the root mean square of A-law bytes."""
    power = sum(count * _alaw_magnitude(byte) ** 2 for byte, count in Counter(data).items())
    return _decibels(math.sqrt(power / len(data)))


def clipped_share(samples: "array[int]", channels: int) -> float:
    """The share (0…1) of samples that stand at full scale three or more in a row."""
    clipped = 0
    for channel in range(channels):
        at_limit = (abs(sample) >= _FULL_SCALE - 2 for sample in samples[channel::channels])
        runs = (sum(1 for _ in run) for is_at_limit, run in groupby(at_limit) if is_at_limit)
        clipped += sum(length for length in runs if length >= 3)
    return clipped / len(samples)


def longest_silence(samples: "array[int]") -> tuple[float, float]:
    """Start and length in seconds of the longest stretch under -50 dBFS of 8 kHz samples."""
    size = round(RATE * _FRAME_SECONDS)
    starts = range(0, len(samples), size)
    silent = (rms_dbfs(samples[start : start + size]) < _SILENT_FRAME_DBFS for start in starts)
    longest, position = (0, 0), 0
    for is_silent, run in groupby(silent):
        length = sum(1 for _ in run)
        if is_silent and length > longest[1]:
            longest = (position, length)
        position += length
    return longest[0] * _FRAME_SECONDS, longest[1] * _FRAME_SECONDS


def _decibels(amplitude: float) -> float:
    return 20 * math.log10(amplitude / _FULL_SCALE) if amplitude else -math.inf


def _alaw_magnitude(byte: int) -> int:
    """The absolute 16-bit value of one A-law byte (ITU-T G.711)."""
    bits = byte ^ 0x55
    exponent, mantissa = (bits & 0x70) >> 4, bits & 0x0F
    if exponent == 0:
        return (mantissa << 4) + 8
    return ((mantissa << 4) + 0x108) << (exponent - 1)
