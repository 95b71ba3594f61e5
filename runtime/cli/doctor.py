"""The command that looks at everything the server needs: doctor. I/O."""

from argparse import Namespace

from domain.clock import utc_now
from runtime.asked_server import NoServer, ask_health
from runtime.cli.check_view import show_lines
from runtime.doctor.examination import examine
from runtime.settings import Settings


async def doctor(arguments: Namespace, settings: Settings) -> int:
    """Print a line for each; exit status 1 if one fails."""
    try:
        report = await ask_health(settings)
    except NoServer:
        report = None
    return show_lines(arguments, await examine(settings, report, utc_now))
