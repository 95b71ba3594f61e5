"""Does what texts ask for, many at a time, and says how each is answered. I/O.

At most one text of a number comes in one go, so that their order does not matter.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from domain.states import Channel
from sms import replies
from sms.judging import Act, Judged
from sms.replies import ReplyKind
from sms.setting import TextSetting
from store import audience, history, phases, registrations
from store.consent import OptOutAsked, opt_out, opted_out
from store.facts import RegistrationAsked
from store.history import happening
from store.registrations import Answer
from store.standing import cancel, standing


@dataclass(frozen=True, slots=True)
class Task:
    """A subscriber's text, and what was understood of it."""

    id: int
    msisdn: str
    at: datetime
    text: str | None
    judged: Judged

    @property
    def source_id(self) -> str:
        """The evidence's name within the channel."""
        return str(self.id)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a text."""

    kind: ReplyKind
    words: str


Replies = dict[int, Reply]
"""By the id of the text that is answered."""


def carry_out(
    connection: Connection, tasks: Sequence[Task], setting: TextSetting, now: datetime
) -> Replies:
    """Do what the texts ask for; give the replies to those that get one."""
    given: Replies = {}
    for act, carry in _CARRY.items():
        if chosen := [task for task in tasks if task.judged.act is act]:
            given.update(carry(connection, chosen, setting, now))
    answered = {task.id for task in tasks if task.judged.is_answered}
    return {text: reply for text, reply in given.items() if text in answered}


def _register(
    connection: Connection, tasks: Sequence[Task], setting: TextSetting, now: datetime
) -> Replies:
    numbers = [task.msisdn for task in tasks]
    campaigns = audience.campaigns_of(connection, numbers)
    before = standing(connection, numbers)
    late = {} if setting.accept_late else _late(connection, tasks)
    eligible = [
        task
        for task in tasks
        if task.msisdn in before or (task.msisdn in campaigns and task.id not in late)
    ]
    asked = [_asked(task, campaigns.get(task.msisdn)) for task in eligible]
    answers = registrations.register(connection, asked, setting.target_by) if asked else []
    given = {task.id: _reply(ReplyKind.INELIGIBLE, setting) for task in tasks}
    for task, answer in zip(eligible, answers, strict=True):
        if answer is Answer.REGISTERED:
            given[task.id] = _reply(ReplyKind.OK, setting)
        else:
            first = before.get(task.msisdn)
            date = first.registered_at if first else task.at  # just now, on another node
            given[task.id] = _reply(ReplyKind.ALREADY, setting, date=date)
    ours = {task.id for task in eligible}
    held = [_held(task, late.get(task.id)) for task in tasks if task.id not in ours]
    history.add(connection, held)
    return given


def _late(connection: Connection, tasks: Sequence[Task]) -> dict[int, date]:
    """The texts that come after the phase of their place has closed, and its last day."""
    last_days = phases.last_days(connection, [task.msisdn for task in tasks])
    return {
        task.id: last_day
        for task in tasks
        if (last_day := last_days.get(task.msisdn)) and phases.is_late(task.at, last_day)
    }


def _asked(task: Task, campaign_id: int | None) -> RegistrationAsked:
    return RegistrationAsked(
        channel=Channel.SMS,
        source_id=task.source_id,
        msisdn=task.msisdn,
        campaign_id=campaign_id,
        evidence={"text": task.text, "note": task.judged.note},
        at=task.at,
    )


def _lateness(last_day: date | None) -> dict[str, Any]:
    return {} if last_day is None else {registrations.LATE: last_day.isoformat()}


def _held(task: Task, last_day: date | None) -> history.Happening:
    """Not in any audience, or too late: the request is kept, the subscriber told where to go."""
    return happening(
        "registration_held",
        task.at,
        msisdn=task.msisdn,
        once=f"held:{Channel.SMS}:{task.source_id}",
        channel=Channel.SMS,
        source_id=task.source_id,
        **_lateness(last_day),
    )


def _cancel(
    connection: Connection, tasks: Sequence[Task], setting: TextSetting, now: datetime
) -> Replies:
    given = {}
    for task in tasks:
        done = cancel(connection, task.msisdn, task.at, (Channel.SMS, task.source_id))
        kind = ReplyKind.CANCELLED if done else ReplyKind.NONE_STANDING
        given[task.id] = _reply(kind, setting)
    return given


def _opt_out(
    connection: Connection, tasks: Sequence[Task], setting: TextSetting, now: datetime
) -> Replies:
    confirmed = opted_out(connection, [task.msisdn for task in tasks])
    asked = [OptOutAsked(task.msisdn, task.at, f"{Channel.SMS}:{task.source_id}") for task in tasks]
    done = opt_out(connection, asked, now)
    return {
        task.id: _reply(ReplyKind.OPTED_OUT, setting, received=one.at, applied=one.applied_at)
        for task, one in zip(tasks, done, strict=True)
        if task.msisdn not in confirmed  # once, be it by this way or by another (domain.md §6)
    }


def _status(
    connection: Connection, tasks: Sequence[Task], setting: TextSetting, now: datetime
) -> Replies:
    found = standing(connection, [task.msisdn for task in tasks])
    given = {task.id: _reply(ReplyKind.NONE_STANDING, setting) for task in tasks}
    for task in tasks:
        if one := found.get(task.msisdn):
            given[task.id] = _reply(ReplyKind.STATUS_OPEN, setting, date=one.registered_at)
    return given


def _help(
    connection: Connection, tasks: Sequence[Task], setting: TextSetting, now: datetime
) -> Replies:
    return {task.id: _reply(ReplyKind.HELP, setting) for task in tasks}


def _syntax(
    connection: Connection, tasks: Sequence[Task], setting: TextSetting, now: datetime
) -> Replies:
    return {task.id: _reply(ReplyKind.SYNTAX, setting) for task in tasks}


def _reply(kind: ReplyKind, setting: TextSetting, **dates: datetime) -> Reply:
    return Reply(kind, replies.text(kind, setting.replies, **dates))


_Carry = Callable[[Connection, Sequence[Task], TextSetting, datetime], Replies]
_CARRY: dict[Act, _Carry] = {
    Act.OPT_OUT: _opt_out,
    Act.CANCEL: _cancel,
    Act.STATUS: _status,
    Act.REGISTER: _register,
    Act.HELP: _help,
    Act.SYNTAX: _syntax,
}
