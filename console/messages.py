"""The languages of the pages. The words in templates and code are English; Vietnamese is a
catalogue of babel, and comes first for whoever has not chosen. I/O.
"""

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = ("vi", "en")
DEFAULT = "vi"
LOCALE = Path(__file__).resolve().parent / "locale"


def marked(text: str) -> str:
    """Mark a text for the catalogue where it stands in a table; it is translated where shown."""
    return text


@cache
def translations(language: str) -> NullTranslations:
    """The words of a language, compiled from its .po file."""
    if language == "en":
        return NullTranslations()
    with (LOCALE / language / "console.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
