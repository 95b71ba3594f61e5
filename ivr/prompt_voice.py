"""Gives one prompt its voice: a recording or espeak-ng, shaped by sox and checked by ear. I/O.

Programs get argument lists, never a shell, and words only on standard input.
"""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from domain.errors import ConfigError
from ivr.prompt_audio import (
    RATE,
    AudioFault,
    clipped_share,
    longest_silence,
    peak_dbfs,
    read_pcm,
    read_wav,
    rms_dbfs,
)

# 130 makes the menu last about 26 s, as a person would read it; the default of 175 makes 19 s.
_SPEAK = ("-b", "1", "-s", "130", "--stdin")
_PCM = ("-b", "16", "-e", "signed-integer")
# Head-room for the filters, hum and offset out, peak at -3 dBFS, silence cut at both ends, then
# a tenth of a second before the words and a quarter after them, the pause between two sentences.
_SHAPE = (
    *("gain", "-6", "channels", "1", "rate", "-h", "8000", "highpass", "80", "norm", "-3"),
    *("silence", "1", "0.02", "-46d", "reverse", "silence", "1", "0.02", "-46d"),
    *("pad", "0.25", "reverse", "pad", "0.1"),
)
_PROGRAM_SECONDS = 60

# Vietnamese is written one syllable a word; a quick reader takes 0.2 s for one, a slow one 0.4 s.
_SYLLABLE_SECONDS = (0.12, 0.8)
_LEVEL_DBFS = (-35.0, -9.0)
_SOURCE_SILENT_DBFS = -50.0
_CLIPPED_SHARE = 0.001
_PAUSE_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs found: name to path, and name to what it says is its version."""

    paths: Mapping[str, str]
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Job:
    """One prompt to voice: its words in spoken form, and a recording that wins over the voice."""

    words: str
    voice: str
    recording: Path | None


def find_tools(*, needs_voice: bool) -> Tools:
    """Look for sox, and espeak-ng where needed; raises ConfigError saying what to install."""
    names = ("espeak-ng", "sox") if needs_voice else ("sox",)
    paths = {name: path for name in names if (path := shutil.which(name))}
    if missing := " ".join(name for name in names if name not in paths):
        raise ConfigError(f"not installed: {missing} (try: apt-get install {missing})")
    return Tools(paths, {name: _version(path) for name, path in paths.items()})


def digest(job: Job, tools: Tools) -> str:
    """SHA-256 of all that decides how the job will sound; raises OSError for its recording."""
    inputs: list[object] = [job.words, _SHAPE, tools.versions["sox"]]
    if job.recording:
        inputs.append(hashlib.sha256(job.recording.read_bytes()).hexdigest())
    else:
        inputs += [job.voice, _SPEAK, tools.versions["espeak-ng"]]
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()


def make(job: Job, tools: Tools, stem: Path) -> None:
    """Write <stem>.wav (8 kHz mono 16-bit) and <stem>.alaw; raises AudioFault if unfit to play."""
    source, wav, alaw = (stem.with_suffix(end) for end in (".source", ".wav", ".alaw"))
    sox = [tools.paths["sox"], "-D"]
    if job.recording:
        # An absolute path: sox would take a name that begins with | for a command to run.
        taken = ["-t", "wav", str(job.recording.resolve())]
        decoded = _run([*sox, *taken, "-t", "wavpcm", *_PCM, str(source)])
        if b"Premature EOF" in decoded.stderr:
            raise AudioFault("is cut off: shorter than its header says")
    else:
        speak = [tools.paths["espeak-ng"], "-v", job.voice, *_SPEAK, "-w", str(source)]
        _run(speak, job.words.encode())
    _check_source(source)
    _run([*sox, "-t", "wav", str(source), *_PCM, str(wav), *_SHAPE])
    _run([*sox, str(wav), "-t", "al", str(alaw)])
    _check_shaped(wav, syllables=len(job.words.split()))


def _version(path: str) -> str:
    try:
        said = _run([path, "--version"]).stdout.decode(errors="replace")
    except (AudioFault, OSError) as error:
        raise ConfigError(f"{path} does not run: {error}") from None
    # "eSpeak NG text-to-speech: 1.51  Data at: /usr/lib/…" and "/usr/bin/sox:      SoX v14.4.2"
    return said.partition("Data at")[0].rpartition(":")[2].strip()


def _run(command: list[str], text: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    try:
        done = subprocess.run(  # noqa: S603 - an argument list without words from outside
            command, input=text, capture_output=True, timeout=_PROGRAM_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise AudioFault(f"took {command[0]} more than {_PROGRAM_SECONDS} s") from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise AudioFault(f"cannot be converted ({said[-1]})")
    return done


def _check_source(path: Path) -> None:
    samples, _, channels = read_pcm(path)
    if peak_dbfs(samples) < _SOURCE_SILENT_DBFS:
        raise AudioFault("is silent")
    if (share := clipped_share(samples, channels)) > _CLIPPED_SHARE:
        raise AudioFault(f"is clipped ({share:.1%} at full scale): record it at a lower level")


def _check_shaped(path: Path, *, syllables: int) -> None:
    samples = read_wav(path)
    seconds = len(samples) / RATE
    shortest, longest = (syllables * each for each in _SYLLABLE_SECONDS)
    if not shortest <= seconds <= longest:
        raise AudioFault(
            f"lasts {seconds:.1f} s, but its {syllables} syllables take {shortest:.1f} to "
            f"{longest:.1f} s: are these the words of the script?"
        )
    start, pause = longest_silence(samples)
    if pause > _PAUSE_SECONDS:
        raise AudioFault(f"is silent for {pause:.1f} s from {start:.1f} s on")
    quietest, loudest = _LEVEL_DBFS
    if not quietest <= (level := rms_dbfs(samples)) <= loudest:
        raise AudioFault(
            f"has an uneven level: {level:.0f} dBFS on average with its peak at -3, where speech "
            f"has {quietest:.0f} to {loudest:.0f}"
        )
