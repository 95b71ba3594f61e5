"""Pages from templates: one environment a language, one set of names in every template. I/O."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp_jinja2
from aiohttp import web
from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

from console import formats, forms
from console.cookies import VISIT_COOKIE, language, new_token, put
from console.messages import LANGUAGES, translations
from console.navigation import entries_of
from console.parts import SESSION, allowed, parts
from console.words import WORDS
from domain.roles import Permission

TEMPLATES = Path(__file__).resolve().parent / "templates"
_ENVIRONMENTS = {name: web.AppKey(f"jinja-{name}", Environment) for name in LANGUAGES}


class _Compiled(BytecodeCache):
    """What a template compiles to is the same in every language: it is compiled once."""

    def __init__(self) -> None:
        self._codes: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._codes:
            bucket.bytecode_from_string(self._codes[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


def set_up(app: web.Application) -> None:
    """Give the application its templates. Raises ConfigError for a missing file."""
    for name, key in _ENVIRONMENTS.items():
        app[key] = _environment(name)


@cache
def _environment(language_name: str) -> Environment:
    """The templates of a language, compiled: the first page is as quick as the next ones."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        bytecode_cache=_COMPILED,
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    install(environment, language_name)
    for template in environment.list_templates():
        environment.get_template(template)
    formats.load(language_name)
    return environment


def install(environment: Environment, language_name: str) -> None:
    """Teach an environment a language, and how things are written in it."""
    words = translations(language_name)
    environment.install_gettext_translations(words, newstyle=True)  # type: ignore[attr-defined]
    environment.globals["lang"] = language_name

    def word(value: str) -> str:
        said = WORDS.get(value, value)
        return words.gettext(said) if said else "–"  # the empty one is the catalogue's head

    environment.filters["word"] = word
    environment.filters["day"] = formats.day
    environment.filters["local"] = formats.local
    environment.filters["local_seconds"] = formats.local_seconds


def page(
    request: web.Request, template: str, context: Mapping[str, Any] | None = None, status: int = 200
) -> web.Response:
    """A whole page; a visitor without a session gets the cookie that his forms need."""
    visit = None
    if SESSION not in request and VISIT_COOKIE not in request.cookies:
        visit = new_token()
    names = _names(request, visit) | dict(context or {})
    response = aiohttp_jinja2.render_template(
        template, request, names, app_key=_ENVIRONMENTS[language(request)], status=status
    )
    if visit is not None:
        put(request, response, VISIT_COOKIE, visit)
    return response


def fragment(request: web.Request, template: str, context: Mapping[str, Any]) -> str:
    """A piece of a page, for a stream."""
    names = _names(request, None) | dict(context)
    return aiohttp_jinja2.render_string(
        template, request, names, app_key=_ENVIRONMENTS[language(request)]
    )


def say(request: web.Request, text: str) -> str:
    """A text of a handler in the visitor's language."""
    return translations(language(request)).gettext(text)


def word(request: web.Request, value: str) -> str:
    """The words of a page for what the store names by one."""
    return say(request, WORDS.get(value, value))


def _names(request: web.Request, visit: str | None) -> dict[str, Any]:
    """What every template may use."""
    it = parts(request)
    who = request.get(SESSION)
    now, chosen = it.clock(), language(request)
    return {
        "who": who,
        "path": request.path,
        "here": request.path_qs if request.method == "GET" else request.path,
        "navigation": () if who is None else entries_of(who.role),
        "may": lambda name: allowed(request, Permission(name)),
        "csrf": forms.token(request) if visit is None else visit,
        "once": forms.new_key,
        "asset": it.assets.url,
        "now": now,
        "relative": lambda at: formats.relative(at, now, chosen),
        "phone": formats.phone,
        "weekday": lambda day: formats.weekday(day, chosen),
    }
