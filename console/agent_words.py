"""The words that agents say, read from their file and checked at start. I/O."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.errors import ConfigError
from domain.states import CallbackKind

_PLACES = {"agent": "", "registered": "", "district": ""}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to say."""

    title: str
    words: str


@dataclass(frozen=True, slots=True)
class AgentWords:
    """What is said for each kind of call-back, in order."""

    version: str
    titles: tuple[str, ...]
    steps: Mapping[CallbackKind, tuple[Step, ...]]

    def spoken(self, kind: CallbackKind, **filled: str) -> list[Step]:
        """The steps with what is known of the subscriber."""
        return [Step(step.title, step.words.format(**filled)) for step in self.steps[kind]]


def read_words(file: Path) -> AgentWords:
    """Raises ConfigError for a file that is not there, not whole, or asks for what is unknown."""
    try:
        read = tomllib.loads(file.read_text(encoding="utf-8"))
        steps = {kind: tuple(_step(each) for each in read[kind]) for kind in CallbackKind}
        return AgentWords(str(read["version"]), tuple(read["titles"]), steps)
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise ConfigError(f"{file}: {error}") from error


def _step(each: Mapping[str, Any]) -> Step:
    step = Step(str(each["title"]), str(each["words"]))
    step.words.format(**_PLACES)
    return step
