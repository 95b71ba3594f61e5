"""Levels, clipping and silence of samples whose answers are known."""

import math
from array import array

import pytest

from ivr.prompt_audio import alaw_rms_dbfs, clipped_share, longest_silence, peak_dbfs, rms_dbfs


def tone(seconds: float, amplitude: int) -> "array[int]":
    """A sine of 400 Hz at 8 kHz."""
    places = range(round(seconds * 8000))
    return array("h", (round(amplitude * math.sin(place * math.pi / 10)) for place in places))


def test_a_sine_is_three_decibels_below_its_peak() -> None:
    samples = tone(1, 16384)
    assert peak_dbfs(samples) == pytest.approx(-6.02, abs=0.01)
    assert rms_dbfs(samples) == pytest.approx(-9.03, abs=0.01)


def test_digital_silence_has_no_level() -> None:
    assert rms_dbfs(array("h", [0] * 80)) == -math.inf


@pytest.mark.parametrize(
    ("byte", "value"), [(0xD5, 8), (0x55, 8), (0xC5, 264), (0xAA, 32256), (0x2A, 32256)]
)
def test_alaw_bytes_have_the_values_of_g711(byte: int, value: int) -> None:
    level = alaw_rms_dbfs(bytes([byte]) * 9)
    assert level == pytest.approx(20 * math.log10(value / 32768))


def test_only_runs_at_full_scale_are_clipped() -> None:
    assert clipped_share(tone(1, 32767), 1) == 0
    assert clipped_share(array("h", [32767, 32767, 32767, 0, -32768, -32768, 0, 0]), 1) == 3 / 8


def test_each_channel_is_searched_for_clipping() -> None:
    interleaved = array("h", [32767, 5] * 4)
    assert clipped_share(interleaved, 2) == 1 / 2


def test_the_longest_silence_is_found_between_words() -> None:
    samples = tone(0.5, 9000) + tone(0.2, 0) + tone(0.5, 9000) + tone(0.9, 0) + tone(0.1, 9000)
    start, seconds = longest_silence(samples)
    assert (start, seconds) == (pytest.approx(1.2), pytest.approx(0.9))
