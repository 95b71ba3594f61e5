"""The errors a user is meant to read: one clear line that says what to do. Pure.

Each package derives its own errors from these; whoever talks to a user prints `str(error)` of a
`TstnError` and exits non-zero. Anything else is a fault of ours and keeps its traceback.
"""


class TstnError(Exception):
    """The root of all errors that carry one line for the user."""


class ConfigError(TstnError):
    """Settings, prompts or templates are wrong: refuse to start."""


class InputError(TstnError):
    """An argument or a file the user gave is wrong."""


class StoreUnavailable(TstnError):
    """The database cannot be reached, or did not commit in time."""


class ClaimLost(TstnError):
    """The claim is no longer its agent's: expired, given back, closed or cancelled."""


class NotOnDuty(TstnError):
    """The agent is off duty or pauses: no call-back is handed out."""
