"""Subscriber numbers: read from any cell, kept as E.164 text, shown, dialled, masked. Pure.

Short codes (9231, 9090) are opaque addresses: never pass them here. The prefix of a number does
not prove its operator, since numbers are portable, and unassigned prefixes are let through: the
network knows better than any table. Rules: domain.md §7.
"""

import re
import unicodedata

import phonenumbers

from domain.errors import InputError

# A number as clean files write it; group 1 is the national number without its leading 0, which
# Excel drops. The property test holds this to the same results as phonenumbers.
_CLEAN = re.compile(r"(?:\+84|84|0)?([35789][0-9]{8})")
_E164 = re.compile(r"\+84([35789][0-9]{8})")
_NATIONAL = re.compile(r"[35789][0-9]{8}")
_NOT_NUMBER = re.compile(r"[^0-9+]")
# 11-digit numbers of before November 2018; phonenumbers does not know them any more.
_OLD = re.compile(r"(?:(?:\+|00)?84)?0?(1[0-9]{2})([0-9]{7})")
# fmt: off
_OLD_TO_NEW = {
    "120": "70", "121": "79", "122": "77", "126": "76", "128": "78",
    "123": "83", "124": "84", "125": "85", "127": "81", "129": "82",
    "162": "32", "163": "33", "164": "34", "165": "35",
    "166": "36", "167": "37", "168": "38", "169": "39",
    "186": "56", "188": "58", "199": "59",
}
# fmt: on
# A number within other words: not the end or the beginning of a longer run of digits or letters,
# such as a channel's id; %2B is the + of a web address.
_IN_TEXT = re.compile(
    r"(?:(?<![0-9A-Za-z])|(?<=%2B))(?:\+?84[ .-]?|0)"
    r"([35789][0-9])[0-9][ .-]?[0-9]{3}[ .-]?([0-9]{3})(?![0-9A-Za-z])"
)
# A spreadsheet's way to show a wide column of numbers: its last digits are lost.
_SCIENTIFIC = re.compile(r"[0-9](?:[.,][0-9]+)?e\+?[0-9]+", re.IGNORECASE)
# A number that went through a floating-point column (901234567.0).
_FLOAT = re.compile(r"([1-9][0-9]*)\.0+")
_TWO_NUMBERS_DIGITS = 18


class BadNumber(InputError):
    """The text is not one Vietnamese mobile number; the message is the reason, in one line."""


def parse_msisdn(text: str) -> str:
    """Read one subscriber number, however it was written.

    Accepts any punctuation, words around the number, +84, 84, 0084, a dropped leading 0 and the
    11-digit numbers of before 2018.

    Returns:
        E.164 text, "+84901234567".

    Raises:
        BadNumber: no number, several numbers, a foreign one, or not 9 national digits that begin
            with 3, 5, 7, 8 or 9. The message never repeats the number.
    """
    clean = _CLEAN.fullmatch(text)
    if clean is None:
        number = _to_modern(_strip(text))
        clean = _CLEAN.fullmatch(number)
        if clean is None:
            return _by_library(number)
    return f"+84{clean[1]}"


def national(msisdn: str) -> str:
    """Give the dial form, "0901234567", of a stored number.

    Raises:
        BadNumber: the argument is not E.164 text of ours, so nothing else can reach a dial string.
    """
    stored = _E164.fullmatch(msisdn)
    if stored is None:
        raise BadNumber("not a stored number: +84 and 9 digits are needed")
    return f"0{stored[1]}"


def display(msisdn: str) -> str:
    """Give the form for screens and files for people, "0901 234 567"; raises as `national`."""
    digits = national(msisdn)
    return f"{digits[:4]} {digits[4:7]} {digits[7:]}"


def mask(msisdn: str) -> str:
    """Give the form for logs and for roles that do not dial, "090****567".

    Never raises: what is not a stored number is hidden whole.
    """
    if _E164.fullmatch(msisdn) is None:
        return "****"
    return f"0{msisdn[3:5]}****{msisdn[-3:]}"


def mask_all(text: str) -> str:
    """Mask every number that stands in a text, in any usual form; ids of hex digits are left."""
    return _IN_TEXT.sub(r"0\1****\2", text)


def _strip(text: str) -> str:
    """Reduce a cell to digits and +, refusing what would turn into another number."""
    text = text.strip()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    if _SCIENTIFIC.fullmatch(text):
        raise BadNumber("scientific notation has lost digits: format the column as text")
    whole = _FLOAT.fullmatch(text)
    number = _NOT_NUMBER.sub("", whole[1] if whole else text)
    if not number.strip("+"):
        raise BadNumber("no number in the cell")
    if len(number) - number.count("+") >= _TWO_NUMBERS_DIGITS:
        raise BadNumber("two numbers in one cell")
    return number


def _to_modern(number: str) -> str:
    """Turn an 11-digit number of before 2018 into today's; leave all others as they are."""
    old = _OLD.fullmatch(number)
    prefix = _OLD_TO_NEW.get(old[1]) if old else None
    return f"+84{prefix}{old[2]}" if old and prefix else number


def _by_library(number: str) -> str:
    """Read digits and + with phonenumbers, then hold the result to our own rule."""
    try:
        parsed = phonenumbers.parse(number, "VN")
    except phonenumbers.NumberParseException:
        raise BadNumber("not a phone number") from None
    if parsed.country_code != phonenumbers.country_code_for_region("VN"):
        raise BadNumber("not a Vietnamese number")
    digits = phonenumbers.national_significant_number(parsed)
    if _NATIONAL.fullmatch(digits) is None:
        raise BadNumber("not a mobile number: 0 and 9 digits beginning with 3, 5, 7, 8 or 9")
    return f"+84{digits}"
