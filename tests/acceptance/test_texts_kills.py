"""kill -9 of our process, again and again, while 10,000 subscribers send one text each. I/O."""

from pathlib import Path
from random import Random
from time import sleep

from tests.acceptance.rehearsal import until
from tests.acceptance.texts_rehearsal import TextRehearsal
from tests.acceptance.texts_senders import senders

SEED = 20261122
TOTAL, KILLS = 10_000, 5
MUST_COUNT = 20  # texts sent again after a kill: fewer would prove little


def test_texts_survive_kill_9(tmp_path: Path, store_url: str) -> None:
    chance = Random(SEED)
    subscribers = senders(TOTAL)
    with TextRehearsal(
        tmp_path,
        store_url=store_url,
        account={"window": 50},
        options={"window": 50},
        join_seconds=12.0,  # longer than a new process takes to come up
    ) as rehearsal:
        rehearsal.invite(subscribers)
        rehearsal.serve()
        rehearsal.until_bound()
        rehearsal.send(subscribers)
        for progress in sorted(chance.sample(range(500, 2 * TOTAL - 1500), KILLS)):
            until_at(rehearsal, progress)
            sleep(chance.uniform(0, 0.05))  # anywhere between two looks at the counts
            rehearsal.kill()
            rehearsal.serve()
        rehearsal.until_settled(90)
        figures = rehearsal.check(subscribers)
        again = rehearsal.smscs[0].control.counts()["mo_sent_again"]
        print(f"\n{figures}, {again} texts sent again")
        assert again >= MUST_COUNT
        assert figures.unknown <= KILLS


def until_at(rehearsal: TextRehearsal, progress: int) -> None:
    """Return once so many texts and answers have passed, both counted."""
    control = rehearsal.smscs[0].control

    def passed() -> int:
        counts = control.counts()
        return counts.get("mo_acked", 0) + counts.get("mt", 0)

    until(lambda: passed() >= progress, 60, lambda: f"{passed()} of {progress}", every=0.01)
