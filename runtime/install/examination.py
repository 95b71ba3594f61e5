"""`tstn install-check`: whether this host is ready for Asterisk and the server. I/O.

What runs on it is looked at by `tstn doctor`.
"""

from runtime.check_lines import CheckLine
from runtime.install import asterisk_files, kernel, names, places, programs, units
from runtime.settings import Settings


def examine(settings: Settings) -> list[CheckLine]:
    """A line for each thing that an installation puts on a host."""
    return [
        *programs.look(),
        *places.look(settings),
        *asterisk_files.look(settings),
        *units.look(),
        *names.look(),
        *kernel.look(settings),
    ]
