"""Each key is told twice, by AMI and by the sound it ended: it counts once. Pure."""


class KeyLedger:
    """The keys of one call: AMI tells all of them, AGI those that ended a sound.

    Either may be first, and AMI's may be lost with its link.
    """

    def __init__(self) -> None:
        self._by_ami: list[str] = []
        self._by_agi: list[str] = []

    def begin_sound(self) -> None:
        """A sound begins: keys that came before it cannot be what ends it."""
        self._by_ami.clear()

    def told_by_ami(self, key: str) -> bool:
        """Whether this is news."""
        return _is_news(key, self._by_agi, self._by_ami)

    def told_by_agi(self, key: str) -> bool:
        """Whether this is news."""
        return _is_news(key, self._by_ami, self._by_agi)

    def lost_ami(self) -> None:
        """What AMI has not told by now, it never will."""
        self._by_agi.clear()


def _is_news(key: str, told_by_other: list[str], told_by_this: list[str]) -> bool:
    if key in told_by_other:
        told_by_other.remove(key)
        return False
    told_by_this.append(key)
    return True
