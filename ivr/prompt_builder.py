"""Builds the prompts' audio of a script version, whole and only where something changed. I/O.

Every prompt becomes <out>/<version>/<name>.wav (8 kHz mono 16-bit PCM) and .alaw (headerless A-law,
what Asterisk plays). manifest.json keeps digests of what each was made from and of what was made,
so that a second build has nothing to do. Builds of one version wait for each other.
"""

import fcntl
import hashlib
import json
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from domain.errors import ConfigError
from ivr.prompt_audio import AudioFault
from ivr.prompt_voice import Job, Tools, digest, find_tools, make
from ivr.prompts import PROMPT_NAMES, Script, check_catalogue, load_script

_SUFFIXES = (".wav", ".alaw")
_MANIFEST = "manifest.json"

_Entry = dict[str, str]
"""Of one prompt in the manifest: its source, and SHA-256 digests of its inputs and its files."""


@dataclass(frozen=True, slots=True)
class BuiltPrompt:
    """One prompt that stands: what gave it its voice, its length, whether this build made it."""

    name: str
    source: str
    seconds: float
    is_new: bool


def build(
    script_file: Path, recordings: Path, out: Path, *, if_changed: bool = False
) -> tuple[BuiltPrompt, ...]:
    """Make every prompt of the script, or with `if_changed` those whose inputs or files differ.

    `recordings` holds <version>/<name>.wav; `out` gets <version>/<name>.wav, .alaw, manifest.json.
    Nothing is replaced unless all prompts can be made. Raises ConfigError, in one line: the script
    or a recording is unfit (each file is named), a program is missing, `out` cannot be written.
    """
    script = load_script(script_file)
    target = out / script.version
    try:
        jobs = _jobs(script, recordings / script.version)
        tools = find_tools(needs_voice=any(job.recording is None for job in jobs.values()))
        with _bench(out, script.version) as bench:
            # Taken before anything is made: a recording replaced meanwhile is made again next time.
            inputs = {name: digest(job, tools) for name, job in jobs.items()}
            kept = _kept_entries(target, inputs) if if_changed else {}
            stale = [name for name in PROMPT_NAMES if name not in kept]
            _make_all(jobs, stale, tools, bench)
            entries = {name: _entry(bench / name, jobs[name], inputs[name]) for name in stale}
            _publish(kept | entries, stale, bench, target)
            catalogue = check_catalogue(out, script)
    except OSError as error:
        raise ConfigError(f"{error.filename or out}: {error.strerror}") from error
    return tuple(
        BuiltPrompt(name, _source(jobs[name]), catalogue.seconds(name), name in stale)
        for name in PROMPT_NAMES
    )


def _jobs(script: Script, folder: Path) -> dict[str, Job]:
    """A job for each prompt; a recording under any other name is an error, never overlooked."""
    found = folder.iterdir() if folder.is_dir() else ()
    recordings = {path.name: path for path in found if not path.name.startswith(".")}
    jobs = {
        name: Job(script.spoken[name], script.voice, recordings.pop(f"{name}.wav", None))
        for name in PROMPT_NAMES
    }
    if recordings:
        strays = ", ".join(sorted(recordings))
        raise ConfigError(
            f"{folder}: no prompt is called {strays}: the names are "
            f"{', '.join(f'{name}.wav' for name in PROMPT_NAMES)}"
        )
    return jobs


def _source(job: Job) -> str:
    return "recording" if job.recording else "espeak-ng"


@contextmanager
def _bench(out: Path, version: str) -> Iterator[Path]:
    """An empty working folder beside the target; builds of the same version take turns."""
    out.mkdir(parents=True, exist_ok=True)
    bench = out / f".{version}.building"
    with (out / f".{version}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the system drops it if the holder dies
        shutil.rmtree(bench, ignore_errors=True)
        bench.mkdir()
        try:
            yield bench
        finally:
            shutil.rmtree(bench, ignore_errors=True)


def _kept_entries(target: Path, inputs: Mapping[str, str]) -> dict[str, _Entry]:
    """The manifest's entries that still hold: same inputs, and the files as they were made."""
    try:
        prompts = json.loads((target / _MANIFEST).read_text(encoding="utf-8"))["prompts"]
        return {
            name: prompts[name]
            for name, sha256 in inputs.items()
            if prompts[name]["inputs_sha256"] == sha256
            and _files_match(target / name, prompts[name])
        }
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return {}  # no manifest, or not one of ours: make everything


def _files_match(stem: Path, entry: _Entry) -> bool:
    try:
        return _file_digests(stem).items() <= entry.items()
    except FileNotFoundError:
        return False


def _file_digests(stem: Path) -> dict[str, str]:
    return {
        f"{suffix[1:]}_sha256": hashlib.sha256(stem.with_suffix(suffix).read_bytes()).hexdigest()
        for suffix in _SUFFIXES
    }


def _make_all(jobs: Mapping[str, Job], names: Collection[str], tools: Tools, bench: Path) -> None:
    """Make the named prompts on the bench; raises ConfigError naming all that are unfit."""
    faults = []
    for name in names:
        try:
            make(jobs[name], tools, bench / name)
        except AudioFault as fault:
            faults.append(f"{jobs[name].recording or f'{name} by espeak-ng'} {fault}")
    if faults:
        raise ConfigError("; ".join(faults))


def _entry(stem: Path, job: Job, inputs_sha256: str) -> _Entry:
    return {"source": _source(job), "inputs_sha256": inputs_sha256, **_file_digests(stem)}


def _publish(
    entries: Mapping[str, _Entry], names: Collection[str], bench: Path, target: Path
) -> None:
    """Move the named prompts' files into place, the manifest last: it vouches for all of them."""
    if not names:
        return
    target.mkdir(exist_ok=True)
    for name in names:
        for suffix in _SUFFIXES:
            (bench / name).with_suffix(suffix).replace((target / name).with_suffix(suffix))
    in_order = {name: entries[name] for name in PROMPT_NAMES}
    manifest = bench / _MANIFEST
    manifest.write_text(json.dumps({"prompts": in_order}, indent=2) + "\n", encoding="utf-8")
    manifest.replace(target / _MANIFEST)
