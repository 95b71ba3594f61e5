"""What a subscriber heard is told from a recording: built prompts, joined, sent through A-law."""

import random
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from domain.errors import InputError
from ivr.prompt_audio import RATE
from ivr.prompt_builder import build
from ivr.prompts import PROMPT_NAMES
from lab.listen import Samples, hear, read_samples

SCRIPT_FILE = Path(__file__).parents[2] / "prompts" / "script-vi.toml"
MENU = ("notice", "offer", "menu_replay", "menu_agent")
FRAME = RATE // 50
REFUSED = "refused"
"""It begins with the words of the notice and ends with those of the farewell."""

Prompts = Mapping[str, Samples]
Said = str | tuple[str, float]
"""A whole prompt, or the first seconds of one."""


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Prompts:
    """The real script's prompts."""
    out = tmp_path_factory.mktemp("prompts")
    build(SCRIPT_FILE, out / "none", out)
    return {name: read_samples(out / "vi-1" / f"{name}.wav") for name in PROMPT_NAMES}


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), dtype=np.float32)


def record(prompts: Prompts, *said: Said, pause: float = 0.06, before: float = 1.3) -> Samples:
    """A call as recorded: silence, then each prompt, cut where a key cut it, through A-law."""
    parts = [silence(before)]
    for item in said:
        name, seconds = (item, 99.0) if isinstance(item, str) else item
        parts += [prompts[name][: round(seconds * RATE)], silence(pause)]
    return through_alaw(np.concatenate([*parts, silence(1)]))


def through_alaw(samples: Samples) -> Samples:
    data = samples.astype("<i2").tobytes()
    plain, alaw = (["-t", kind, "-r", "8000", "-c", "1", "-"] for kind in ("s16", "al"))
    for command in (["sox", "-D", *plain, *alaw], ["sox", "-D", *alaw, *plain]):
        data = subprocess.run(command, input=data, check=True, capture_output=True).stdout
    return np.frombuffer(data, "<i2").astype(np.float32)


def names(recording: Samples, prompts: Prompts) -> list[str]:
    return [heard.name for heard in hear(recording, prompts)]


@pytest.mark.parametrize(
    "said",
    [
        (*MENU, "after_1"),
        (*MENU, "close"),
        (*MENU, *MENU, "close"),
        (*MENU, "no_agent"),
        ("close",),
        ("after_1",),
        ("after_1", "close"),
        ("close", "after_1"),
        tuple(reversed(PROMPT_NAMES)),
        (),
    ],
)
@pytest.mark.parametrize("pause", [0.0, 0.5])
def test_whole_prompts_are_heard_in_their_order(
    prompts: Prompts, said: tuple[str, ...], pause: float
) -> None:
    assert names(record(prompts, *said, pause=pause), prompts) == list(said)


def test_a_long_silence_between_menus_is_no_matter(prompts: Prompts) -> None:
    recording = record(prompts, *MENU, *MENU, "close", pause=5, before=0)
    assert names(recording, prompts) == [*MENU, *MENU, "close"]


@pytest.mark.parametrize(
    "said",
    [
        (("notice", 1.5), "after_1"),
        (("notice", 0.8), "after_1"),
        ("notice", ("offer", 5.0), "notice", "offer", ("menu_replay", 1.0), "after_1"),
        (("notice", 2.0), ("notice", 2.0), "notice", ("offer", 1.2), "no_agent"),
        (*MENU, ("after_1", 3.0)),
        (*MENU, ("after_1", 9.5)),
    ],
)
def test_prompts_cut_by_a_key_or_a_hang_up_are_heard_as_far_as_they_went(
    prompts: Prompts, said: tuple[Said, ...]
) -> None:
    heard = hear(record(prompts, *said, pause=0), prompts)
    assert [each.name for each in heard] == [
        each if isinstance(each, str) else each[0] for each in said
    ]
    for each, item in zip(heard, said, strict=True):
        if not isinstance(item, str):
            assert each.heard_seconds == pytest.approx(item[1], abs=0.35)


def test_places_and_lengths_are_told(prompts: Prompts) -> None:
    first, second = hear(record(prompts, "notice", "close", pause=2, before=1.3), prompts)
    assert first.start_seconds == pytest.approx(1.3, abs=0.01)
    notice_seconds = len(prompts["notice"]) / RATE
    assert first.heard_seconds == pytest.approx(notice_seconds, abs=0.5)
    assert second.start_seconds == pytest.approx(1.3 + notice_seconds + 2, abs=0.01)
    assert min(first.score, second.score) > 0.99


@pytest.mark.parametrize(
    "name", [name for name in PROMPT_NAMES if name not in {"after_1", "no_agent", REFUSED}]
)
def test_a_prompt_is_not_taken_for_another(prompts: Prompts, name: str) -> None:
    others = {other: prompt for other, prompt in prompts.items() if other not in {name, REFUSED}}
    assert names(record(prompts, name), others) == []


def test_the_end_of_after_1_is_its_own_and_not_close(prompts: Prompts) -> None:
    thanks = record(prompts, "after_1")
    assert names(thanks, prompts) == ["after_1"]
    without = {name: prompt for name, prompt in prompts.items() if name != "after_1"}
    assert names(thanks, without) == ["close"], "the trap: the same sentence does stand in it"


@pytest.mark.parametrize("level", [0.1, 0.5])
def test_the_level_is_no_matter(prompts: Prompts, level: float) -> None:
    quiet = np.multiply(record(prompts, *MENU, "after_1"), level, dtype=np.float32)
    assert names(quiet, prompts) == [*MENU, "after_1"]


def test_noise_is_no_prompt(prompts: Prompts) -> None:
    noise = np.random.default_rng(7).normal(0, 3000, 20 * RATE).astype(np.float32)
    assert names(noise, prompts) == []


@pytest.mark.parametrize("seed", range(4))
def test_a_recorder_under_load_that_loses_and_repeats_frames_is_understood(
    prompts: Prompts, seed: int
) -> None:
    dice = random.Random(seed)
    recording = record(prompts, ("notice", 2.0), *MENU, "after_1")
    frames = [recording[place : place + FRAME] for place in range(37, len(recording), FRAME)]
    jolted = [frame for frame in frames for _ in range(dice.choices((0, 1, 2), (1, 98, 1))[0])]
    assert names(np.concatenate(jolted), prompts) == ["notice", *MENU, "after_1"]


@pytest.mark.parametrize("lost_seconds", [0.2, 0.5])
@pytest.mark.parametrize("said", [(*MENU, "after_1"), ("after_1", "close")])
def test_audio_lost_in_every_prompt_does_not_make_two_of_one(
    prompts: Prompts, said: tuple[str, ...], lost_seconds: float
) -> None:
    lost = round(lost_seconds * RATE)
    torn = {
        name: np.concatenate([prompt[: len(prompt) // 3], prompt[len(prompt) // 3 + lost :]])
        for name, prompt in prompts.items()
    }
    heard = hear(record(torn, *said), prompts)
    assert [each.name for each in heard] == list(said)
    for each in heard:
        length = len(prompts[each.name]) / RATE - lost_seconds
        assert each.heard_seconds == pytest.approx(length, abs=0.5)


@pytest.mark.parametrize("length", [0, 1, 1599, 1600])
def test_a_recording_shorter_than_a_word_holds_nothing(prompts: Prompts, length: int) -> None:
    assert hear(prompts["notice"][:length], prompts) == []


def test_a_file_that_is_no_recording_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"call\.wav is missing"):
        read_samples(tmp_path / "call.wav")
