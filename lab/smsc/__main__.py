"""A simulated SMSC on a port: python -m lab.smsc --port 2775 --control-port 2776. I/O."""

import argparse
import asyncio
import gc
import json
import signal
import ssl
import sys
from pathlib import Path

import uvloop

from domain.errors import InputError, TstnError
from lab.ports import LOOPBACK
from lab.smsc.control import open_control
from lab.smsc.faults import Faults, change
from lab.smsc.past import read_past
from lab.smsc.server import Smsc
from lab.smsc.setting import TSTN, Account, Setting


def main() -> int:
    """Runs until SIGTERM or Ctrl-C."""
    options = _parser().parse_args()
    gc.set_threshold(100_000, 50, 100)  # records stay for good: looking at them often is in vain
    try:
        uvloop.run(_run(options))
    except (TstnError, OSError) as error:
        print(f"smsc: {error}", file=sys.stderr)
        return 1
    return 0


async def _run(options: argparse.Namespace) -> None:
    smsc = Smsc(_setting(options), faults=_faults(options.faults), tls=_tls(options.tls))
    if options.resume:
        smsc.resume(read_past(options.journal))
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with smsc:
        control = None
        if options.control_port is not None:
            control = await open_control(smsc, options.control_port)
            print(f"control port {control.sockets[0].getsockname()[1]}", flush=True)
        print(f"SMPP port {smsc.port}", flush=True)
        await ended.wait()
        if control is not None:
            control.close()


def _setting(options: argparse.Namespace) -> Setting:
    return Setting(
        accounts=tuple(_account(words) for words in options.account) or (TSTN,),
        host=options.host,
        port=options.port,
        window=options.window,
        response_seconds=options.response_seconds,
        retry_seconds=options.retry_seconds,
        enquire_seconds=options.enquire_seconds,
        journal=options.journal,
    )


def _account(words: str) -> Account:
    system_id, colon, password = words.partition(":")
    if not colon:
        raise InputError(f"--account {words}: give SYSTEM_ID:PASSWORD")
    return Account(system_id, password)


def _faults(words: str) -> Faults:
    faults = Faults()
    try:
        change(faults, json.loads(words))
    except ValueError as error:
        raise InputError(f"--faults: {error}") from None
    return faults


def _tls(files: list[Path] | None) -> ssl.SSLContext | None:
    if files is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key = files
    context.load_cert_chain(certificate, key)
    return context


def _parser() -> argparse.ArgumentParser:
    plain = Setting()
    parser = argparse.ArgumentParser(prog="python -m lab.smsc", description=__doc__)
    add = parser.add_argument
    add("--host", default=LOOPBACK, help="address to listen on, ::1 too")
    add("--port", type=int, default=2775, help="SMPP; 0: any free one, which is printed")
    add("--control-port", type=int, help="JSON lines on 127.0.0.1: see lab/smsc/control.py")
    account = f"who may bind, may be repeated; by default {TSTN.system_id}:{TSTN.password}"
    add("--account", action="append", default=[], metavar="ID:PASSWORD", help=account)
    add("--window", type=int, default=plain.window, help="unanswered deliver_sm a bind")
    again = "an MO that is not answered in so long is delivered again"
    add("--response-seconds", type=float, default=plain.response_seconds, help=again)
    retry = "an MO that got a temporary error is delivered again after"
    add("--retry-seconds", type=float, default=plain.retry_seconds, help=retry)
    enquire = "between our enquire_link; 0: none"
    add("--enquire-seconds", type=float, default=plain.enquire_seconds, help=enquire)
    add("--journal", type=Path, help="append all that comes and goes, as JSON lines")
    add("--resume", action="store_true", help="go on by the journal of one that has died")
    add("--tls", type=Path, nargs=2, metavar=("CERTIFICATE", "KEY"), help="PEM files")
    faults = """JSON, as '{"latency_seconds": 0.02}': see lab/smsc/faults.py"""
    add("--faults", default="{}", metavar="JSON", help=faults)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
