"""The command that runs the server. I/O."""

from argparse import Namespace
from dataclasses import replace

from runtime import serve as server
from runtime.settings import Settings


def serve(arguments: Namespace, settings: Settings) -> None:
    """Run the server until it is told to stop."""
    if arguments.json:
        settings = replace(settings, log=replace(settings.log, format="json"))
    server.run(settings)
