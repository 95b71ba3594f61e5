"""The `tstn` command: reads the arguments, runs the command, turns errors into one line. I/O."""

import asyncio
import gc
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from errno import ENOSPC, EPIPE
from importlib import import_module
from inspect import iscoroutine
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from domain.errors import TstnError
from runtime.cli.arguments import build_parser

_FAILED = 1
_INTERRUPTED = 130
_READER_GONE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; give its exit status: 0, 1 failed, 2 wrong usage, 130 interrupted."""
    arguments = build_parser().parse_args(argv)
    try:
        status = _run(arguments)
        sys.stdout.flush()
    except TstnError as error:
        print("tstn:", " ".join(str(error).split()), file=sys.stderr)
        return _FAILED
    except ZoneInfoNotFoundError:  # every command needs it, as soon as it is imported
        print("tstn: this host knows no time zones: apt-get install tzdata", file=sys.stderr)
        return _FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED
    except OSError as error:
        return _answer_lost(error)
    return status


def _answer_lost(error: OSError) -> int:
    """Stdout takes no more: its reader has gone (`| head`), or the disk is full."""
    if error.errno not in (EPIPE, ENOSPC):
        raise error
    # What is still buffered must not fail once more when Python closes its streams.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno == EPIPE:
        return _READER_GONE
    print("tstn: the answer can't be written:", error.strerror, file=sys.stderr)
    return _FAILED


def _run(arguments: Namespace) -> int:
    # Only what this command needs is imported: the database library alone takes half a second.
    from runtime.settings_load import load_settings

    module, _, function = arguments.handler.partition(":")
    gc.disable()  # importing makes much and throws nothing away: a seventh less time
    command = getattr(import_module(f"runtime.cli.{module}"), function)
    gc.enable()
    answer: Any = command(arguments, load_settings(arguments.config))
    status = asyncio.run(answer) if iscoroutine(answer) else answer
    return int(status or 0)
