"""`tstn` about texts, on SQLite: status, send, export, keywords, check-config, timeline. I/O."""

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from domain.clock import utc_now
from domain.states import PostKind
from lab.ports import free_ports
from runtime.health import serve_health
from store import messages, outbox, outcomes, receipts
from store.engine import Store, open_store
from store.messages import ReadText
from store.outbox import Outgoing
from store.outcomes import Refused, Sent, Unknown
from tests.command_line import Tstn, make_directory, no_metrics
from tests.rows import NOW
from tests.texts import SECOND, claim, new_post, new_receipt, new_text, take_in

T = TypeVar("T")

NUMBER = "+84901234567"
ACCOUNT = 'host = "192.0.2.1"\nsystem_id = "tstn"\npassword_file = "var/password"\n'


@pytest.fixture
def tstn(tmp_path: Path, migrated_file: Path) -> Tstn:
    """A migrated store, no SMSC, and a port for /health at which nobody answers."""
    made = make_directory(tmp_path)
    (tmp_path / "var").mkdir()
    shutil.copy(migrated_file, tmp_path / "var" / "tstn.sqlite")
    (tmp_path / "var" / "password").write_text("sesame\n")
    [port] = free_ports(1)
    made.environment["TSTN_HEALTH_PORT"] = str(port)
    return made


@pytest.fixture
def main_account(tstn: Tstn) -> Tstn:
    """The same with one SMSC account, "main"."""
    tstn.write("config/smsc.toml", f"[main]\n{ACCOUNT}")
    return tstn


def with_store(tstn: Tstn, work: Callable[[Store], Awaitable[T]]) -> T:
    """What is done to the store beside the command."""

    async def run() -> T:
        store = open_store(f"sqlite:///{tstn.directory}/var/tstn.sqlite")
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run())


def claimed(tstn: Tstn, account: str = "main") -> list[Outgoing]:
    """What the running server would send."""
    rows = tstn.lines("export", "messages")
    assert {row["purpose"] for row in rows} == {"manual"}
    return with_store(tstn, lambda store: claim(store, account=account, now=utc_now()))


def asked(tstn: Tstn, report: Any, *words: str) -> tuple[str, str]:
    """What a command answers while a server gives this report of itself."""

    async def run() -> tuple[str, str]:
        port = int(tstn.environment["TSTN_HEALTH_PORT"])
        server = await serve_health("127.0.0.1", port, lambda: report, no_metrics)
        try:
            return await asyncio.to_thread(tstn.run, *words)
        finally:
            await server.cleanup()

    return asyncio.run(run())


# -- sms send


def test_a_short_text_is_posted_for_the_server_to_send(main_account: Tstn) -> None:
    assert main_account("sms", "send", "0901 234 567", "Xin chao") == (
        "text 1 to 0901 234 567 is posted: 1 part, gsm7; the running server sends it by main\n"
    )
    [out] = claimed(main_account)
    assert (out.msisdn, out.source, out.kind) == (NUMBER, "9231", PostKind.MANUAL)
    assert (out.payload, out.data_coding, out.esm_class) == (b"Xin chao", 0, 0)
    assert main_account.json("sms", "send", "84901234567", "Xin chào €") == {
        "id": 2,
        "msisdn": NUMBER,
        "account": "main",
        "parts": 1,
        "alphabet": "gsm7",
        "units": 11,
    }


def test_the_same_text_twice_is_two_texts(main_account: Tstn) -> None:
    for _ in range(2):
        main_account("sms", "send", "0901234567", "Xin chao")
    assert len(claimed(main_account)) == 2


def test_long_texts_to_one_number_have_references_of_their_own(main_account: Tstn) -> None:
    first = main_account.json("sms", "send", "0901234567", "ữ" * 71)
    assert {name: first[name] for name in ("parts", "alphabet", "units")} == {
        "parts": 2,
        "alphabet": "ucs2",
        "units": 71,
    }
    assert "2 parts, ucs2" in main_account("sms", "send", "0901234567", "ữ" * 71)
    outs = claimed(main_account)
    assert [(out.part, out.total, out.data_coding) for out in outs] == [(1, 2, 8), (2, 2, 8)] * 2
    assert {out.esm_class for out in outs} == {0x40}
    one, same, other, _ = (out.payload[3] for out in outs)
    assert one == same != other


