"""What a call plays, by the version of its script: the words of that file, in its order."""

from pathlib import Path

import pytest

from domain.errors import ConfigError
from ivr.prompts import PROMPT_NAMES, Catalogue, load_script
from ivr.repertoire import Repertoire, load_scripts
from ivr.script import PROMPTS, Command

PROMPTS_FOLDER = Path(__file__).parents[2] / "prompts"
FIRST, SECOND = PROMPTS_FOLDER / "script-vi.toml", PROMPTS_FOLDER / "script-vi-2.toml"


def catalogue(file: Path) -> Catalogue:
    script = load_script(file)
    return Catalogue(script.version, dict.fromkeys(script.sentences, 1.0))


REPERTOIRE = Repertoire({"vi-1": catalogue(FIRST), "vi-2": catalogue(SECOND)})


@pytest.mark.parametrize(
    ("version", "command", "said"),
    [
        ("vi-1", Command.PLAY_INVITATION, "notice offer menu_replay menu_agent"),
        ("vi-2", Command.PLAY_INVITATION, "offer notice menu_replay menu_agent"),
        ("vi-2", Command.PLAY_MENU, "offer menu_replay menu_agent"),
        ("vi-2", Command.PLAY_CLOSE, "close"),
        # Of a server before us: its files may still be there.
        ("vi-9", Command.PLAY_INVITATION, "notice offer menu_replay menu_agent"),
    ],
)
def test_each_version_says_its_own_prompts_in_its_own_order(
    version: str, command: Command, said: str
) -> None:
    played = REPERTOIRE.media(version, PROMPTS[command])
    assert played == [f"sound:tstn/{version}/{name}" for name in said.split()]
    assert REPERTOIRE.versions == {"vi-1", "vi-2"}


def test_the_second_script_has_another_voice_and_every_prompt() -> None:
    one, two = load_scripts([FIRST, SECOND])
    assert (one.voice, two.voice) == ("vi", "vi-vn-x-south")
    assert set(two.sentences) == set(PROMPT_NAMES)


def test_two_files_of_one_version_are_refused(tmp_path: Path) -> None:
    copy = tmp_path / "copy.toml"
    copy.write_text(FIRST.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"copy\.toml: version vi-1 stands in another file"):
        load_scripts([FIRST, copy])
