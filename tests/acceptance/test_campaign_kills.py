"""kill -9 of our server ×5 and of its Asterisk ×3 in one campaign of 300 numbers. I/O.

The judge is the carrier's own log: no number may be dialled twice, no key 1 be lost.

Which keys 1 count as lost if they are not registered? Those that somebody was there to take
(lab.presence). How many others there were is printed. Such a key may be registered all the same,
and where it was kept as pressed at all, it must be.
"""

from collections import Counter
from pathlib import Path
from random import Random
from time import sleep

from sqlalchemy import Connection, func, select

from domain.msisdn import national
from lab.behaviours import Timing, behaviour_of, numbers_for
from lab.presence import Presence
from store.models import Attempt
from tests.acceptance.rehearsal import NO_RETRIES, Rehearsal, Row, Server, epoch, until

SEED = 20210326
KILLS = ["server"] * 5 + ["asterisk"] * 3
MIX = {
    "press-1": 95,
    "barge-1": 45,
    "press-2-then-1": 25,
    "wrong-key-then-1": 20,
    "press-1-and-leave": 30,
    "press-3": 10,
    "silent": 10,
    "wrong-key": 5,
    "hang-up-early": 15,
    "busy": 15,
    "no-answer": 10,
    "switched-off": 10,
    "invalid": 5,
    "congestion": 2,
    "rejected": 3,
}
TOTAL = 300
TIMING = Timing(ring_seconds=0.3, think_seconds=1.2, barge_seconds=0.5, leave_seconds=0.8)
MUST_COUNT = 60  # keys 1 that somebody was there to take: fewer would prove nothing


