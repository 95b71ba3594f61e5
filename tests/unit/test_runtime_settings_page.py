"""docs/settings.md is the page that the settings write, and its examples are the defaults."""

import re
from pathlib import Path

import pytest

from lab.network import CHECKOUT
from runtime.settings import knobs
from runtime.settings_load import DEFAULT_FILE, load_settings
from runtime.settings_page import page, variable

PAGE = CHECKOUT / "docs" / "settings.md"
EXAMPLES = re.findall(r"\| `(TSTN_\w+)=(.*?)` \|", PAGE.read_text(encoding="utf-8"))


def test_the_page_is_up_to_date() -> None:
    shipped = page(DEFAULT_FILE.read_text(encoding="utf-8"))
    assert PAGE.read_text(encoding="utf-8") == shipped, "run `make docs`"


def test_a_changed_comment_changes_the_page() -> None:
    shipped = DEFAULT_FILE.read_text(encoding="utf-8")
    other = shipped.replace("# How long a number may ring.", "# How long it may ring.")
    assert "| How long it may ring. |" in page(other)


def test_every_setting_is_there_once() -> None:
    wanted = [variable(section, key) for section, keys in knobs().items() for key in keys]
    assert sorted(name for name, _ in EXAMPLES) == sorted(wanted)


@pytest.mark.parametrize(
    ("name", "value"), [(n, v) for n, v in EXAMPLES if v != "…"], ids=lambda text: str(text)[:40]
)
def test_an_example_may_stand_in_the_environment(name: str, value: str, tmp_path: Path) -> None:
    """It is the default, but for the days, of which there are none."""
    file = tmp_path / "tstn.toml"
    file.touch()
    settings = load_settings(file, {name: value})
    if name != "TSTN_CALENDAR_HOLIDAYS":
        assert settings == load_settings(file, {})
