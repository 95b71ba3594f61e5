"""The prompts: whether each script's audio stands and can be heard. I/O."""

import re

from domain.errors import ConfigError
from ivr.prompts import check_catalogue
from ivr.repertoire import load_scripts
from runtime.check_lines import CheckLine, Verdict
from runtime.settings import Settings

_TODO = "run `tstn prompts build`"


def _without_advice(error: ConfigError) -> str:
    return re.split("[;:] run `", str(error))[0]


def look(settings: Settings) -> list[CheckLine]:
    """A line for each script; calls are heard as soon as they are answered."""
    try:
        scripts = load_scripts(settings.scripts)
    except ConfigError as error:
        return [CheckLine("prompts", Verdict.FAIL, str(error), "correct [ivr] script, scripts")]
    lines = []
    for script in scripts:
        name = f"prompts {script.version}"
        try:
            catalogue = check_catalogue(settings.ivr.prompts_dir, script)
        except ConfigError as error:
            lines.append(CheckLine(name, Verdict.FAIL, _without_advice(error), _TODO))
            continue
        seconds = sum(catalogue.durations.values())
        says = f"{len(catalogue.durations)} prompts, {seconds:.0f} s of sound"
        lines.append(CheckLine(name, Verdict.OK, says))
    return lines