@pytest.mark.parametrize(
    ("style", "pdus", "tags"),
    [("sar", 2, {0x20C, 0x20E, 0x20F}), ("payload", 1, {0x424}), ("udh16", 2, set())],
)
def test_a_long_text_goes_as_its_account_wants_it(
    main_account: Tstn, style: str, pdus: int, tags: set[int]
) -> None:
    main_account.write("config/smsc.toml", f'[main]\n{ACCOUNT}long_style = "{style}"')
    assert main_account.json("sms", "send", "0901234567", "a" * 161)["parts"] == 2
    outs = claimed(main_account)
    assert len(outs) == pdus
    assert {tag for out in outs for tag, _ in out.tlvs} == tags


def test_a_text_goes_by_the_account_that_is_named(main_account: Tstn) -> None:
    main_account.write("config/smsc.toml", f"[main]\n{ACCOUNT}[spare]\n{ACCOUNT}")
    words = ("sms", "send", "0901234567", "a")
    assert main_account.error(*words) == (
        "there are several SMSC accounts: name one by --account, main or spare"
    )
    assert main_account.json(*words, "--account", "spare")["account"] == "spare"
    assert len(claimed(main_account, "spare")) == 1
    assert "no SMSC account 'spar'" in main_account.error(*words, "--account", "spar")


def test_what_cannot_be_sent_is_said(tstn: Tstn) -> None:
    said = tstn.error("sms", "send", "0901234567", "a")
    assert said.startswith("no SMSC account is configured: write one into ")
    assert said.endswith("/config/smsc.toml")
    tstn.write("config/smsc.toml", f"[main]\n{ACCOUNT}")
    assert tstn.error("sms", "send", "9090", "a").startswith("NUMBER: not a mobile number")
    assert tstn.error("sms", "send", "0901234567", " \n") == "the text is empty"
    assert tstn.error("sms", "send", "0901234567", "ữ" * 67 * 256) == (
        "the text needs 256 parts, 255 are allowed"
    )
    assert "is not UTF-8" in tstn.error("sms", "send", "0901234567", "\udcff")
    tstn.write("config/smsc.toml", f"[main]\n{ACCOUNT}prot = 1")
    assert "did you mean port?" in tstn.error("sms", "send", "0901234567", "a")
    assert tstn("export", "messages") == ""


# -- sms status

BOUND = {"state": "bound", "trouble": None, "room": 10, "sent": 3}
DOWN = {"state": "waiting", "trouble": "the SMSC refuses", "room": 0, "sent": 0}


async def some_of_each(store: Store) -> None:
    """Texts and receipts in many states, one of each loud kind but the unreadable."""
    came = await take_in(store, new_text(NUMBER), new_text(), new_text())
    done = [ReadText([came[0]], "tstn", "TSTN", "register", "ok")]
    done.append(ReadText([came[1]], "x", "X", "unreadable"))
    await store.write(messages.read, done, NOW)
    await store.write(outbox.post, [new_post(), new_post(), new_post(account="spare")], NOW)
    one, _ = await claim(store)
    await store.write(outcomes.record, [Unknown(one.id, 1, NOW + SECOND)])
    await store.write(receipts.take_receipts, [new_receipt("of nobody")])


def test_the_status_where_no_server_runs(tstn: Tstn) -> None:
    assert tstn("sms", "status").splitlines() == [
        "the server is not running: no text comes or goes (start it by `tstn serve`)",
        "",
        "waiting  to be read               0",
        "         for other parts          0",
        "         to be sent               0",
        "         for the SMSC's answer    0",
        "         receipts for their text  0",
        "",
        "in        none  0",
        "verdicts  none  0",
        "out       none  0",
        "receipts  none  0",
        "",
        "nothing to look into",
    ]
    answer = tstn.json("sms", "status")
    assert (answer["running"], answer["binds"]) == (False, None)


