"""`make demo`: a campaign of 200 numbers, from the file to the call-backs, and 70 who text. I/O.

Two real Asterisks on this machine, ours and one that plays the carrier with its subscribers; an
SMSC, through which subscribers text 9231 while the calls run; the real server, and its command line
used as an operator would. Everything lies in var/demo, and var/demo/summary.json (fields:
lab.demo_summary.Summary) says what came of it.

Exit status: 0 if the outcome of every number is what its carrier behaviour demands, and that of
every text what domain.md §8 does; 1 if not or if it was not finished in time, 130 if interrupted.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from time import monotonic

from rich.console import Console

from domain.clock import utc_now
from domain.errors import TstnError
from domain.msisdn import national
from ivr.prompts import load_script
from lab.demo_audience import list_of, make_audience
from lab.demo_commands import CommandLine
from lab.demo_containers import ContainerStage
from lab.demo_plan import (
    BY_TEXT,
    BY_TEXT_FILE,
    CAMPAIGN,
    CAMPAIGN_FILE,
    CPS,
    EXAMPLE,
    TEXT_EXAMPLE,
    first_of,
    recorded,
)
from lab.demo_server import Server, watch
from lab.demo_stage import DIRECTORY, LocalStage, Stage
from lab.demo_summary import Run, Summary, summarise
from lab.demo_texters import invited_numbers, make_texters
from lab.demo_texting import Texting
from lab.demo_texts_verdict import TextRecords, is_by_text, judge_texts
from lab.demo_verdict import Records, Row, judge
from lab.demo_view import closing_table, mismatch_table, progress
from lab.listen import hear, read_samples
from lab.network import CHECKOUT

DEADLINE_SECONDS = 300.0
"""The last call starts after 40 s, and the longest takes a minute."""

_AUDIENCE = DIRECTORY / "audience.csv"
_REJECTS = DIRECTORY / "audience.rejects.csv"
_CAMPAIGN_FILE = DIRECTORY / "campaign.toml"
_BY_TEXT_FILES = (DIRECTORY / "by-text.toml", DIRECTORY / "by-text.csv")
_SUMMARY = DIRECTORY / "summary.json"


def main() -> int:
    """Run the demo; give its exit status."""
    parser = argparse.ArgumentParser("python -m lab.demo", description="A campaign of 200 numbers")
    help_ = "on the carrier, SMSC and server of docker-compose.yml, in a container beside them"
    parser.add_argument("--containers", action="store_true", help=help_)
    in_containers = parser.parse_args().containers
    os.chdir(CHECKOUT)
    console = Console()
    try:
        summary = _Rehearsal(console, in_containers).run()
    except KeyboardInterrupt:
        console.print("\ndemo: interrupted, what it started is stopped")
        return 130
    except TstnError as error:
        print("demo:", error, file=sys.stderr)
        return 1
    return 0 if summary["ok"] else 1


class _Rehearsal:
    """One run of the demo; its files are in var/demo."""

    def __init__(self, console: Console, in_containers: bool) -> None:
        self._console = console
        self._tstn = CommandLine(console)
        self._audience = make_audience()
        self._texters = make_texters(self._audience.numbers)
        recording = recorded(self._audience.numbers)
        self._stage: Stage = ContainerStage() if in_containers else LocalStage(recording)

    def run(self) -> Summary:
        """From the files to the summary."""
        self._say("Two Asterisks: ours, and one that plays the carrier; and an SMSC")
        with self._stage:
            self._texting = Texting(self._stage.smsc, self._texters)
            self._tstn.show(self._stage.hint)
            self._prepare()
            run = self._call()
            records, texts = self._export(run)
        judged = judge(self._audience.numbers, records)
        summary = summarise(run, records, judged, texts, judge_texts(self._texters, texts))
        _SUMMARY.write_text(json.dumps(summary, ensure_ascii=False, indent=2), encoding="utf-8")
        self._report(summary)
        return summary

    def _prepare(self) -> None:
        _AUDIENCE.write_text(self._audience.csv, encoding="utf-8-sig")
        _CAMPAIGN_FILE.write_text(CAMPAIGN_FILE, encoding="utf-8")
        self._say("An empty database, a campaign and its audience")
        self._tstn.run("migrate")
        self._tstn.run("campaign", "create", str(_CAMPAIGN_FILE))
        self._tstn.run("audience", "import", str(_AUDIENCE), "--campaign", CAMPAIGN)
        self._say("Another one, whose numbers are invited by text only")
        campaign, audience = _BY_TEXT_FILES
        campaign.write_text(BY_TEXT_FILE, encoding="utf-8")
        audience.write_text(list_of(invited_numbers(self._texters)), encoding="utf-8-sig")
        self._tstn.run("campaign", "create", str(campaign))
        self._tstn.run("audience", "import", str(audience), "--campaign", BY_TEXT)

    def _call(self) -> Run:
        """Run the campaign to its end, or to the deadline."""
        self._say("The server starts, dials, and answers texts")
        server = self._stage.server(self._tstn)
        with server:
            self._tstn.run("campaign", "start", CAMPAIGN)
            started_at, started = utc_now(), monotonic()
            finished = self._watch(server)
            settled = asyncio.run(self._texting.settled(self._stage.settings.store.url))
            seconds, health = monotonic() - started, server.health()
        return Run(
            started_at=started_at,
            seconds=seconds,
            finished=finished,
            good_rows=len(self._audience.numbers),
            bad_rows=self._audience.bad_rows,
            rejected=_count_rejects(),
            health=health,
            exit_status=server.exit_status,
            settled=settled,
        )

    def _watch(self, server: Server) -> bool:
        url, total = self._stage.settings.store.url, len(self._audience.numbers)
        self._console.print(
            f"{total} calls, {CPS} a second, and {len(self._texters)} who text: "
            "about two minutes. Ctrl-C ends it.\n"
            "Meanwhile, in another terminal, after the same export:",
            highlight=False,
        )
        for arguments in (["health"], ["campaign", "show", CAMPAIGN]):
            self._tstn.name(*arguments)
        with progress(self._console, total) as show:
            is_alive = partial(self._require_alive, server)
            return asyncio.run(
                watch(url, CAMPAIGN, self._texting, show, is_alive, DEADLINE_SECONDS)
            )

    def _require_alive(self, server: Server) -> None:
        server.require_alive()
        self._stage.require_alive()

    def _export(self, run: Run) -> tuple[Records, TextRecords]:
        """What the calls came to, and what the texts did."""
        self._say("The records")
        attempts = self._exported("attempts", CAMPAIGN)
        registrations, callbacks = (
            [row for campaign in (CAMPAIGN, BY_TEXT) for row in self._exported(kind, campaign)]
            for kind in ("registrations", "callbacks")
        )
        calls = Records(
            attempts=attempts,
            registrations=[row for row in registrations if not is_by_text(row)],
            callbacks=[row for row in callbacks if not is_by_text(row)],
            carrier=self._stage.carrier.events(),
        )
        settings = self._stage.settings
        texts = self._texting.records(
            settings.store.url, run.started_at, registrations, callbacks, asdict(settings.replies)
        )
        return calls, asyncio.run(texts)

    def _exported(self, kind: str, campaign: str) -> list[Row]:
        file = DIRECTORY / f"{kind}{'' if campaign == CAMPAIGN else '-by-text'}.jsonl"
        answer = self._tstn.save(file, "export", kind, "--campaign", campaign)
        return [json.loads(line) for line in answer.splitlines()]

    def _report(self, summary: Summary) -> None:
        example = first_of(self._audience.numbers, EXAMPLE)
        self._say(f"One subscriber, who behaves as {EXAMPLE}")
        self._tstn.run("timeline", national(example))
        heard = ", ".join(self._heard(example))
        self._console.print(f"and heard, by the recording: {heard}", highlight=False)
        self._say(f"And one who texts: {TEXT_EXAMPLE}")
        texter = next(each for each in self._texters if each.name == TEXT_EXAMPLE)
        self._tstn.run("timeline", national(texter.sender))
        self._say("What came of it")
        self._console.print(closing_table(summary))
        self._say_where()
        self._console.print()
        for problem in summary["problems"]:
            self._console.print("demo:", problem, style="bold red", markup=False)
        if summary["mismatches"]:
            self._console.print("demo: outcomes are not as demanded", style="bold red")
            self._console.print(mismatch_table(summary))
            self._console.print(f"all of them: {_SUMMARY}", highlight=False)
        if summary["ok"]:
            calls, texts = len(summary["numbers"]), len(summary["texts"]["texters"])
            all_of_them = f"All {calls} calls and all {texts} who texted came to what is demanded."
            self._console.print(all_of_them, style="bold green", highlight=False)

    def _heard(self, msisdn: str) -> Iterator[str]:
        """The prompts in the recording of one subscriber, with the second each began."""
        ivr = self._stage.settings.ivr
        files = (ivr.prompts_dir / load_script(ivr.script).version).glob("*.wav")
        prompts = {file.stem: read_samples(file) for file in files}
        for recording in self._stage.carrier.recordings(national(msisdn)):
            for prompt in hear(read_samples(recording), prompts):
                yield f"{prompt.name} at {prompt.start_seconds:.1f} s"

    def _say_where(self) -> None:
        for what, where in (
            ("summary", _SUMMARY),
            ("refused rows", _REJECTS),
            ("what subscribers heard", self._stage.carrier.recordings_dir),
            ("SMSC's journal", self._stage.smsc.journal),
            ("server's log", self._stage.server_log),
        ):
            shown = str(where).removeprefix(f"{CHECKOUT}/")
            self._console.print(f"{what:24}{shown}", highlight=False)

    def _say(self, text: str) -> None:
        self._console.print(f"\n[bold]{text}[/]", highlight=False)


def _count_rejects() -> int:
    if not _REJECTS.exists():
        return 0
    return len(_REJECTS.read_text(encoding="utf-8-sig").splitlines()) - 1


if __name__ == "__main__":
    sys.exit(main())
