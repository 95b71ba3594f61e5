"""Lines of the log: what stands in one, and that no subscriber's number ever does. Pure."""

import ast
import asyncio
import io
import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from domain.log_ids import bind
from domain.msisdn import mask_all
from lab.network import CHECKOUT
from runtime.logs import JsonFormatter, TextFormatter

ATTEMPT = UUID("0912345678901234567890123456abcd".replace("-", ""))
NUMBERS = (
    "+84901234567",
    "84901234567",
    "0901234567",
    "0901 234 567",
    "0901.234.567",
    "+84 901 234 567",
    "%2B84901234567",
)
CODE = ("domain", "store", "ivr", "dialer", "sms", "console", "runtime")


@pytest.fixture(params=[JsonFormatter(), TextFormatter("%(levelname)s %(message)s")])
def lines(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What is logged, in each form."""
    told = io.StringIO()
    handler = logging.StreamHandler(told)
    handler.setFormatter(request.param)
    logger = logging.getLogger("tests.logs")
    logger.addHandler(handler)
    logger.propagate = False
    yield told
    logger.removeHandler(handler)
    logger.propagate = True


log = logging.getLogger("tests.logs")


@pytest.mark.parametrize("number", NUMBERS)
def test_no_form_of_a_number_stands_in_a_line(number: str, lines: io.StringIO) -> None:
    try:
        raise ValueError(f"duplicate key: (msisdn)=({number})")
    except ValueError as error:
        log.exception("call to %s fails: %s", number, error)
    told = lines.getvalue()
    assert "1234567" not in told.replace(" ", "").replace(".", "")
    assert told.count("090****567") == 3  # twice in the message, once in the traceback


@pytest.mark.parametrize(
    "words",
    [
        f"attempt {ATTEMPT} is overdue",
        "a0912345678b of 12 digits",
        "12 of 0901234567890 rows",
        "at 1764274000 on port 5080",
        "the report of 2021-04-02 is kept",
        "message id 3f84901234567",
    ],
)
def test_what_is_no_number_is_left_as_it_is(words: str) -> None:
    assert mask_all(words) == words


def test_a_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    record = logging.LogRecord("ivr.node", logging.WARNING, "", 0, "no answer: %s", ("gone",), None)
    entry = json.loads(JsonFormatter().format(record))
    assert datetime.fromisoformat(entry.pop("time")).utcoffset() == datetime.now(UTC).utcoffset()  # noqa: TID251
    assert entry == {"level": "warning", "logger": "ivr.node", "message": "no answer: gone"}


async def test_each_task_names_its_own_call() -> None:
    """What one task binds is told by it and by the tasks it starts, and by no other."""
    told: dict[str, dict[str, object]] = {}

    def tell(name: str) -> None:
        record = logging.LogRecord("x", logging.INFO, "", 0, "said", (), None)
        told[name] = json.loads(JsonFormatter().format(record))

    async def errand() -> None:
        await asyncio.sleep(0)
        tell("errand")

    async def call() -> None:
        bind(attempt=ATTEMPT, channel=str(ATTEMPT), campaign=7)
        errands = asyncio.create_task(errand())
        await asyncio.sleep(0)
        tell("call")
        await errands

    async def link() -> None:
        bind(bind="smsc-main")
        await asyncio.sleep(0)
        tell("link")

    await asyncio.gather(call(), link())
    tell("nobody")
    ids = {"attempt": str(ATTEMPT), "channel": str(ATTEMPT), "campaign": 7}
    assert ids.items() <= told["call"].items()
    assert ids.items() <= told["errand"].items()
    assert told["link"]["bind"] == "smsc-main"
    assert "attempt" not in told["link"]
    assert not told["nobody"].keys() & {"attempt", "channel", "campaign", "bind"}


def _calls_of_log() -> Iterator[tuple[Path, ast.Call]]:
    for folder in CODE:
        for path in (CHECKOUT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and isinstance(node.func.value, ast.Name)
                    and node.func.value.id in ("log", "logger")
                ):
                    yield path, node


def test_who_logs_a_number_masks_it() -> None:
    """The second look must find nothing to do: no call of a logger is given a bare number."""
    a_number = re.compile(r"msisdn|national|display\(|destination|\.source|dial_form")
    calls = list(_calls_of_log())
    assert len(calls) > 50
    bare = [
        f"{path.name}:{call.lineno}"
        for path, call in calls
        for argument in call.args[1:]
        if a_number.search(ast.unparse(argument)) and not ast.unparse(argument).startswith("mask")
    ]
    assert not bare
