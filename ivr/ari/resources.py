"""The resources ARI lists, as records: channels, the Asterisk itself, our app. Pure.

Each `read_…` takes decoded JSON and raises KeyError, TypeError or ValueError where a needed field
is missing or of the wrong type: reconciliation must not work on half an answer.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Channel:
    """One live channel.

    `state` is Asterisk's word: "Down", "Ringing", "Up" …  `running` is the dialplan application
    the channel is in: "AppDial2" = being dialled, "Stasis" = in our hands, "Queue" = handed over.
    """

    id: str
    name: str
    state: str
    running: str
    created_at: datetime

    @property
    def held(self) -> bool:
        """Whether it is ours to command."""
        return self.running == "Stasis"


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """The Asterisk process: a changed `started_at` means that all its channels are new."""

    version: str
    entity_id: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Application:
    """Our Stasis app as Asterisk knows it, with the channels whose events it gets."""

    name: str
    channel_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Bridge:
    """A room in which channels hear each other."""

    id: str
    channel_ids: frozenset[str]


def read_bridges(data: list[dict[str, Any]]) -> list[Bridge]:
    """Read a list of bridges; one that cannot be read spoils the list."""
    return [Bridge(str(row["id"]), frozenset(str(id_) for id_ in row["channels"])) for row in data]


def read_channel(data: dict[str, Any]) -> Channel:
    """Read a Channel of `rest-api/channels.json`."""
    return Channel(
        id=str(data["id"]),
        name=str(data["name"]),
        state=str(data["state"]),
        running=str(data["dialplan"]["app_name"]),
        created_at=_moment(data["creationtime"]),
    )


def read_channels(data: list[dict[str, Any]]) -> list[Channel]:
    """Read a list of channels; one that cannot be read spoils the list."""
    return [read_channel(row) for row in data]


def read_node_info(data: dict[str, Any]) -> NodeInfo:
    """Read an AsteriskInfo of `rest-api/asterisk.json`."""
    system = data["system"]
    started_at = _moment(data["status"]["startup_time"])
    return NodeInfo(str(system["version"]), str(system["entity_id"]), started_at)


def read_running_modules(data: list[dict[str, Any]]) -> frozenset[str]:
    """The names in a list of Modules of `rest-api/asterisk.json`, of those that run."""
    return frozenset(str(row["name"]) for row in data if row["status"] == "Running")


def read_application(data: dict[str, Any]) -> Application:
    """Read an Application of `rest-api/applications.json`."""
    return Application(str(data["name"]), frozenset(str(id_) for id_ in data["channel_ids"]))


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no zone")
    return at.astimezone(UTC)