def test_the_status_shows_binds_and_marks_what_is_loud(tstn: Tstn) -> None:
    with_store(tstn, some_of_each)
    report = {"ok": True, "binds": {"node1:main:1": BOUND, "node1:spare:1": DOWN}}
    out, _ = asked(tstn, report, "sms", "status")
    lines = [line.split() for line in out.splitlines()]
    assert lines[:3] == [
        ["bind", "state", "sent", "room", "trouble"],
        ["node1:main:1", "bound", "3", "10"],
        ["!!", "node1:spare:1", "waiting", "0", "0", "the", "SMSC", "refuses"],
    ]
    for line in (
        "waiting to be read 1",
        "to be sent by spare 1",
        "for the SMSC's answer on node1:acc:1 1",
        "receipts for their text 1",
        "in read 2",
        "verdicts register 1",
    ):
        assert line.split() in lines
    assert [line[1] for line in lines if line[:1] == ["!!"]] == ["node1:spare:1", "1", "1"]
    assert "nobody knows whether they went out" in out
    assert "that we failed to read" in out


def test_the_status_for_programs(tstn: Tstn) -> None:
    with_store(tstn, some_of_each)
    out, _ = asked(tstn, {"ok": False, "binds": {"node1:main:1": BOUND}}, "sms", "status", "--json")
    answer = json.loads(out)
    assert (answer["running"], answer["binds"]) == (True, {"node1:main:1": BOUND})
    assert answer["backlog"] == {
        "unread": 1,
        "parts_waiting": 0,
        "queued": {"spare": 1},
        "sending": {"node1:acc:1": 1},
        "orphans": 1,
    }
    assert answer["loud"] == {
        "unknown_receipts": 0,
        "orphans_given_up": 0,
        "unanswered": 1,
        "unreadable": 1,
    }


def test_the_status_of_a_server_without_accounts(tstn: Tstn) -> None:
    out, _ = asked(tstn, {"ok": True, "binds": {}}, "sms", "status")
    assert out.startswith("the running server has no SMSC account: write one into ")


def test_the_status_needs_the_store(tstn: Tstn) -> None:
    tstn.environment["TSTN_STORE_URL"] = "sqlite:///var/none.sqlite"
    assert "tstn migrate" in tstn.error("sms", "status")


# -- export messages


def test_texts_are_exported_one_a_line(tstn: Tstn) -> None:
    with_store(tstn, some_of_each)
    rows = tstn.lines("export", "messages")
    assert [row["direction"] for row in rows] == ["in"] * 3 + ["out"] * 3
    assert (rows[0]["msisdn"], rows[0]["verdict"]) == (NUMBER, "register")
    assert rows[0]["raw"] == b"\x00rawTSTN".hex()


@pytest.mark.parametrize(
    ("since", "count"),
    [
        ("2021-04-01", 6),
        ("2021-04-01T10:00", 6),  # NOW, in Viet Nam
        ("2021-04-01T03:00:00Z", 6),
        ("2021-04-01T10:00:01+07:00", 0),
        ("2021-04-02", 0),
        ("0001-01-02T00:00+00:00", 6),
    ],
)
def test_texts_since_a_moment(tstn: Tstn, since: str, count: int) -> None:
    with_store(tstn, some_of_each)
    assert len(tstn.lines("export", "messages", "--since", since)) == count


@pytest.mark.parametrize("since", ["yesterday", "", "2021-02-30", "0001-01-01"])
def test_a_moment_that_is_none_is_refused(tstn: Tstn, since: str) -> None:
    assert "is no moment: write 2026-03-26, " in tstn.error("export", "messages", "--since", since)


# -- keywords try


def test_a_text_is_tried_without_a_database(tmp_path: Path) -> None:
    tstn = make_directory(tmp_path)
    assert tstn.json("keywords", "try", "Soạn T.S.T.N gửi 9231 ấp 3, xã Mỹ") == {
        "fold": "SOAN T S T N GUI 9231 AP 3 XA MY",
        "tokens": ["SOAN", "T", "S", "T", "N", "GUI", "9231", "AP", "3", "XA", "MY"],
        "verdict": "register",
        "note": "ấp 3, xã Mỹ",
    }
    assert tstn("keywords", "try", "từ chối").splitlines() == [
        "fold     TU CHOI",
        'tokens   ["TU","CHOI"]',
        "verdict  opt out",
        "note     none",
    ]
    assert tstn.json("keywords", "try", "")["verdict"] == "empty"
    assert "is not UTF-8" in tstn.error("keywords", "try", "\udcff")
    assert not (tmp_path / "var").exists()


