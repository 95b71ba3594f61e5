"""Makes the parts of the server from the settings; `runtime.serve` runs them. I/O."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import asdict
from datetime import timedelta

from console.phone_line import PhoneLine
from console.places import read_places
from console.service import Console
from console.setting import ConsoleSetting
from dialer.capacity import Capacity
from dialer.engine import EngineSetting, Originator
from dialer.text_engine import TextEngine
from dialer.trials import Trials, TrialSetting
from domain.clock import utc_now
from domain.errors import ConfigError
from domain.msisdn import national
from ivr.agi.client import AgiClient
from ivr.agi.lanes import Lanes
from ivr.agi.stream import AgiStream
from ivr.ami.connection import AmiConnection
from ivr.ari.client import AriClient
from ivr.ari.websocket import AriStream
from ivr.driver import CallDriver, EventStream
from ivr.node import NodeSetting
from ivr.repertoire import Repertoire
from runtime.api_wiring import ApiOperation
from runtime.audience_wiring import AudienceBringer
from runtime.callback_wiring import callback_setting, supervision
from runtime.campaign_wiring import CampaignControl
from runtime.desk_wiring import desk_setting
from runtime.health import Exposition, Report, serve_health
from runtime.settings import Settings
from runtime.smsc_file import load_smscs
from sms.inviter import Inviter
from sms.service import Texts
from sms.setting import TextSetting
from store.engine import Store
from store.limits import Caps
from store.users import LoginLimits

DIAL_FORMS: dict[str, Callable[[str], str]] = {"national": national, "e164": str}
"""How the carrier wants numbers."""


async def open_driver(stack: AsyncExitStack, settings: Settings) -> tuple[CallDriver, EventStream]:
    """The way to Asterisk that is set: ARI, or AMI with FastAGI."""
    asterisk = settings.asterisk
    if settings.ivr.driver == "ari":
        client = AriClient(asterisk.ari_url, asterisk.ari_user, asterisk.ari_password, asterisk.app)
        stack.push_async_callback(client.close)
        return client, AriStream(client)
    ami = ami_connection(settings)
    lanes = Lanes(utc_now)
    agi = AgiClient(ami, lanes)
    stream = AgiStream(ami, agi, lanes, utc_now)
    await lanes.listen(settings.ivr.agi_host, settings.ivr.agi_port)
    stack.push_async_callback(lanes.close)
    return agi, stream


def ami_connection(settings: Settings) -> AmiConnection:
    """A link of its own to Asterisk's manager interface; not open yet."""
    asterisk = settings.asterisk
    return AmiConnection(
        asterisk.ami_host, asterisk.ami_port, asterisk.ami_user, asterisk.ami_secret
    )


def texts(settings: Settings, store: Store) -> Texts:
    """The texts. Raises ConfigError where the SMSC file or a reply makes no sense."""
    smscs = load_smscs(settings)
    setting = TextSetting(
        replies=asdict(settings.replies),
        accounts=smscs.accounts,
        target_by=settings.callbacks.target_by,
        repeat_seconds=settings.sms.repeat_seconds,
        most_an_hour=settings.sms.most_an_hour,
        join_seconds=settings.sms.join_seconds,
        patience_seconds=settings.store.patience_seconds,
        accept_late=settings.law.accept_late,
    )
    return Texts(smscs.binds, smscs.account_tps, setting, store, utc_now)


def text_engine(settings: Settings, store: Store, posted: Callable[[], None]) -> TextEngine:
    """The engine of text campaigns. Raises ConfigError where the SMSC file makes no sense."""
    inviter = Inviter(load_smscs(settings).accounts)
    holidays, days = settings.calendar.holidays, settings.law.do_not_call_days
    return TextEngine(store, inviter, utc_now, posted, holidays, days)


def node_setting(settings: Settings) -> NodeSetting:
    """What an Asterisk's node is told."""
    return NodeSetting(
        name=settings.asterisk.node,
        caller_id=settings.trunk.caller_id,
        dial_form=DIAL_FORMS[settings.trunk.number_format],
        max_call_seconds=settings.ivr.max_call_seconds,
        silence_seconds=settings.ivr.silence_seconds,
        agents_seconds=settings.agents.wait_seconds + settings.agents.max_talk_seconds,
    )


def engine_setting(settings: Settings, repertoire: Repertoire) -> EngineSetting:
    """What the dialler is told."""
    return EngineSetting(
        node=settings.asterisk.node,
        trunk=settings.trunk.name,
        defaults=Caps(settings.dialer.cps, settings.dialer.max_channels),
        scripts=repertoire.versions,
        max_call_seconds=settings.ivr.max_call_seconds,
        holidays=settings.calendar.holidays,
        tick_seconds=settings.dialer.tick_seconds,
        do_not_call_days=settings.law.do_not_call_days,
        probes=settings.dialer.breaker_probes,
    )


def trials(settings: Settings, store: Store, originator: Originator, capacity: Capacity) -> Trials:
    """What dials the test calls, within the capacity of the dialler."""
    setting = TrialSetting(
        settings.asterisk.node, settings.trunk.name, settings.ivr.max_call_seconds
    )
    return Trials(setting, store, originator, capacity, utc_now)


async def open_console(
    stack: AsyncExitStack,
    settings: Settings,
    store: Store,
    report: Report,
    line: PhoneLine | None,
) -> Console | None:
    """The console, listening; None where it is switched off. `line` is the agents' phones."""
    given = settings.console
    if not given.enabled:
        return None
    setting = ConsoleSetting(
        host=given.host,
        port=given.port,
        idle=timedelta(seconds=given.idle_seconds),
        login=LoginLimits(given.login_failures, timedelta(seconds=given.lock_seconds)),
        secure_cookies=given.secure_cookies,
        uploads=given.uploads,
        upload_bytes=given.upload_megabytes * 1_000_000,
        keep_rejects=timedelta(days=given.rejects_days),
    )
    lease = timedelta(seconds=settings.callbacks.lease_seconds)
    supervised = supervision(store, callback_setting(settings), lease)
    places, key = read_places(given.districts), settings.law.erasure_key
    importer = AudienceBringer(store, utc_now, places, key)
    console = Console(
        setting,
        store,
        utc_now,
        report,
        desk_setting(settings, line),
        supervised,
        CampaignControl(settings),
        importer,
        ApiOperation(settings),
    )
    await console.open()
    stack.push_async_callback(console.close)
    return console


async def open_health(
    stack: AsyncExitStack, settings: Settings, report: Report, exposition: Exposition
) -> None:
    """`/health` and `/metrics`, listening. Raises ConfigError where their port is taken."""
    host, port = settings.health.host, settings.health.port
    try:
        runner = await serve_health(host, port, report, exposition)
    except OSError as error:
        raise ConfigError(
            f"port {port} for /health is taken ({error.strerror}): set [health] port"
        ) from error
    stack.push_async_callback(runner.cleanup)
