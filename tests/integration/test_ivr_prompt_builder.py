"""The builder with the real espeak-ng and sox."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from domain.errors import ConfigError
from ivr.prompt_audio import longest_silence, peak_dbfs, read_wav, rms_dbfs
from ivr.prompt_builder import BuiltPrompt, build
from ivr.prompts import PROMPT_NAMES, check_catalogue, load_script

SCRIPT_FILE = Path(__file__).parents[2] / "prompts" / "script-vi.toml"
MENU = ("notice", "offer", "menu_replay", "menu_agent")


@dataclass(frozen=True)
class Studio:
    """A script of one's own, a folder for recordings, and where the audio goes."""

    script: Path
    recordings: Path
    out: Path

    def build(self, *, if_changed: bool = True) -> dict[str, BuiltPrompt]:
        made = build(self.script, self.recordings, self.out, if_changed=if_changed)
        return {prompt.name: prompt for prompt in made}

    def new(self) -> list[str]:
        return [prompt.name for prompt in self.build().values() if prompt.is_new]

    def rewrite(self, old: str, new: str) -> None:
        text = self.script.read_text(encoding="utf-8")
        assert old in text
        self.script.write_text(text.replace(old, new), encoding="utf-8")

    def record(self, name: str, *effects: str, source: str | None = None) -> Path:
        """A studio recording, 44.1 kHz stereo 24-bit, made from a prompt built before."""
        path = self.recordings / "vi-1" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        original = self.out / "vi-1" / f"{source or name}.wav"
        form = ["-r", "44100", "-c", "2", "-b", "24"]
        command = ["sox", "-D", original, *form, path, "gain", "-6", *effects]
        subprocess.run(command, check=True, capture_output=True)
        return path

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.out / "vi-1").iterdir()}


