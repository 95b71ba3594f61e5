"""The script's words as a typed record, and the check that their audio stands. I/O.

The words are data (prompts/script-vi.toml); the audio is made by `ivr.prompt_builder` into
<prompts dir>/<version>/<name>.wav and .alaw. The server reads both at start-up and refuses to
start if anything is missing or unfit: a silent prompt would be found by subscribers.
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from domain.errors import ConfigError
from ivr.prompt_audio import RATE, AudioFault, alaw_rms_dbfs, read_alaw, read_wav, rms_dbfs

PROMPT_NAMES = (
    "notice",
    "offer",
    "menu_replay",
    "menu_agent",
    "menu_refuse",
    "after_1",
    "refused",
    "close",
    "no_agent",
)
"""Every prompt of the call: exactly these must stand in a script, in the order it says them."""

VOICES = ("vi", "vi-vn-x-south")
"""The espeak-ng voices a script may name: northern and southern Vietnamese."""

# The version is part of file paths, of Asterisk media names and of stored evidence.
_VERSION = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_WITH_DIGIT = re.compile(r"\w*\d\w*")
_SILENT_DBFS = -50.0
_LENGTHS_DIFFER_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Script:
    """One version of the words: `sentences` as written, `spoken` as a voice must read them.

    The order of the sentences is that in which a playback of several says them.
    """

    version: str
    voice: str
    sentences: Mapping[str, str]
    spoken: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The audio of one script version, checked: every prompt of PROMPT_NAMES can be played.

    `durations` are in the order of the script's file.
    """

    version: str
    durations: Mapping[str, float]

    def seconds(self, name: str) -> float:
        """How long the prompt plays."""
        return self.durations[name]

    def media(self, name: str) -> str:
        """The prompt as an ARI media URI, found by Asterisk under its sounds directory."""
        if name not in self.durations:
            raise KeyError(name)
        return media(self.version, name)

    def in_order(self, names: Sequence[str]) -> list[str]:
        """These prompts in the order in which the script's file has them."""
        return [name for name in self.durations if name in names]


def media(version: str, name: str) -> str:
    """A prompt as Asterisk finds it."""
    return f"sound:tstn/{version}/{name}"


def load_script(path: Path) -> Script:
    """Read a script file; raises ConfigError, naming the file, if it cannot be used."""
    try:
        return parse_script(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text") from None
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def parse_script(text: str) -> Script:
    """The script in a TOML text (shape: prompts/script-vi.toml); raises ConfigError."""
    try:
        fields = tomllib.loads(unicodedata.normalize("NFC", text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"is not TOML: {error}") from None
    _require_names("key", fields, ("version", "voice", "sentences", "spoken"))
    version, voice = fields["version"], fields["voice"]
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise ConfigError('version must be lower-case letters, digits and hyphens, such as "vi-1"')
    if voice not in VOICES:
        raise ConfigError(f"voice must be one of: {', '.join(VOICES)}")
    sentences, table = _texts(fields, "sentences"), _texts(fields, "spoken")
    _require_names("sentence", sentences, PROMPT_NAMES)
    spoken = {name: spoken_form(sentences[name], table) for name in PROMPT_NAMES}
    return Script(version, voice, sentences, spoken)


def spoken_form(text: str, table: Mapping[str, str]) -> str:
    """The text with each written form of the table replaced by how it is said; both are NFC.

    Whole words in any case, the longest form first. Raises ConfigError for a word with a digit that
    the table does not know: espeak-ng would read 9090 as a quantity.
    """
    said = {written.lower(): form for written, form in table.items()}
    spoken = text
    if said:
        longest_first = sorted(map(re.escape, said), key=len, reverse=True)
        words = re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)", re.IGNORECASE)
        spoken = words.sub(lambda match: said[match[0].lower()], text)
    if unknown := _WITH_DIGIT.search(spoken):
        raise ConfigError(f'no spoken form for "{unknown[0]}": add it under [spoken]')
    return spoken


def check_catalogue(prompts_dir: Path, script: Script) -> Catalogue:
    """Check the built audio of the script; raises ConfigError naming every unfit file.

    For each prompt: the .wav is 8 kHz mono 16-bit PCM, the .alaw is as long to within 5 ms, and
    neither is silent. Reads about a megabyte, in some hundredths of a second.
    """
    directory = prompts_dir / script.version
    if not directory.is_dir():
        raise ConfigError(f"no prompts in {directory}: run `tstn prompts build`")
    durations: dict[str, float] = {}
    faults: list[str] = []
    for name in script.sentences:
        durations[name], found = _inspect(directory / name)
        faults += found
    if faults:
        raise ConfigError(f"prompts in {directory}: {'; '.join(faults)}; run `tstn prompts build`")
    return Catalogue(script.version, durations)


def _inspect(stem: Path) -> tuple[float, list[str]]:
    """The seconds the .alaw plays, and the faults of the .wav and the .alaw of one prompt."""
    lengths: dict[str, float] = {}
    faults: list[str] = []
    for suffix, measure in ((".wav", _wav_seconds), (".alaw", _alaw_seconds)):
        path = stem.with_suffix(suffix)
        try:
            lengths[suffix] = measure(path)
        except AudioFault as fault:
            faults.append(f"{path.name} {fault}")
    if not faults and abs(lengths[".wav"] - lengths[".alaw"]) > _LENGTHS_DIFFER_SECONDS:
        faults.append(
            f"{stem.name}.alaw lasts {lengths['.alaw']:.2f} s and its .wav {lengths['.wav']:.2f} s"
        )
    return lengths.get(".alaw", 0.0), faults


def _wav_seconds(path: Path) -> float:
    samples = read_wav(path)
    _require_sound(rms_dbfs(samples))
    return len(samples) / RATE


def _alaw_seconds(path: Path) -> float:
    data = read_alaw(path)
    _require_sound(alaw_rms_dbfs(data))
    return len(data) / RATE


def _require_sound(level_dbfs: float) -> None:
    if level_dbfs < _SILENT_DBFS:
        raise AudioFault("is silent")


def _texts(fields: Mapping[str, object], key: str) -> dict[str, str]:
    """A table of texts, none of them blank."""
    table = fields[key]
    if not isinstance(table, dict):
        raise ConfigError(f"[{key}] must be a table")
    for name, text in table.items():
        if not isinstance(text, str) or not text.strip() or not text.isprintable():
            raise ConfigError(f"{key}.{name} must be one line of text")
    return table


def _require_names(kind: str, given: Mapping[str, object], wanted: tuple[str, ...]) -> None:
    """Exactly the wanted names, so that a typing error cannot pass as an absent prompt."""
    if missing := [name for name in wanted if name not in given]:
        raise ConfigError(f"{kind} missing: {', '.join(missing)}")
    if unknown := [name for name in given if name not in wanted]:
        raise ConfigError(f"unknown {kind}: {', '.join(unknown)}")