# -- check-config


def test_the_accounts_are_shown_without_their_passwords(main_account: Tstn) -> None:
    answer = main_account.json("check-config")
    assert answer["smsc"]["main"]["host"] == "192.0.2.1"
    assert answer["smsc"]["main"]["password_file"] == "var/password"
    readable = main_account("check-config")
    lines = [line.split() for line in readable.splitlines()]
    assert ["smsc.main.long_style", "udh8"] in lines
    assert "sesame" not in readable + json.dumps(answer)


def test_that_there_is_no_account_is_shown(tstn: Tstn) -> None:
    assert tstn.json("check-config")["smsc"] == {}
    lines = [line.split() for line in tstn("check-config").splitlines()]
    assert ["smsc", "no", "account:", "there", "are", "no", "texts"] in lines


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("prot = 1", "smsc.toml: unknown key main.prot, did you mean port?"),
        ('tls = true\ntls_ca = "none.pem"', "bind node1:main:1: cannot read the certificates in"),
        ('system_type = "0123456789abc"', "bind node1:main:1: system_type"),
    ],
)
def test_accounts_that_are_wrong_are_named(main_account: Tstn, more: str, words: str) -> None:
    main_account.write("config/smsc.toml", f"[main]\n{ACCOUNT}{more}")
    assert words in main_account.error("check-config")


def test_a_password_that_is_missing_or_does_not_fit_is_named(main_account: Tstn) -> None:
    main_account.write("var/password", "far too long a password")
    said = main_account.error("check-config")
    assert "bind node1:main:1: password" in said
    assert "far too long" not in said
    (main_account.directory / "var" / "password").unlink()
    assert "no password of SMSC account main" in main_account.error("check-config")


def test_replies_that_are_wrong_are_named(tstn: Tstn) -> None:
    tstn.environment["TSTN_REPLIES_HELP"] = "a" * 161
    assert tstn.error("check-config").startswith("reply help: 161 characters")
    tstn.environment["TSTN_REPLIES_HELP"] = "{date}"
    assert "is not one of its placeholders" in tstn.error("check-config")


# -- timeline


async def a_conversation(store: Store) -> None:
    """A text that comes in, its reply in two tries, and a text that is refused."""
    [came] = await take_in(store, new_text(NUMBER))
    said = "tstn\n\x1b[31mấp 3"
    await store.write(messages.read, [ReadText([came], said, "TSTN", "register", "ok")], NOW)
    reply = new_post(NUMBER, PostKind.REPLY, in_reply_to=came, text="Da nhan")
    await store.write(outbox.post, [reply], NOW + SECOND)
    [out] = await claim(store, now=NOW + 2 * SECOND)
    await store.write(outcomes.record, [Sent(out.id, "a", NOW + 3 * SECOND)])
    await store.write(receipts.take_receipts, [new_receipt("a", received_at=NOW + 4 * SECOND)])
    await store.write(outbox.post, [new_post(NUMBER)], NOW + 5 * SECOND)
    [out] = await claim(store, now=NOW + 6 * SECOND)
    await store.write(outcomes.record, [Refused(out.id, 1, 0x0B, None, NOW + 7 * SECOND)])


def test_a_timeline_tells_texts_in_both_directions(tstn: Tstn) -> None:
    with_store(tstn, a_conversation)
    _, *lines = tstn("timeline", "0901234567").splitlines()
    told = [line.split(maxsplit=4) for line in lines]
    assert [" ".join(words[2:4]) for words in told] == [
        *("text received", "text posted", "text sent", "text accepted", "text delivered"),
        *("text posted", "text sent", "text refused"),
    ]
    assert told[0][4] == (
        r'to=9231  text="tstn\n\x1b[31mấp 3"  state=read  verdict=register  answer=ok'
    )
    assert told[1][4] == 'purpose=reply  text="Da nhan"  state=delivered  parts=1'
    assert told[7][4] == "status=0x0B"
    for hidden in ("text_id", "in_reply_to"):
        assert hidden not in "".join(lines)
    entries = tstn.lines("timeline", "0901234567", "--json")
    assert (entries[1]["in_reply_to"], entries[7]["status"]) == (entries[0]["text_id"], 11)
