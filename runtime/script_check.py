"""Whether this server can say the words of a campaign. I/O."""

from domain.errors import ConfigError
from ivr.prompts import check_catalogue, load_script
from runtime.settings import Settings


def require_prompts(name: str, script_version: str, settings: Settings) -> None:
    """Raises ConfigError unless it has the script of the campaign, and the audio of it."""
    script = load_script(settings.ivr.script)
    if script.version != script_version:
        raise ConfigError(
            f"campaign {name!r} needs script {script_version}, this server has "
            f"{script.version}: set [ivr] script, or "
            f"`tstn campaign tune {name} script_version={script.version}`"
        )
    check_catalogue(settings.ivr.prompts_dir, script)