@pytest.fixture(scope="module")
def first_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The audio of the real script, built once for this module: copied, never changed."""
    out = tmp_path_factory.mktemp("prompts")
    build(SCRIPT_FILE, out / "none", out)
    return out


@pytest.fixture
def studio(tmp_path: Path, first_build: Path) -> Studio:
    """A studio in which the real script has been built."""
    shutil.copytree(first_build, tmp_path / "out")
    script = Path(shutil.copy(SCRIPT_FILE, tmp_path / "script.toml"))
    return Studio(script, tmp_path / "recordings", tmp_path / "out")


def test_the_real_script_becomes_playable_audio(first_build: Path) -> None:
    catalogue = check_catalogue(first_build, load_script(SCRIPT_FILE))
    assert 24 < sum(catalogue.seconds(name) for name in MENU) < 28
    for name in PROMPT_NAMES:
        samples = read_wav(first_build / "vi-1" / f"{name}.wav")
        assert peak_dbfs(samples) == pytest.approx(-3, abs=0.1)
        assert -26 < rms_dbfs(samples) < -15
        assert longest_silence(samples)[1] < 1
        assert max(samples[:720]) < 200, "a tenth of a second of silence comes first"
        assert max(samples[-1920:]) < 200, "a quarter of a second of silence comes last"


def test_a_second_build_makes_nothing(studio: Studio) -> None:
    before = studio.files()
    assert studio.new() == []
    assert studio.files() == before


def test_without_if_changed_everything_is_made_again_and_the_same(studio: Studio) -> None:
    before = studio.files()
    assert all(prompt.is_new for prompt in studio.build(if_changed=False).values())
    assert studio.files() == before


def test_only_changed_words_are_made_again(studio: Studio) -> None:
    studio.rewrite("bấm phím 3", "hãy bấm phím 3")
    assert studio.new() == ["menu_agent"]
    studio.rewrite('3 = "ba"', '3 = "số ba"')
    assert studio.new() == ["menu_agent"]


def test_another_voice_is_another_sound(studio: Studio) -> None:
    before = studio.files()
    studio.rewrite('voice = "vi"', 'voice = "vi-vn-x-south"')
    assert studio.new() == list(PROMPT_NAMES)
    assert all(studio.files()[name] != content for name, content in before.items())


@pytest.mark.parametrize(
    ("file", "spoil", "remade"),
    [
        ("close.alaw", Path.unlink, ["close"]),
        ("offer.wav", lambda path: path.write_bytes(path.read_bytes()[:-9]), ["offer"]),
        ("manifest.json", Path.unlink, list(PROMPT_NAMES)),
        ("manifest.json", lambda path: path.write_text('{"prompts": ['), list(PROMPT_NAMES)),
        ("manifest.json", lambda path: path.write_text('{"prompts": []}'), list(PROMPT_NAMES)),
    ],
)
def test_spoilt_output_is_made_again(
    studio: Studio, file: str, spoil: Callable[[Path], object], remade: list[str]
) -> None:
    before = studio.files()
    spoil(studio.out / "vi-1" / file)
    assert studio.new() == remade
    assert studio.files() == before


def test_a_recording_wins_and_can_be_taken_back(studio: Studio) -> None:
    voiced = studio.files()
    recording = studio.record("close", "pitch", "150")
    built = studio.build()["close"]
    assert (built.source, built.is_new) == ("recording", True)
    samples = read_wav(studio.out / "vi-1" / "close.wav")
    assert peak_dbfs(samples) == pytest.approx(-3, abs=0.1)
    assert studio.files()["close.alaw"] != voiced["close.alaw"]
    assert studio.new() == []
    recording.unlink()
    assert studio.build()["close"].source == "espeak-ng"
    assert studio.files() == voiced


def offer(*effects: str) -> Callable[[Studio], Path]:
    return lambda studio: studio.record("offer", *effects)


def damaged_offer(damage: Callable[[bytes], bytes]) -> Callable[[Studio], Path]:
    def record(studio: Studio) -> Path:
        path = studio.record("offer")
        path.write_bytes(damage(path.read_bytes()))
        return path

    return record


@pytest.mark.parametrize(
    ("record", "complaint"),
    [
        (offer("vol", "0"), "is silent"),
        (offer("gain", "30"), "is clipped"),
        (offer("pad", "2@4"), "is silent for 2.0 s from 4.0 s on"),
        (offer("trim", "0.3", "0.05", "pad", "0", "5", "repeat", "1"), "is silent for"),
        (offer("synth", "9", "square", "300"), "has an uneven level"),
        (
            lambda studio: studio.record("close", source="after_1"),
            "lasts 13.3 s, but its 11 syllables take 1.3 to 8.8 s",
        ),
        (
            lambda studio: studio.record("after_1", source="close"),
            "lasts 3.6 s, but its 41 syllables take 4.9 to 32.8 s",
        ),
        (damaged_offer(lambda content: content[:-90000]), "is cut off"),
        (damaged_offer(lambda content: b""), "cannot be converted"),
        (damaged_offer(lambda content: "xin chào".encode()), "cannot be converted"),
    ],
)
def test_an_unfit_recording_is_named_and_nothing_is_replaced(
    studio: Studio, record: Callable[[Studio], Path], complaint: str
) -> None:
    before = studio.files()
    studio.rewrite("bấm phím 3", "hãy bấm phím 3")
    path = record(studio)
    with pytest.raises(ConfigError) as refusal:
        studio.build()
    assert str(refusal.value).startswith(f"{path} ")
    assert complaint in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert studio.files() == before


def test_all_unfit_recordings_are_named_at_once(studio: Studio) -> None:
    paths = [studio.record("offer", "vol", "0"), studio.record("close", source="after_1")]
    with pytest.raises(ConfigError) as refusal:
        studio.build()
    assert all(f"{path} " in str(refusal.value) for path in paths)


def test_a_recording_under_a_wrong_name_is_not_overlooked(studio: Studio) -> None:
    recording = studio.record("close")
    recording.rename(recording.with_name("after1.wav"))
    with pytest.raises(ConfigError, match=r"no prompt is called after1\.wav.*after_1\.wav"):
        studio.build()


def test_words_are_never_options_or_commands(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sentence = load_script(studio.script).sentences["close"]
    studio.rewrite(f'close = "{sentence}"', "close = '-w trap $(touch trap) `touch trap` ; x | y'")
    assert studio.new() == ["close"]
    assert not (tmp_path / "trap").exists()


@pytest.mark.parametrize(
    ("standing", "missing"), [([], "espeak-ng sox"), (["sox"], "espeak-ng"), (["espeak-ng"], "sox")]
)
def test_a_missing_program_is_named_with_its_cure(
    studio: Studio,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    standing: list[str],
    missing: str,
) -> None:
    only(tmp_path, monkeypatch, standing)
    with pytest.raises(ConfigError, match=f"^not installed: {missing} .*apt-get install {missing}"):
        studio.build()


def test_recordings_of_every_prompt_need_no_espeak(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PROMPT_NAMES:
        studio.record(name)
    only(tmp_path, monkeypatch, ["sox"])
    assert {prompt.source for prompt in studio.build().values()} == {"recording"}


def only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, programs: list[str]) -> None:
    """Leave nothing but these programs on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in programs:
        (folder / program).symlink_to(shutil.which(program) or "")
    monkeypatch.setenv("PATH", str(folder))


def test_what_a_killed_build_left_is_cleared_away(studio: Studio) -> None:
    (studio.out / ".vi-1.building").mkdir()
    (studio.out / ".vi-1.building" / "close.wav").write_bytes(b"half")
    (studio.out / "vi-1" / "close.wav").unlink()
    assert studio.new() == ["close"]
    assert not (studio.out / ".vi-1.building").exists()


def test_a_folder_that_cannot_be_written_is_one_clear_line(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    blocked = Studio(studio.script, studio.recordings, tmp_path / "file" / "out")
    with pytest.raises(ConfigError, match="file"):
        blocked.build()


def test_builds_at_once_leave_the_work_of_one_of_them(studio: Studio) -> None:
    southern = Studio(studio.script.with_name("south.toml"), studio.recordings, studio.out)
    shutil.copy(studio.script, southern.script)
    southern.rewrite('voice = "vi"', 'voice = "vi-vn-x-south"')
    program = (
        "import sys; from pathlib import Path; from ivr.prompt_builder import build; "
        "build(*map(Path, sys.argv[1:]))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, each.script, each.recordings, each.out])
        for each in (studio, southern, studio, southern)
    ]
    assert [process.wait() for process in running] == [0] * 4
    current = [each for each in (studio, southern) if not stale(each)]
    assert len(current) == 1


def stale(studio: Studio) -> list[str]:
    """What a build would make, asked of a copy."""
    copy = Studio(studio.script, studio.recordings, studio.out.with_name(studio.script.stem))
    shutil.copytree(studio.out, copy.out)
    return copy.new()
