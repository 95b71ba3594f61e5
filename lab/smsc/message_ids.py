"""Message ids in the forms that SMSCs write them: one number, many spellings. Pure."""

from enum import StrEnum


class IdForm(StrEnum):
    """How a message id is written."""

    DECIMAL = "decimal"
    DECIMAL_ZEROS = "decimal_zeros"
    HEX_LOWER = "hex_lower"
    HEX_UPPER = "hex_upper"
    HEX_ZEROS = "hex_zeros"
    OPAQUE = "opaque"


def write_id(number: int, form: IdForm) -> str:
    """The message id of this number; OPAQUE ids can't be read back as one."""
    return _FORMATS[form].format(number)


_FORMATS = {
    IdForm.DECIMAL: "{:d}",
    IdForm.DECIMAL_ZEROS: "{:020d}",
    IdForm.HEX_LOWER: "{:x}",
    IdForm.HEX_UPPER: "{:X}",
    IdForm.HEX_ZEROS: "{:016X}",
    IdForm.OPAQUE: "smsc-a:{:d}.w",
}
