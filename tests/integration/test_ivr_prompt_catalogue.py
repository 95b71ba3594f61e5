"""The check at start-up names every prompt file that cannot be played."""

import wave
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.errors import ConfigError
from ivr.prompts import PROMPT_NAMES, Script, check_catalogue, load_script

SCRIPT_FILE = Path(__file__).parents[2] / "prompts" / "script-vi.toml"
LOUD_ALAW = b"\xaa\x2a\xa5\x25"


@pytest.fixture
def script() -> Script:
    return load_script(SCRIPT_FILE)


@pytest.fixture
def prompts(tmp_path: Path, script: Script) -> Path:
    """A folder of prompts, half a second each, that passes the check."""
    folder = tmp_path / script.version
    folder.mkdir()
    for name in PROMPT_NAMES:
        write_wav(folder / f"{name}.wav")
        (folder / f"{name}.alaw").write_bytes(LOUD_ALAW * 1000)
    return tmp_path


def write_wav(
    path: Path, *, sample: int = 9000, rate: int = 8000, channels: int = 1, width: int = 2
) -> None:
    with wave.open(str(path), "wb") as file:
        file.setframerate(rate)
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.writeframes(sample.to_bytes(4, "little", signed=True)[:width] * 4000 * channels)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def test_a_whole_set_is_accepted_with_its_durations(prompts: Path, script: Script) -> None:
    catalogue = check_catalogue(prompts, script)
    assert {name: catalogue.seconds(name) for name in PROMPT_NAMES} == dict.fromkeys(
        PROMPT_NAMES, 0.5
    )
    assert catalogue.media("offer") == f"sound:tstn/{script.version}/offer"


@pytest.mark.parametrize(
    ("file", "spoil", "complaint"),
    [
        ("close.wav", Path.unlink, "close.wav is missing"),
        ("close.alaw", Path.unlink, "close.alaw is missing"),
        ("close.wav", lambda path: path.write_bytes(b""), "close.wav is empty"),
        ("close.alaw", lambda path: path.write_bytes(b""), "close.alaw is empty"),
        ("offer.wav", lambda path: write_wav(path, rate=16000), "is 16000 Hz with 1 channels"),
        ("offer.wav", lambda path: write_wav(path, channels=2), "is 8000 Hz with 2 channels"),
        ("offer.wav", lambda path: write_wav(path, width=1), "has 8-bit samples"),
        ("offer.wav", lambda path: path.write_text("hello, world"), "is not a PCM WAV file"),
        ("offer.wav", lambda path: path.write_bytes(b"RIFF"), "is not a PCM WAV file"),
        ("offer.wav", cut, "offer.wav is cut off"),
        ("offer.wav", lambda path: write_wav(path, sample=3), "offer.wav is silent"),
        ("offer.alaw", lambda path: path.write_bytes(b"\xd5" * 4000), "offer.alaw is silent"),
        ("offer.alaw", cut, "offer.alaw lasts 0.38 s and its .wav 0.50 s"),
    ],
)
def test_one_broken_file_stops_the_start(
    prompts: Path, script: Script, file: str, spoil: Callable[[Path], object], complaint: str
) -> None:
    spoil(prompts / script.version / file)
    with pytest.raises(ConfigError) as refusal:
        check_catalogue(prompts, script)
    line = str(refusal.value)
    assert complaint in line
    assert file in line
    assert "tstn prompts build" in line


def test_all_broken_files_are_named_at_once(prompts: Path, script: Script) -> None:
    folder = prompts / script.version
    (folder / "notice.alaw").unlink()
    (folder / "notice.wav").write_bytes(b"")
    write_wav(folder / "after_1.wav", rate=44100)
    with pytest.raises(ConfigError, match=r"notice.wav is empty; notice.alaw is missing; after_1"):
        check_catalogue(prompts, script)


def test_a_version_never_built_is_one_short_line(tmp_path: Path, script: Script) -> None:
    with pytest.raises(ConfigError, match=r"no prompts in .*vi-1: run `tstn prompts build`"):
        check_catalogue(tmp_path, script)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(None, "cannot be read"), (b"\xff\xfe", "is not UTF-8"), (b"voice = 1", "key missing")],
)
def test_a_script_file_that_cannot_be_read_is_named(
    tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    path = tmp_path / "script.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"script\.toml: {complaint}"):
        load_script(path)
