"""The command that writes Asterisk's configuration: asterisk render. I/O."""

from argparse import Namespace

from domain.errors import InputError
from runtime.asterisk_config import render as render_files
from runtime.cli.output import show
from runtime.settings import Settings


def render(arguments: Namespace, settings: Settings) -> None:
    """Write every configuration file into a directory."""
    try:
        files = render_files(settings, arguments.directory)
    except OSError as error:
        raise InputError(f"cannot write {error.filename}: {error.strerror}") from None
    show(
        arguments,
        {"files": files, "secrets": settings.secrets_file},
        *map(str, files),
        f"the passwords are in {settings.secrets_file}",
    )
