"""Fixtures of the campaign rehearsals. I/O."""

import os
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.prompts import PROMPT_NAMES
from lab.network import CHECKOUT

SHORT_SECONDS = 1.2
_RATE = 8000


@pytest.fixture(scope="session", autouse=True)
def no_settings_from_outside() -> Iterator[None]:
    """The operator's own variables could lead a rehearsal to a real store or trunk."""
    with pytest.MonkeyPatch.context() as environment:
        for variable in list(os.environ):
            if variable.startswith("TSTN_") and variable != "TSTN_LAB_ROOT":
                environment.delenv(variable)
        yield


@pytest.fixture(scope="session")
def short_prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first second or so of each prompt, for campaigns that need not be heard out."""
    whole = CHECKOUT / "var" / "prompts" / "vi-1"
    directory = tmp_path_factory.mktemp("short-prompts")
    (directory / "vi-1").mkdir()
    frames = round(_RATE * SHORT_SECONDS)
    for name in PROMPT_NAMES:
        cut = directory / "vi-1" / name
        cut.with_suffix(".alaw").write_bytes((whole / f"{name}.alaw").read_bytes()[:frames])
        with (
            wave.open(str(whole / f"{name}.wav")) as source,
            wave.open(str(cut.with_suffix(".wav")), "wb") as out,
        ):
            out.setparams(source.getparams())
            out.writeframes(source.readframes(frames))
    return directory
