"""The server's report as lines for people: what stands how, since when, and what to do. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from console.messages import marked as _


class Mood(StrEnum):
    """How a part stands; each has its own word and sign beside the colour."""

    WELL = "well"
    WAITING = "waiting"
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class HealthLine:
    """One part. `said` is what it says itself, `advice` what a person may do."""

    part: str
    name: str
    mood: Mood
    said: str = ""
    advice: str = ""
    since: datetime | None = None


def lines(report: Mapping[str, Any]) -> list[HealthLine]:
    """The parts of a report, those of the calls first."""
    return [_asterisk(report), _database(report), _spool(report), *_binds(report), *_idle(report)]


def _asterisk(report: Mapping[str, Any]) -> HealthLine:
    asterisk = report["asterisk"]
    if asterisk["ready"]:
        return HealthLine(_("Asterisk"), "", Mood.WELL)
    advice = _("Look at Asterisk: is it up, do ARI's address and password fit? Nothing is dialled.")
    return HealthLine(_("Asterisk"), "", Mood.TROUBLE, asterisk["trouble"] or "", advice)


def _database(report: Mapping[str, Any]) -> HealthLine:
    if report["store"]["up"]:
        return HealthLine(_("Database"), "", Mood.WELL)
    advice = _("Look at the database. Key 1 is kept on disk meanwhile; nothing is dialled.")
    return HealthLine(_("Database"), "", Mood.TROUBLE, "", advice)


def _spool(report: Mapping[str, Any]) -> HealthLine:
    kept = report["store"]["spooled_facts"]
    if not kept:
        return HealthLine(_("Spool"), "", Mood.WELL)
    advice = _("They are written as soon as the database answers. Do not delete the spool file.")
    return HealthLine(_("Spool"), "", Mood.WAITING, str(kept), advice)


def _binds(report: Mapping[str, Any]) -> Iterator[HealthLine]:
    for name, bind in report["binds"].items():
        if bind["state"] == "bound":
            yield HealthLine(_("SMSC bind"), name, Mood.WELL)
        else:
            advice = _("Look at the SMSC and at our account there. It is tried again by itself.")
            said = str(bind["trouble"] or bind["state"])
            yield HealthLine(_("SMSC bind"), name, Mood.TROUBLE, said, advice)


def _idle(report: Mapping[str, Any]) -> Iterator[HealthLine]:
    for name, why in report["why_idle"].items():
        yield HealthLine(_("Campaign"), name, Mood.WAITING, str(why))


class Watch:
    """Remembers since when each part has stood as it stands, from this server's start on."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, str], tuple[Mood, datetime]] = {}

    def observe(self, report: Mapping[str, Any], now: datetime) -> list[HealthLine]:
        """The lines of a report with their times; parts that are gone are forgotten."""
        seen = lines(report)
        before, self._since = self._since, {}
        for line in seen:
            key = (line.part, line.name)
            mood, at = before.get(key, (line.mood, now))
            self._since[key] = (line.mood, at if mood is line.mood else now)
        return [replace(line, since=self._since[line.part, line.name][1]) for line in seen]
