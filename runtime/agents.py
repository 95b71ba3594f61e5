"""Joins the agents' telephony: the queue of key 3, and agents' calls to subscribers. Pure."""

from collections.abc import Callable, Sequence

from domain.calendar import Calendar, Window
from domain.clock import Clock, utc_now
from domain.errors import ConfigError, InputError
from domain.msisdn import national
from ivr.agent_call_setting import AgentCallSetting, CallLog
from ivr.agent_calls import AgentCalls
from ivr.ami.client import AmiClient
from ivr.ari.client import AriClient
from ivr.queue_9090 import EVENTS, Duty, Member, Queue9090
from runtime.settings import Settings

DIAL_FORMS: dict[str, Callable[[str], str]] = {"national": national, "e164": str}
"""How the carrier wants numbers."""


class NobodyOnDuty:
    """The duty of agents who have no desk to go on duty at."""

    async def members(self) -> Sequence[Member]:
        """None."""
        return ()


def queue_9090(settings: Settings, duty: Duty, clock: Clock = utc_now) -> Queue9090:
    """The queue of this Asterisk. Raises ConfigError where the agents' hours can't be read."""
    asterisk = settings.asterisk
    ami = AmiClient(
        (asterisk.ami_host, asterisk.ami_port), asterisk.ami_user, asterisk.ami_secret, EVENTS
    )
    on_trunk = settings.agents.hand_over == "trunk"
    return Queue9090(ami, duty, agents_hours(settings).is_open, clock, only_hours=on_trunk)


def agents_hours(settings: Settings) -> Calendar:
    """When the 9090 agents work. Raises ConfigError."""
    try:
        windows = [Window.parse(text) for text in settings.callbacks.agents_hours]
        return Calendar(windows, call_on_holidays=True)
    except InputError as error:
        raise ConfigError(f"callbacks.agents_hours: {error}") from None


def agent_calls(
    settings: Settings, client: AriClient, rows: CallLog, clock: Clock = utc_now
) -> AgentCalls:
    """The calls of the agents at this Asterisk's phones."""
    setting = AgentCallSetting(
        node=settings.asterisk.node,
        trunk=settings.trunk.name,
        caller_id=settings.trunk.caller_id,
        dial_form=DIAL_FORMS[settings.trunk.number_format],
        agent_ring_seconds=settings.agents.ring_seconds,
        ring_timeout_seconds=settings.dialer.ring_timeout_seconds,
        max_talk_seconds=settings.agents.max_talk_seconds,
    )
    return AgentCalls(setting, client, rows, clock)
