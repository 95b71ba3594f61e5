"""The command that looks at everything the server needs: doctor. I/O."""

from argparse import Namespace

from runtime.check_lines import Verdict
from runtime.cli.check_view import show_lines
from runtime.doctor import time_zone
from runtime.settings import Settings


async def doctor(arguments: Namespace, settings: Settings) -> int:
    """Print a line for each; exit status 1 if one fails."""
    zone = time_zone.look()
    if zone.verdict is Verdict.FAIL:  # what the other lines need can't even be imported
        return show_lines(arguments, [zone])
    from domain.clock import utc_now
    from runtime.asked_server import NoServer, ask_health
    from runtime.doctor.examination import examine

    try:
        report = await ask_health(settings)
    except NoServer:
        report = None
    return show_lines(arguments, [zone, *await examine(settings, report, utc_now)])
