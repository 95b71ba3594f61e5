"""A text as a user gave it on the command line. Pure."""

from domain.errors import InputError


def given_text(argument: str) -> str:
    """The same text. Raises InputError where the terminal did not give UTF-8."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        raise InputError("the text is not UTF-8: set the terminal, or LANG, to UTF-8") from None
    return argument
