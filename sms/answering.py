"""Reads the texts that wait: acts on each and posts its answer, all in one transaction. I/O.

So a text is acted on once and answered once, whatever dies when. The texts of one number are taken
in the order they came: first the first texts of all numbers, then the second ones, and so on, for
one statement about many rows is much cheaper than many about one.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import zip_longest

from sqlalchemy import Connection

from domain.states import PostKind
from sms.acts import Reply, Task, carry_out
from sms.judging import NOT_A_SUBSCRIBER, UNREADABLE, Past, judge
from sms.segments import LongStyle, split
from sms.setting import TextSetting
from sms.tally import Seen
from sms.whole_texts import WholeText, waiting
from store import messages, outbox
from store.messages import ReadText
from store.outbox import PartRow, Post

_REMEMBERED = timedelta(hours=1)


def answer_texts(
    connection: Connection, setting: TextSetting, now: datetime, limit: int
) -> list[Seen]:
    """Read up to `limit` texts; give what they were."""
    texts = waiting(connection, setting, now, limit)
    past = _past(connection, texts)
    results = [ReadText(t.ids, t.text, None, NOT_A_SUBSCRIBER) for t in texts if t.msisdn is None]
    posts: list[Post] = []
    for turn in _turns(texts):
        tasks = [_task(text, past[text.msisdn or ""], setting) for text in turn]
        given = carry_out(connection, tasks, setting, now)
        for text, task in zip(turn, tasks, strict=True):
            reply = given.get(task.id)
            results.append(_read(text, task, reply))
            past[task.msisdn].append(_as_past(task))
            if reply is not None:
                posts.append(_post(text, task, reply, setting))
    messages.read(connection, results, now)
    outbox.post(connection, posts, now)
    came = {text.id: text.received_at for text in texts}
    return [Seen(one.verdict, came[one.ids[0]], one.answer is not None) for one in results]


def set_aside(connection: Connection, setting: TextSetting, now: datetime) -> None:
    """Take the next text out of the way of the others: reading it fails."""
    texts = waiting(connection, setting, now, 1)
    results = [ReadText(text.ids, text.text, None, UNREADABLE) for text in texts]
    messages.read(connection, results, now)


def _past(connection: Connection, texts: Sequence[WholeText]) -> dict[str, list[Past]]:
    """What these numbers have sent lately, oldest first."""
    past: dict[str, list[Past]] = defaultdict(list)
    if numbers := [text.msisdn for text in texts if text.msisdn is not None]:
        since = min(text.received_at for text in texts) - _REMEMBERED
        for one in messages.recent(connection, numbers, since):
            repeats = one.repeat_of is not None
            past[one.msisdn].append(Past(one.id, one.received_at, one.fold, repeats))
    return past


def _turns(texts: Sequence[WholeText]) -> Iterator[list[WholeText]]:
    """The first text of each subscriber, then the second of each that has one …"""
    by_number: dict[str, list[WholeText]] = defaultdict(list)
    for text in sorted(texts, key=lambda text: text.id):
        if text.msisdn is not None:
            by_number[text.msisdn].append(text)
    for turn in zip_longest(*by_number.values()):
        yield [text for text in turn if text is not None]


def _task(text: WholeText, past: Sequence[Past], setting: TextSetting) -> Task:
    judged = judge(
        text.text,
        text.received_at,
        past,
        setting.replies,
        repeat_seconds=setting.repeat_seconds,
        most_an_hour=setting.most_an_hour,
    )
    return Task(text.id, text.msisdn or "", text.received_at, text.text, judged)


def _as_past(task: Task) -> Past:
    return Past(task.id, task.at, task.judged.fold, task.judged.repeat_of is not None)


def _read(text: WholeText, task: Task, reply: Reply | None) -> ReadText:
    judged = task.judged
    answer = reply.kind if reply else None
    return ReadText(text.ids, text.text, judged.fold, judged.verdict, answer, judged.repeat_of)


def _post(text: WholeText, task: Task, reply: Reply, setting: TextSetting) -> Post:
    return Post(
        account=text.account,
        msisdn=task.msisdn,
        source=text.destination,
        kind=PostKind.REPLY,
        text=reply.words,
        parts=(_segment(reply.words, setting.account(text.account).long_style),),
        in_reply_to=text.id,
    )


@lru_cache(maxsize=256)
def _segment(words: str, style: LongStyle) -> PartRow:
    """A reply as it is sent: `replies.check` has made sure that it is one segment."""
    [part] = split(words, reference=0, style=style)
    return PartRow(part.payload, part.data_coding, part.esm_class, part.tlvs)
