"""A campaign with a million targets and two million calls, as one that has run for a day. I/O."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from bench.claims import running_campaign
from domain.clock import utc_now
from store.engine import Store

TARGETS, ATTEMPTS = 1_000_000, 2_000_000
_STEP = 50_000
_CALLS_A_SECOND = 25
_NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS "
    "(SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last)",
    "postgresql": "WITH n AS "
    "(SELECT generate_series(CAST(:first AS integer), CAST(:last AS integer)) AS i)",
}
_UUID = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "gen_random_uuid()"}
# Of twenty numbers one is held by the gate, nine wait for a retry, two for their first call.
_TARGETS = """
INSERT INTO targets (id, campaign_id, msisdn, attributes, not_before, state, attempts_made, outcome,
  held_by)
{numbers}
SELECT i, :campaign, '+849' || substr(CAST(100000000 + i AS text), 2), '{{"name": "Lan"}}', :due,
  CASE WHEN i % 20 < 12 THEN 'ready' ELSE 'done' END, CASE WHEN i % 20 < 2 THEN 0 ELSE 2 END,
  CASE WHEN i % 20 < 12 THEN NULL WHEN i % 20 = 12 THEN 'opted_out'
    WHEN i % 20 < 16 THEN 'no_answer' ELSE 'answered' END,
  CASE WHEN i % 20 = 2 THEN 'phase_closed' END
FROM n
"""
# Each number twice; every third call is answered; two script versions.
_ATTEMPTS = """
INSERT INTO attempts (id, campaign_id, target_id, msisdn, node, trunk, script_version, started_at,
  ring_timeout_seconds, deadline_at, state, ended_at, answered_at, disposition, hangup_cause,
  adoptions, settled_at)
{numbers}
SELECT {uuid}, :campaign, 1 + i % {targets}, '+849' || substr(CAST(100000001 + i % {targets} AS
  text), 2), 'bench', 'carrier', 'vi-' || (1 + i % 2), {start}, 30, :now, 'ended', {start},
  CASE WHEN i % 3 = 0 THEN {start} END, CASE WHEN i % 3 = 0 THEN 'answered' ELSE 'no_answer' END,
  CASE WHEN i % 3 = 0 THEN 16 ELSE 19 END, 0, :now
FROM n
"""
_START = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', :now, (-i / {rate}) || ' seconds')",
    "postgresql": "CAST(:now AS timestamptz) - make_interval(secs => i / {rate})",
}
_KEYS = """
INSERT INTO key_presses (attempt_id, pressed_at, key, script_state)
SELECT id, started_at, CASE WHEN target_id % 3 = 0 THEN '1' ELSE '2' END, 'menu' FROM attempts
WHERE disposition = 'answered' AND target_id % 5 = 0
"""


async def fill(store: Store) -> int:
    """Make it, and give its id."""
    campaign_id = await store.write(running_campaign, {"vi-1": 1, "vi-2": 1})
    now = utc_now()
    for statement, rows in ((_TARGETS, TARGETS), (_ATTEMPTS, ATTEMPTS)):
        for first in range(1, rows + 1, _STEP):
            await store.write(_insert, statement, campaign_id, first, now)
    await store.write(lambda connection: connection.execute(text(_KEYS)))
    return campaign_id


def _insert(
    connection: Connection, statement: str, campaign_id: int, first: int, now: datetime
) -> None:
    dialect = connection.dialect.name
    start = _START[dialect].format(rate=f"{_CALLS_A_SECOND}.0")
    words = {"numbers": _NUMBERS[dialect], "uuid": _UUID[dialect], "start": start}
    moments = {"now": now, "due": now + timedelta(days=1)}
    given: dict[str, object] = {
        name: at.strftime("%Y-%m-%d %H:%M:%S.%f") if dialect == "sqlite" else at
        for name, at in moments.items()
        if f":{name}" in statement
    }
    given |= {"campaign": campaign_id, "first": first, "last": first + _STEP - 1}
    connection.execute(text(statement.format(targets=TARGETS, **words)), given)
