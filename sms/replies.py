"""The words we answer with: defaults, their check at start, and how to know them again. Pure.

Replies are settings, each one GSM-7 segment. In braces: dates, which are filled in local time.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from string import Formatter

from domain.clock import to_local
from domain.errors import ConfigError
from domain.folding import fold
from sms.alphabet import fits_gsm7
from sms.segments import Alphabet, count


class ReplyKind(StrEnum):
    """What we answer, or say unasked. NONE_STANDING: nothing to cancel or to report on.

    UNREACHABLE goes to whom the agents called in vain; the registration is closed then.
    """

    OK = "ok"
    ALREADY = "already"
    INELIGIBLE = "ineligible"
    SYNTAX = "syntax"
    CANCELLED = "cancelled"
    OPTED_OUT = "opted_out"
    HELP = "help"
    STATUS_OPEN = "status_open"
    NONE_STANDING = "none_standing"
    UNREACHABLE = "unreachable"


DEFAULTS: dict[ReplyKind, str] = {
    ReplyKind.OK: (
        "MobiFone da nhan yeu cau thay SIM 4G tai nha (mien phi) cua Quy khach. "
        "Tong dai 9090 se goi xac nhan dia chi trong 48 gio. Huy: soan HUY gui 9231. LH 9090"
    ),
    ReplyKind.ALREADY: (
        "Quy khach da dang ky thay SIM 4G tai nha ngay {date}. "
        "Tong dai 9090 se goi xac nhan dia chi trong 48 gio. Huy: soan HUY gui 9231. LH 9090"
    ),
    ReplyKind.INELIGIBLE: (
        "Thue bao cua Quy khach chua thuoc doi tuong chuong trinh thay SIM 4G tai nha. "
        "Vui long den cua hang MobiFone gan nhat hoac LH 9090. Tran trong"
    ),
    ReplyKind.SYNTAX: (
        "Tin nhan sai cu phap. De dang ky thay SIM 4G tai nha mien phi, soan TSTN gui 9231. "
        "Huong dan: soan HD gui 9231. Chi tiet LH 9090"
    ),
    ReplyKind.CANCELLED: (
        "Yeu cau thay SIM 4G tai nha cua Quy khach da duoc huy. "
        "De dang ky lai, soan TSTN gui 9231 (mien phi). LH 9090"
    ),
    ReplyKind.OPTED_OUT: (
        "MobiFone da nhan yeu cau tu choi quang cao cua Quy khach luc {received} "
        "va ngung gui tu {applied}. LH 9090"
    ),
    ReplyKind.HELP: (
        "Thay SIM 4G tai nha mien phi, soan gui 9231: TSTN de dang ky, KT de kiem tra, "
        "HUY de huy yeu cau, TC de tu choi quang cao. Chi tiet LH 9090"
    ),
    ReplyKind.STATUS_OPEN: (
        "Yeu cau thay SIM 4G tai nha cua Quy khach dang ky ngay {date} dang duoc xu ly. "
        "Huy: soan HUY gui 9231. Chi tiet LH 9090"
    ),
    ReplyKind.NONE_STANDING: (
        "Quy khach chua co yeu cau thay SIM 4G tai nha. "
        "De dang ky mien phi, soan TSTN gui 9231. Chi tiet LH 9090"
    ),
    ReplyKind.UNREACHABLE: (
        "Tong dai 9090 da goi nhung chua gap duoc Quy khach. "
        "De dang ky lai thay SIM 4G tai nha (mien phi), soan TSTN gui 9231. Chi tiet LH 9090"
    ),
}
"""domain.md §8, word for word; help, status, none standing and unreachable are ours."""

_FORMATS = {"date": "%d/%m/%Y", "received": "%H:%M %d/%m/%Y", "applied": "%H:%M %d/%m/%Y"}
"""How each placeholder is written; the widths never change."""
_PLACEHOLDERS: dict[ReplyKind, frozenset[str]] = {
    ReplyKind.ALREADY: frozenset({"date"}),
    ReplyKind.STATUS_OPEN: frozenset({"date"}),
    ReplyKind.OPTED_OUT: frozenset({"received", "applied"}),
}
_SAMPLE = dict.fromkeys(_FORMATS, datetime(2021, 3, 26, tzinfo=UTC))


def check(texts: Mapping[str, str]) -> None:
    """Hold the reply texts to what the functions below do with them.

    Raises:
        ConfigError: a reply is missing or of no known kind, is empty, has a placeholder that its
            kind does not know, or does not fit one GSM-7 segment once it is filled.
    """
    for name in sorted(texts.keys() ^ set(ReplyKind)):
        raise ConfigError(f"reply {name}: {'no such reply' if name in texts else 'is missing'}")
    for kind in ReplyKind:
        if fault := _bad_placeholder(kind, texts[kind]) or _bad_size(texts[kind]):
            raise ConfigError(f"reply {kind}: {fault}")


def text(kind: ReplyKind, texts: Mapping[str, str], **values: datetime) -> str:
    """Give a reply with its dates filled in: aware `date`, or `received` and `applied`.

    Raises:
        KeyError: the text has a placeholder without a value.
    """
    return _filled(texts[kind], values)


def is_ours(message: str, texts: Mapping[str, str]) -> bool:
    """Whether a text is one of ours come back, whatever its dates: answering it might never end."""
    shape = _shape(message)
    return any(shape == _shape_filled(reply) for reply in texts.values())


def _bad_placeholder(kind: ReplyKind, reply: str) -> str | None:
    known = _PLACEHOLDERS.get(kind, frozenset())
    try:
        for _, name, width, conversion in Formatter().parse(reply):
            if name is not None and (name not in known or width or conversion):
                return f"{{{name}}} is not one of its placeholders ({', '.join(known) or 'none'})"
    except ValueError as error:
        return f"{error}; a brace itself is written twice"
    return None


def _bad_size(reply: str) -> str | None:
    filled = _filled(reply, _SAMPLE)
    if not filled.strip():
        return "is empty"
    size = count(filled)
    if size.alphabet is not Alphabet.GSM7:
        strange = "".join(character for character in filled if not fits_gsm7(character))
        return f"not in the GSM 7-bit alphabet: {strange}"
    if size.parts > 1:
        return f"{size.units} characters, 160 are one segment (^{{}}[]~\\|€ count twice)"
    return None


def _filled(reply: str, values: Mapping[str, datetime]) -> str:
    return reply.format_map(
        {name: to_local(at).strftime(_FORMATS[name]) for name, at in values.items()}
    )


def _shape(message: str) -> str:
    """The fold with all digits alike, so that dates make no difference."""
    return re.sub(r"\d", "0", fold(message).fold)


@lru_cache(maxsize=64)
def _shape_filled(reply: str) -> str:
    return _shape(_filled(reply, _SAMPLE))
