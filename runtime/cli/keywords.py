"""The command that shows what a text would mean: keywords try. Pure but for the answer."""

from argparse import Namespace
from dataclasses import asdict

from runtime.cli.given_text import given_text
from runtime.cli.output import pairs, show
from runtime.settings import Settings
from sms import keywords


def attempt(arguments: Namespace, settings: Settings) -> None:
    """Show how a text is folded, parted and understood."""
    reading = keywords.read(given_text(arguments.text))
    show(
        arguments,
        asdict(reading),
        pairs(
            {
                "fold": reading.fold,
                "tokens": list(reading.tokens),
                "verdict": reading.verdict.replace("_", " "),
                "note": "none" if reading.note is None else reading.note,
            }
        ),
    )
