"""Log lines: text for a terminal, JSON for a collector. No line shows a subscriber's number. I/O.

Who logs a number masks it; what comes from elsewhere (a fault that the database words, the path of
a page) may hold one all the same, so every line is looked through once more.
"""

import logging
import sys
from datetime import UTC, datetime

import orjson

from domain.log_ids import bound
from domain.msisdn import mask_all


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, the ids that the task has named.

    They are attempt, channel, campaign and bind; `traceback` where there is one.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": mask_all(record.getMessage()),
            **bound(),
        }
        if record.exc_info:
            entry["traceback"] = mask_all(self.formatException(record.exc_info))
        return orjson.dumps(entry).decode()


class TextFormatter(logging.Formatter):
    """A line for people."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the traceback if there is one."""
        return mask_all(super().format(record))


def set_up(level: str, form: str) -> None:
    """Log to stderr from `level` on, as "text" or "json"."""
    handler = logging.StreamHandler(sys.stderr)
    text = TextFormatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler.setFormatter(JsonFormatter() if form == "json" else text)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it tells of every tick
