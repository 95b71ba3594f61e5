"""Whether this server may start a campaign: words it can say or send, what the law demands. I/O."""

from datetime import datetime

from sqlalchemy import Connection

from dialer.advertising import require_fresh_list
from dialer.variants import versions
from domain.errors import ConfigError, InputError
from domain.states import CampaignKind
from ivr.prompts import check_catalogue
from ivr.repertoire import load_scripts
from runtime.settings import Settings
from runtime.smsc_file import require_account
from sms.invitations import fault
from store.models import Campaign
from store.restored import require_told


def require_startable(
    connection: Connection, campaign: Campaign, settings: Settings, now: datetime
) -> None:
    """Raises InputError or ConfigError; a missing purpose is left to the store to refuse."""
    require_told(connection)
    if campaign.kind == CampaignKind.TEXT:
        _require_sendable(campaign, settings)
    elif campaign.purpose is not None:
        _require_prompts(campaign, settings)
    if campaign.purpose is not None:
        require_fresh_list(connection, campaign, settings.law.do_not_call_days, now)


def require_script(version: str, settings: Settings) -> None:
    """Raises InputError for a script that this server has not, ConfigError for missing audio."""
    scripts = {script.version: script for script in load_scripts(settings.scripts)}
    if version not in scripts:
        known = " and ".join(scripts)
        raise InputError(f"there is no script {version!r}: this server has {known}")
    check_catalogue(settings.ivr.prompts_dir, scripts[version])


def _require_sendable(campaign: Campaign, settings: Settings) -> None:
    if found := fault(str(campaign.text), campaign.purpose):
        raise InputError(f"campaign {campaign.name!r} can't start: {found}")
    require_account(str(campaign.account), settings)


def _require_prompts(campaign: Campaign, settings: Settings) -> None:
    scripts = {script.version: script for script in load_scripts(settings.scripts)}
    for version in versions(campaign.variants, campaign.script_version):
        if version not in scripts:
            knob = "'variants={}'" if campaign.variants else f"script_version={next(iter(scripts))}"
            raise ConfigError(
                f"campaign {campaign.name!r} needs script {version}, this server has "
                f"{' and '.join(scripts)}: set [ivr] script and scripts, or "
                f"`tstn campaign tune {campaign.name} {knob}`"
            )
        check_catalogue(settings.ivr.prompts_dir, scripts[version])
