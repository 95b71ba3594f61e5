"""The command that makes the script's audio: prompts build. I/O."""

from argparse import Namespace
from dataclasses import asdict

from ivr.prompt_builder import build as build_prompts
from runtime.cli.output import show, table
from runtime.settings import Settings

_RECORDINGS = "recordings"


def build(arguments: Namespace, settings: Settings) -> None:
    """Make the audio of every prompt, or of those that changed."""
    script = settings.ivr.script
    built = build_prompts(
        script,
        script.parent / _RECORDINGS,
        settings.ivr.prompts_dir,
        if_changed=arguments.if_changed,
    )
    rows = [
        (prompt.name, prompt.source, f"{prompt.seconds:.2f} s", "new" if prompt.is_new else "kept")
        for prompt in built
    ]
    show(
        arguments,
        [asdict(prompt) for prompt in built],
        table(("prompt", "voice", "length", ""), rows),
    )
