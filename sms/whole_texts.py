"""The texts that wait to be read, long ones joined, as words. I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from sms.alphabet import Undecodable, decode
from sms.joining import join
from sms.setting import TextSetting
from store import messages, parts
from store.messages import Unread


@dataclass(frozen=True, slots=True)
class WholeText:
    """A text of one row, or joined of the rows `ids`; the first of them is its `id`.

    `msisdn` is None where the sender is no subscriber; `text` where it can't be decoded.
    `received_at` is the first receipt of any of its parts.
    """

    id: int
    ids: Sequence[int]
    account: str
    destination: str
    msisdn: str | None
    received_at: datetime
    text: str | None


def waiting(
    connection: Connection, setting: TextSetting, now: datetime, limit: int
) -> list[WholeText]:
    """Up to `limit` texts: long ones, complete or that waited enough, then short ones.

    The long ones come first, for they are few, and short ones may come without a pause.
    """
    long = parts.whole(connection, now, setting.join_seconds, limit)
    short = messages.unread(connection, limit - len(long))
    return [
        *(_whole(text.ids, text.parts, setting) for text in long),
        *(_whole((text.id,), (text,), setting) for text in short),
    ]


def _whole(ids: Sequence[int], rows: Sequence[Unread], setting: TextSetting) -> WholeText:
    [first, *_] = rows
    return WholeText(
        id=ids[0],
        ids=ids,
        account=first.account,
        destination=first.destination,
        msisdn=first.msisdn,
        received_at=min(row.received_at for row in rows),
        text=_words(rows, setting),
    )


def _words(rows: Sequence[Unread], setting: TextSetting) -> str | None:
    default = setting.account(rows[0].account).default_alphabet
    codings = {row.data_coding for row in rows}
    try:
        if len(codings) == 1:  # a letter may lie across two parts
            body = join(enumerate(row.body for row in rows))
            return decode(body, codings.pop(), default)
        return "".join(decode(row.body, row.data_coding, default) for row in rows)
    except Undecodable:
        return None
