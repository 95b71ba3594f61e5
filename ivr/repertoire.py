"""Every script that this server can say, and how each of its calls is said. I/O."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from domain.errors import ConfigError
from ivr.prompts import Catalogue, Script, check_catalogue, load_script, media


class Repertoire:
    """The checked prompts of each version."""

    def __init__(self, catalogues: Mapping[str, Catalogue]) -> None:
        self._catalogues = catalogues

    @property
    def versions(self) -> frozenset[str]:
        """The versions that can be played."""
        return frozenset(self._catalogues)

    def media(self, version: str, names: Sequence[str]) -> Sequence[str]:
        """The prompts as ARI media URIs, in the order in which that version says them.

        A call that a server before us has begun may play a version that we were not given: its
        files are asked for all the same, in the usual order.
        """
        catalogue = self._catalogues.get(version)
        if catalogue is None:
            return [media(version, name) for name in names]
        return [catalogue.media(name) for name in catalogue.in_order(names)]


def load_scripts(files: Sequence[Path]) -> list[Script]:
    """The scripts of all files. Raises ConfigError, also where two are the same version."""
    scripts: dict[str, Script] = {}
    for file in files:
        script = load_script(file)
        if script.version in scripts:
            raise ConfigError(f"{file}: version {script.version} stands in another file too")
        scripts[script.version] = script
    return list(scripts.values())


def open_repertoire(prompts_dir: Path, files: Sequence[Path]) -> Repertoire:
    """The prompts of all script files, checked. Raises ConfigError."""
    scripts = load_scripts(files)
    return Repertoire({each.version: check_catalogue(prompts_dir, each) for each in scripts})