class Life:
    """One server after the other, and when there was nobody; times are the carrier log's."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.rehearsal = rehearsal
        self.server: Server = rehearsal.serve()
        self._ready_at: float | None = None
        self.presence = Presence()

    def look(self) -> bool:
        """Whether the server listens; notes when it began to."""
        if self._ready_at is None and self.server.is_ready():
            self._ready_at = epoch()
        return self._ready_at is not None

    def over(self) -> None:
        """The server is killed or has had its day."""
        if self._ready_at is not None:
            self.presence.listened.append((self._ready_at, epoch()))
        self._ready_at = None

    def kill_server(self) -> None:
        """kill -9, and another one is started."""
        self.over()
        self.server.kill()
        self.server = self.rehearsal.serve()

    def kill_asterisk(self) -> None:
        """kill -9, and it is started again."""
        self.presence.asterisk_killed.append(epoch())
        self.rehearsal.asterisk.kill()
        self.rehearsal.asterisk.start()


def test_nobody_is_dialled_twice_and_no_key_1_is_lost(
    tmp_path: Path, store_url: str, short_prompts: Path
) -> None:
    rehearse_kills(tmp_path, store_url, short_prompts, driver="ari")


def test_the_same_without_ari(tmp_path: Path, short_prompts: Path) -> None:
    rehearse_kills(tmp_path, None, short_prompts, driver="agi")


def rehearse_kills(directory: Path, store_url: str | None, prompts: Path, *, driver: str) -> None:
    numbers = [number for name, count in MIX.items() for number in numbers_for(name, count)]
    random = Random(SEED)
    random.shuffle(numbers)
    with Rehearsal(
        directory,
        store_url=store_url,
        timing=TIMING,
        prompts=prompts,
        sections={"ivr": {"silence_seconds": 1, "driver": driver}},
    ) as rehearsal:
        rehearsal.load(numbers, cps=12, max_channels=70, ring_timeout_seconds=5, **NO_RETRIES)
        life = Life(rehearsal)
        kill_at_random(life, random)
        until(life.look, 60, lambda: f"not ready: {life.server.health()}")
        rehearsal.until_finished(150)
        life.over()
        check_dials(rehearsal, numbers)
        check_keys(rehearsal, life)
        check_registrations(rehearsal)
        check_ends(rehearsal, life)


def kill_at_random(life: Life, random: Random) -> None:
    """Each kill comes a moment after the carrier has seen so many INVITEs; both are drawn."""
    victims = random.sample(KILLS, len(KILLS))
    moments = sorted(random.sample(range(10, TOTAL - 50), len(victims)))
    for victim, invites in zip(victims, moments, strict=True):
        until(
            lambda: (life.look(), life.rehearsal.invites().total() >= invites)[1],  # noqa: B023
            60,
            lambda: f"no more INVITEs: {life.server.health()}",
        )
        sleep(random.uniform(0, 0.5))  # any moment of a call may be its worst
        if victim == "asterisk":
            life.kill_asterisk()
        else:
            life.kill_server()


def check_dials(rehearsal: Rehearsal, numbers: list[str]) -> None:
    """Every number is dialled once at most, by an attempt whose end is known rightly or not."""
    invites, attempts = rehearsal.invites(), rehearsal.attempts()
    assert [number for number, count in invites.items() if count > 1] == []
    assert attempts.keys() == set(numbers)
    for number in numbers:
        sent = [one for one in attempts[number] if one["disposition"] != "not_dialled"]
        assert len(sent) == 1, attempts[number]
        known = sent[0]["disposition"] != "unknown"
        assert invites[national(number)] == 1 or not known
        assert not known or sent[0]["disposition"] == behaviour_of(number).disposition, sent


def check_keys(rehearsal: Rehearsal, life: Life) -> None:
    """Every key 1 that somebody was there to take is registered."""
    carrier = rehearsal.carrier.events()
    invites = {event.call_id: event for event in carrier if event.event == "invite"}
    keys = [event for event in carrier if (event.event, event.value) == ("key", "1")]
    taken = [key for key in keys if life.presence.was_whole(invites[key.call_id], key)]
    registered = {national(row["msisdn"]) for row in rehearsal.export("registrations")}
    unseen = {key.number for key in keys} - {key.number for key in taken}
    print(
        f"keys 1: {len(keys)} sent, {len(taken)} while our side was all there, of the other"
        f" {len(unseen)} numbers {len(unseen & registered)} are registered"
    )
    assert [key for key in taken if key.number not in registered] == []
    assert len(taken) >= MUST_COUNT


def check_registrations(rehearsal: Rehearsal) -> None:
    """One for each number whose key 1 was kept, for no other, each with its call-back."""
    registrations = rehearsal.export("registrations")
    pressed = {
        number
        for number, attempts in rehearsal.attempts().items()
        if any(key["key"] == "1" for attempt in attempts for key in attempt["keys"])
    }
    assert {row["msisdn"] for row in registrations} == pressed
    assert all(behaviour_of(number).registration for number in pressed)
    confirm = [row for row in rehearsal.export("callbacks") if row["kind"] == "confirm"]
    # In whatever order: what was spooled may be committed beside what comes now.
    assert sorted(map(of_callback, confirm)) == sorted(map(of_registration, registrations))


def of_callback(row: Row) -> tuple[str, str, str]:
    return row["registration_id"], row["msisdn"], row["requested_at"]


def of_registration(row: Row) -> tuple[str, str, str]:
    return row["registration_id"], row["msisdn"], row["registered_at"]


def check_ends(rehearsal: Rehearsal, life: Life) -> None:
    """No attempt stays open, no channel is left, calls were taken over on the way."""
    counts = rehearsal.counts()
    assert counts["targets"] == {"done": TOTAL}
    assert "open" not in counts["attempts"]
    print(Counter(counts["attempts"]), f"{rehearsal.read(adopted)} calls taken over")
    assert rehearsal.read(adopted) > 0
    rehearsal.until_no_channel()
    assert life.server.health()["store"] == {"up": True, "spooled_facts": 0}
    assert "Traceback" not in rehearsal.log()
    life.server.terminate()
    assert life.server.exit_status(20) == 0


def adopted(connection: Connection) -> int:
    """How often a live call was taken over."""
    return connection.execute(select(func.sum(Attempt.adoptions))).scalar_one()
