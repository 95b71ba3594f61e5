"""The command that looks at this host: install-check. I/O."""

from argparse import Namespace

from runtime.cli.check_view import show_lines
from runtime.install.examination import examine
from runtime.settings import Settings


def install_check(arguments: Namespace, settings: Settings) -> int:
    """Look at all that an installation puts on a host; exit status 1 if anything is missing."""
    return show_lines(arguments, examine(settings))
