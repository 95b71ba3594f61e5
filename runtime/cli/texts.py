"""Commands about texts and the SMSCs: sms status, sms send. I/O."""

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection

from domain.clock import utc_now
from domain.errors import ConfigError, InputError
from domain.msisdn import display, parse_msisdn
from domain.states import PostKind
from runtime.asked_server import NoServer, ask_health
from runtime.cli.given_text import given_text
from runtime.cli.opened_store import opened_store
from runtime.cli.output import show
from runtime.cli.texts_view import binds_table, counts_table, loud_table, waiting_table
from runtime.settings import Settings
from runtime.smsc_file import account_setting, read_accounts
from sms.judging import UNREADABLE
from sms.segments import MOST_PARTS, LongStyle, count, split
from store import outbox, texts
from store.outbox import PartRow, Post
from store.texts import Backlog


async def status(arguments: Namespace, settings: Settings) -> None:
    """Show the binds, what waits, and how many texts are in which state."""
    try:
        binds = (await ask_health(settings)).get("binds", {})
    except NoServer:
        binds = None
    async with opened_store(settings) as store:
        backlog, counts = await store.read(_backlog_and_counts)
    # The reader's own word for a text that it failed on; the store knows nothing of it.
    counts["loud"]["unreadable"] = counts["verdicts"].get(UNREADABLE, 0)
    show(
        arguments,
        {"running": binds is not None, "binds": binds, "backlog": asdict(backlog), **counts},
        _binds(binds, settings),
        "",
        waiting_table(backlog),
        "",
        counts_table(counts),
        "",
        loud_table(counts["loud"]),
    )


async def send(arguments: Namespace, settings: Settings) -> None:
    """Post one text, for the running server to send."""
    text = given_text(arguments.text)
    draft = _Draft(
        msisdn=_number(arguments.number),
        source=settings.sms.short_code,
        text=text,
        **_account(arguments.account, settings),
    )
    size = count(text, draft.long_style)
    if not text.strip():
        raise InputError("the text is empty")
    if size.parts > MOST_PARTS:
        raise InputError(f"the text needs {size.parts} parts, {MOST_PARTS} are allowed")
    async with opened_store(settings) as store:
        posted = await store.write(_post, draft, is_long=size.parts > 1)
    parts = "1 part" if size.parts == 1 else f"{size.parts} parts"
    show(
        arguments,
        {"id": posted, "msisdn": draft.msisdn, "account": draft.account, **asdict(size)},
        f"text {posted} to {display(draft.msisdn)} is posted: {parts}, {size.alphabet}; "
        f"the running server sends it by {draft.account}",
    )


@dataclass(frozen=True)
class _Draft:
    """A text before it is split."""

    msisdn: str
    source: str
    text: str
    account: str
    long_style: LongStyle


def _number(written: str) -> str:
    try:
        return parse_msisdn(written)
    except InputError as error:
        raise InputError(f"NUMBER: {error}") from None


def _account(wanted: str | None, settings: Settings) -> dict[str, Any]:
    """The account to send by: the one that is named, or the only one."""
    file = settings.sms.smsc_file
    accounts = read_accounts(file)
    if not accounts:
        raise ConfigError(f"no SMSC account is configured: write one into {file}")
    names = " or ".join(accounts)
    if wanted is None and len(accounts) > 1:
        raise InputError(f"there are several SMSC accounts: name one by --account, {names}")
    name = next(iter(accounts)) if wanted is None else wanted
    if name not in accounts:
        raise InputError(f"there is no SMSC account {name!r} in {file}: it is {names}")
    return {"account": name, "long_style": account_setting(accounts[name]).long_style}


def _post(connection: Connection, draft: _Draft, *, is_long: bool) -> int:
    reference = outbox.next_reference(connection, draft.source, draft.msisdn) if is_long else 0
    parts = split(draft.text, reference=reference, style=draft.long_style)
    post = Post(
        account=draft.account,
        msisdn=draft.msisdn,
        source=draft.source,
        kind=PostKind.MANUAL,
        text=draft.text,
        parts=tuple(PartRow(p.payload, p.data_coding, p.esm_class, p.tlvs) for p in parts),
    )
    [posted] = outbox.post(connection, [post], utc_now())
    return posted


def _backlog_and_counts(connection: Connection) -> tuple[Backlog, dict[str, dict[str, int]]]:
    return texts.backlog(connection), texts.counts(connection)


def _binds(binds: Mapping[str, Any] | None, settings: Settings) -> Any:
    if binds is None:
        return "the server is not running: no text comes or goes (start it by `tstn serve`)"
    if not binds:
        return f"the running server has no SMSC account: write one into {settings.sms.smsc_file}"
    return binds_table(binds)
