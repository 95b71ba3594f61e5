"""How many submits one bind may write now: window, rate, and what the SMSC's refusals ask. Pure.

Everything counts PDUs, not messages: the parts of one long text would else throttle themselves.
The SMSC's word is taken as follows.

* "throttled" (0x58): nothing for 1 s; twice as long, up to 30 s, where the same follows soon after
  such a pause. Then at half the speed that was too fast, twice as fast every ten seconds. Where
  nothing was taken since the last pause, this one says nothing of the speed: what was too fast
  before still counts. Then it begins at half of its last beginning, at an eighth of that speed at
  the least; so a bind is back at it in ten seconds, after many pauses in thirty.
* "message queue full" (0x14), and a submit that nobody answered: half the window, once for all that
  was on its way together; one more slot for each window of accepted submits. Where even one at a
  time is too many, a pause as above.
"""

from domain.pacing import Monotonic, TokenBucket
from sms.pdu.codes import ESME_ROK, Refusal, refusal

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
DOUBLING_SECONDS = 10.0
"""A bind that begins at half the speed that was too fast is back at it after so long."""
LEAST_SHARE = 1 / 8
"""Of the speed that was too fast: where a bind begins after many pauses in a row."""
RAMP_END = 20.0
"""Times the speed after a pause: from there on, a bind that has no rate set has no limit again."""
LEAST_RATE = 1.0
_MOST_DOUBLINGS = 30.0
"""Beyond any rate; of a power that grew for hours there would be no number."""
_POLL_SECONDS = (0.005, 0.05)
"""How often a bucket is looked at: not for each PDU where it fills fast, and before it overflows
where it fills slowly."""


class Flow:
    """The free slots of one bind.

    Args:
        window: submits that may wait for an answer at the same time, at most.
        rate: PDUs a second at most; None: as fast as the window allows.
        account: the bucket that all binds of one account share.
    """

    def __init__(
        self,
        window: int,
        rate: float | None,
        now: Monotonic,
        account: TokenBucket | None = None,
    ) -> None:
        self._widest = window
        self._rate = rate
        self._now = now
        self._account = account
        self.reset()

    def reset(self) -> None:
        """Begin anew, as on a new connection: what the SMSC said on the last one is forgotten."""
        self.window = self._widest
        self._grown = 0
        self._settling = 0
        self._bucket = None if self._rate is None else TokenBucket(self._rate, self._now)
        self._ramp_from: float | None = None
        self._too_fast = 0.0
        self._accepted_since = False
        self._pause_seconds = 0.0
        self._paused_until = float("-inf")
        self._sent = 0
        self._sent_since = self._now()
        self._speed = 0.0

    def room(self, outstanding: int) -> int:
        """How many submits may be written now, with so many still without an answer."""
        room = self.window - outstanding
        if room <= 0:
            return 0
        if self._now() < self._paused_until:
            return 0
        self._ramp()
        if self._bucket is not None:
            room = min(room, self._bucket.available())
        if self._account is not None:
            room = min(room, self._account.available())
        return max(room, 0)

    def take(self) -> None:
        """One submit that `room` allowed is written."""
        if self._bucket is not None:
            self._bucket.take(1)
        if self._account is not None:
            self._account.take(1)
        self._sent += 1
        now = self._now()
        if now - self._sent_since >= 1.0:
            self._speed = self._sent / (now - self._sent_since)
            self._sent = 0
            self._sent_since = now

    def wait_seconds(self, outstanding: int) -> float | None:
        """When to ask for room again where there is none; None: only an answer can make some."""
        if outstanding >= self.window:
            return None
        pause = self._paused_until - self._now()
        if pause > 0:
            return pause
        rates = [bucket.rate for bucket in (self._bucket, self._account) if bucket is not None]
        quick, slow = _POLL_SECONDS
        slowest = min(rates, default=float("inf"))
        return slow if slowest * slow <= 1.0 else max(quick, 1.0 / slowest)

    def answered(self, status: int, outstanding: int) -> bool:
        """The SMSC has answered a submit; so many others are still on their way.

        Returns:
            Whether a pause begins with this answer.
        """
        if status == ESME_ROK:
            self._accepted()
            return False
        meant = refusal(status)
        if meant is Refusal.THROTTLED:
            self._settled()
            return self._pause()
        if meant is Refusal.QUEUE_FULL:
            return self._shrink(outstanding) and self._pause()
        self._settled()
        return False

    def unanswered(self, outstanding: int) -> None:
        """A submit got no answer in time: the SMSC has more on its hands than it can do."""
        self._shrink(outstanding)

    @property
    def trouble(self) -> str | None:
        """What holds the bind back at the SMSC's wish, in words; None where nothing does."""
        pause = self._paused_until - self._now()
        if pause > 0:
            return f"the SMSC throttles us: paused for {pause:.1f} s"
        self._ramp()
        held = []
        if self._bucket is not None and self._ramp_from is not None:
            held.append(f"the SMSC throttled us: {self._bucket.rate:.1f} a second, slowly more")
        if self.window < self._widest:
            held.append(f"the SMSC is busy: window {self.window} of {self._widest}")
        return "; ".join(held) or None

    def _accepted(self) -> None:
        self._settled()
        if self._now() >= self._paused_until:
            self._accepted_since = True
        if self.window < self._widest:
            self._grown += 1
            if self._grown >= self.window:
                self._grown = 0
                self.window += 1

    def _settled(self) -> None:
        if self._settling:
            self._settling -= 1

    def _shrink(self, outstanding: int) -> bool:
        """Halve the window, once for all that is on its way now; True where it cannot be halved."""
        if self._settling:
            self._settling -= 1
            return False
        self._settling = outstanding
        self._grown = 0
        if self.window == 1:
            return True
        self.window //= 2
        return False

    def _pause(self) -> bool:
        now = self._now()
        since = now - self._paused_until
        if since < 0:  # sent before the pause
            return False
        again = since < self._pause_seconds
        longer = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)
        self._pause_seconds = longer if again else FIRST_PAUSE_SECONDS
        self._paused_until = now + self._pause_seconds
        self._slow_down(from_last=again and not self._accepted_since)
        self._accepted_since = False
        return True

    def _slow_down(self, *, from_last: bool) -> None:
        """Say at which speed to begin after the pause."""
        if from_last and self._ramp_from is not None:
            least = max(LEAST_RATE, LEAST_SHARE * self._too_fast)
            self._ramp_from = max(least, self._ramp_from / 2)
        else:
            self._too_fast = max(self._speed, self._sent)
            self._ramp_from = max(LEAST_RATE, self._too_fast / 2)
        self._bucket = None  # what it gathers meanwhile is not to leave at once

    def _ramp(self) -> None:
        """Set the speed for now, so long after the pause."""
        if self._ramp_from is None:
            return
        doublings = (self._now() - self._paused_until) / DOUBLING_SECONDS
        grown = 2.0 ** min(doublings, _MOST_DOUBLINGS)
        if self._bucket is None:
            self._bucket = TokenBucket(self._ramp_from, self._now)
        self._bucket.rate = self._ramp_from * grown
        if self._rate is None:
            if grown >= RAMP_END:
                self._bucket = self._ramp_from = None
        elif self._bucket.rate >= self._rate:
            self._bucket.rate = self._rate
            self._ramp_from = None
