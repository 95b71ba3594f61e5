"""What the demo is: its campaigns, its pace, and whom it listens to. Pure."""

from collections.abc import Sequence

from domain.msisdn import national
from lab.behaviours import behaviour_of

CAMPAIGN = "demo"
BY_TEXT = "demo-by-text"
"""Its numbers are invited by text only: it has an audience, and never starts."""
CPS = 5
"""Two Asterisks and the sound of 100 calls leave half of two cores idle at that rate."""
RECEIPT_SECONDS = 1.0
"""How long the SMSC takes to a delivery receipt."""

_RECORDED = ("press-1", "press-2-then-1", "press-3", "silent", "wrong-key-then-1")
"""Behaviours of which one subscriber is recorded: recording them all would take the calls' time."""
EXAMPLE = "press-2-then-1"
TEXT_EXAMPLE = "key 1, then cancels"

CAMPAIGN_FILE = f"""\
# The demo's campaign. Every key: config/campaigns/example.toml
name = "{CAMPAIGN}"
purpose = "customer_care"
cps = {CPS}
max_channels = 150
ring_timeout_seconds = 12
# One dial a number and no retries, so that the demo ends soon.
max_attempts = 1
# At any time: nobody is disturbed, these subscribers are simulated.
windows = ["00:00-24:00"]
call_on_holidays = true
"""
BY_TEXT_FILE = f'name = "{BY_TEXT}"\npurpose = "customer_care"\n'


def first_of(numbers: Sequence[str], behaviour: str) -> str:
    """The first of the numbers (E.164) that behaves so."""
    return next(number for number in numbers if behaviour_of(number).name == behaviour)


def recorded(numbers: Sequence[str]) -> list[str]:
    """Whose calls are recorded, as dialled."""
    return [national(first_of(numbers, name)) for name in _RECORDED]
