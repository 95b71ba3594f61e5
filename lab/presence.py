"""When our side was all there for a key of a call, while it is killed now and then. Pure.

While our process is dead nobody listens to Asterisk, which keeps no event for later; on a call
whose Asterisk was killed there is nobody at all, though the carrier's side of it goes on for a
while. So a key must be registered if, by the carrier's log,

* its call came in after the last kill of Asterisk before the key, and Asterisk lived on after it;
* a server that was connected to Asterisk ran from BEFORE_SECONDS before the log line (the line
  comes 0.25 s after the key is released) until AFTER_SECONDS after it (the commit, with the
  machine busy).
"""

from dataclasses import dataclass, field

from lab.carrier import CarrierEvent

BEFORE_SECONDS, AFTER_SECONDS = 0.6, 0.75


@dataclass
class Presence:
    """Spells in which a server listened, and kills of Asterisk; times are the carrier log's."""

    listened: list[tuple[float, float]] = field(default_factory=list)
    asterisk_killed: list[float] = field(default_factory=list)

    def was_whole(self, invite: CarrierEvent, key: CarrierEvent) -> bool:
        """Whether our side was all there for this key of this call."""
        first, last = key.at - BEFORE_SECONDS, key.at + AFTER_SECONDS
        listened = any(start <= first and last <= end for start, end in self.listened)
        return listened and not any(invite.at <= at <= last for at in self.asterisk_killed)
