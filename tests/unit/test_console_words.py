"""Vietnamese and English are complete: templates, code, and what the store names by one word."""

import ast
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

import console
from console.health import Mood
from console.messages import LOCALE
from console.render import TEMPLATES
from console.timeline import Group, lines
from console.words import REFUSALS, WORDS
from domain.callbacks import Outcome
from domain.dispositions import Disposition
from domain.roles import Role
from domain.sla import SlaState
from domain.states import CallbackKind, Channel, PostKind, QueueOutcome
from sms.keywords import Verdict
from sms.replies import ReplyKind
from store.callback_schedule import _KINDS
from store.history import _RANKS
from tests.rows import NOW

ROOT = Path(console.__file__).parent
VIETNAMESE = re.compile(
    "[ăâđêôơưàáạảãằắặẳẵầấậẩẫèéẹẻẽềếệểễìíịỉĩòóọỏõồốộổỗờớợởỡùúụủũừứựửữỳýỵỷỹ]", re.I
)
PLACES = re.compile(r"%\(\w+\)s")


def extracted() -> Iterator[str]:
    """Every text that a template or the code marks."""
    code = extract_from_dir(ROOT, [("**.py", "python")], keywords={"_": None, "marked": None})
    yield from (text for _, _, text, _, _ in code if isinstance(text, str))
    for template in TEMPLATES.rglob("*.html"):
        with template.open("rb") as file:
            found = babel_extract(file, ("gettext",), [], {"newstyle_gettext": "true"})
            texts = (text if isinstance(text, str) else text[0] for _, _, text, _ in found if text)
            yield from (text for text in texts if text)


def catalogue() -> dict[str, str]:
    """What stands in the .po file."""
    with (LOCALE / "vi" / "console.po").open("rb") as file:
        read = read_po(file, locale="vi")
    assert not [entry.id for entry in read if entry.fuzzy and entry.id]
    return {str(entry.id): str(entry.string) for entry in read if entry.id}


def test_every_text_has_its_vietnamese_and_none_is_left_over() -> None:
    """A text that is missing here: `make messages`, then translate it."""
    words = catalogue()
    assert set(extracted()) == set(words)
    assert [text for text, vietnamese in words.items() if not vietnamese] == []


def test_one_thing_has_one_name() -> None:
    """The agents of 9090 are no visitors, retries no call-backs, and there is one list of refusals.

    "Asked" stands for advice too, whose subscriber has not registered.
    """
    words = {text: vietnamese.lower() for text, vietnamese in catalogue().items()}
    other = re.compile("điện thoại viên|danh sách từ chối|hàng đợi|người đang trực")
    assert [text for text, vietnamese in words.items() if other.search(vietnamese)] == []
    assert [text for text, said in words.items() if "nhân viên" in said] == ["Note for the visit"]
    for english, vietnamese in (
        (r"\bagents?\b", "tổng đài|hết thời gian giữ"),
        (r"\bretries\b", "gọi thử lại"),
        (r"do-not-call list", "danh sách không quảng cáo"),
        (r"\bcall-backs?\b", "gọi lại"),
    ):
        of_it = {text: said for text, said in words.items() if re.search(english, text, re.I)}
        assert [text for text, said in of_it.items() if not re.search(vietnamese, said)] == []
        assert of_it
    assert words["Asked"] == "yêu cầu lúc"


def test_what_is_filled_in_stands_in_both_languages() -> None:
    for text, vietnamese in catalogue().items():
        assert sorted(PLACES.findall(text)) == sorted(PLACES.findall(vietnamese)), text


def test_english_is_english() -> None:
    assert [text for text in catalogue() if VIETNAMESE.search(text)] == []


def test_no_template_says_a_word_past_the_catalogue() -> None:
    """What is left of a template without tags, expressions and comments is no letter of ours."""
    for template in TEMPLATES.rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        text = re.sub(r"{% trans.*?%}.*?{% endtrans %}", "", text, flags=re.S)
        text = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", "", text, flags=re.S)
        text = re.sub(r"<[^>]*>|hx-ext=.*sse-connect=.*", "", text)
        left = set(re.findall(r"\w{2,}", text))
        assert left <= {"TSTN", "English", "Tiếng", "Việt"}, template.name


def test_no_attribute_says_a_word_past_the_catalogue() -> None:
    said = re.compile(r'(?:title|aria-label|placeholder|alt)="([^"{]*[a-zA-Z][^"{]*)"')
    for template in TEMPLATES.rglob("*.html"):
        assert said.findall(template.read_text(encoding="utf-8")) == [], template.name


@pytest.mark.parametrize(
    "words",
    [
        *(Role, Mood, Group, Disposition, CallbackKind, Channel, Verdict, ReplyKind, PostKind),
        *(Outcome, SlaState),
    ],
)
def test_what_the_store_names_by_one_word_has_words(words: type[StrEnum]) -> None:
    assert [word for word in words if word not in WORDS] == []


@pytest.mark.parametrize("outcomes", [Outcome, QueueOutcome])
def test_every_outcome_that_a_timeline_shows_has_words(outcomes: type[StrEnum]) -> None:
    entries = [{"at": NOW, "kind": "agent_left", "outcome": outcome} for outcome in outcomes]
    shown = [value for line in lines(entries, whole=True) for _, value in line.details]
    assert [value for value in shown if value not in WORDS] == []
    assert len(shown) == len(outcomes)


def test_every_happening_has_words() -> None:
    assert [kind for kind in _RANKS if kind not in WORDS] == []


def test_every_event_of_a_number_has_words() -> None:
    """What the sources write down of a number, whichever part does it."""
    kinds = set(kinds_of_a_number())
    assert {"registered", "registration_held", "promise_broken"} <= kinds
    assert sorted(kinds - set(WORDS)) == []


def kinds_of_a_number() -> Iterator[str]:
    """The first argument of each call of `happening` that is given a number."""
    for folder in ("store", "sms", "dialer", "ivr", "console", "runtime"):
        for source in (ROOT.parent / folder).rglob("*.py"):
            for call in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
                if isinstance(call, ast.Call) and is_of_a_number(call):
                    yield from kinds_of(call.args[0])


def is_of_a_number(call: ast.Call) -> bool:
    """Also what is given by `**` may hold a number."""
    given = {one.arg for one in call.keywords}
    called = ast.unparse(call.func).rpartition(".")[2]
    return called == "happening" and ("msisdn" in given or None in given)


def kinds_of(argument: ast.expr) -> Iterable[str]:
    """A word, or one of a table's words; limits and campaigns name theirs so, without a number."""
    named = {"_KINDS[level]": _KINDS.values(), "kind": (), "_SET": ()}
    return (
        [str(argument.value)]
        if isinstance(argument, ast.Constant)
        else named[ast.unparse(argument)]
    )


def test_what_other_parts_refuse_with_is_what_they_say() -> None:
    """A page translates the line of an InputError: it must be the very same one."""
    folder = ROOT.parent
    sources = "".join(
        (folder / name).read_text(encoding="utf-8")
        for name in (
            *("domain/accounts.py", "store/users.py", "store/callback_queue.py"),
            *("store/trial_calls.py", "console/users_page.py", "console/supervise_callback.py"),
        )
    )
    said = set(re.findall(r'InputError\("([^"]+)"\)', sources))
    assert said == set(REFUSALS)
