"""The limits that hold, by the store's rows and the settings, and what a change makes of them.

Pure.
"""

from collections.abc import Mapping, Sequence

from dialer import knobs
from runtime.settings import Settings
from store.limits import GLOBAL, Caps, of_trunk

_CHECKS = {"cps": knobs.cps, "channels": knobs.whole(0, 20000)}


def default_caps(settings: Settings) -> Caps:
    """The limits of a scope that has none in the store."""
    return Caps(settings.dialer.cps, settings.dialer.max_channels)


def in_force(stored: Mapping[str, Caps], settings: Settings) -> dict[str, Caps]:
    """The limits of the server, of the trunk of these settings, and of whatever else has some."""
    scopes = (GLOBAL, of_trunk(settings.trunk.name))
    return {**dict.fromkeys(scopes, default_caps(settings)), **stored}


def shared(stored: Mapping[str, Caps], settings: Settings) -> list[Caps]:
    """What all campaigns share: the limits of the server, and those of the trunk."""
    caps_of = in_force(stored, settings)
    return [caps_of[scope] for scope in (GLOBAL, of_trunk(settings.trunk.name))]


def changed(present: Caps, pairs: Sequence[str]) -> Caps:
    """The limits after pairs such as `cps=30`. Raises InputError: one line, a problem each."""
    problems: list[str] = []
    texts = knobs.read_pairs(pairs, problems)
    given = {key: knobs.toml_value(text) for key, text in texts.items()}
    values = knobs.check_all(given, _CHECKS, problems)
    knobs.refuse(problems)
    return Caps(values.get("cps", present.cps), values.get("channels", present.max_channels))
