"""The command that makes the script's audio: prompts build. I/O."""

from argparse import Namespace
from dataclasses import asdict

from ivr.prompt_builder import BuiltPrompt
from ivr.prompt_builder import build as build_prompts
from ivr.repertoire import load_scripts
from runtime.cli.output import show, table
from runtime.settings import Settings

_RECORDINGS = "recordings"


def build(arguments: Namespace, settings: Settings) -> None:
    """Make the audio of every prompt of every script, or of those that changed."""
    scripts = load_scripts(settings.scripts)
    built = [
        (script.version, prompt)
        for file, script in zip(settings.scripts, scripts, strict=True)
        for prompt in build_prompts(
            file,
            file.parent / _RECORDINGS,
            settings.ivr.prompts_dir,
            if_changed=arguments.if_changed,
        )
    ]
    rows = [
        (version, prompt.name, prompt.source, f"{prompt.seconds:.2f} s", _was_made(prompt))
        for version, prompt in built
    ]
    show(
        arguments,
        [{"version": version, **asdict(prompt)} for version, prompt in built],
        table(("script", "prompt", "voice", "length", ""), rows),
    )


def _was_made(prompt: BuiltPrompt) -> str:
    return "new" if prompt.is_new else "kept"
