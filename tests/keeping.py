"""What the tests of erasure and retention share: a key, an import, a whole story. I/O."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from domain.dispositions import Disposition
from sms.answering import answer_texts
from store import attempts, audience, outcomes, subscribers
from store.audience import Newcomer
from store.claims import Claimed
from store.engine import Store
from store.locks import lock_audience
from store.models import Base, Campaign, table
from store.outcomes import Sent
from store.settlement import Verdict, settle
from tests.integration.test_sms_answering import SETTING, said
from tests.rows import NOW, all_rows, claim_some, ended, make_campaign, pressed
from tests.texts import NUMBER, OTHER, claim, take_in

KEY = "key-of-this-installation-1"
OTHER_KEY = "key-of-another-one-000001"
DAY = timedelta(days=1)


async def bring_in(
    store: Store,
    campaign: Campaign,
    msisdns: Sequence[str],
    now: datetime = NOW,
    key: str = KEY,
) -> set[str]:
    """An audience file with these numbers; gives those that the campaign did not have."""

    def add(connection: Connection) -> set[str]:
        lock_audience(connection, campaign.id)
        new = set(msisdns) - audience.known(connection, campaign.id, msisdns).held.keys()
        rows = [Newcomer(msisdn, None, None, 1, '{"name":"Lan"}', None, None) for msisdn in new]
        audience.add_new(connection, campaign.id, 1, rows, now, key)
        return new

    return await store.write(add)


async def live(store: Store) -> Claimed:
    """A number that is called, presses keys, texts a question, and refuses by text."""
    campaign = await make_campaign(store, [NUMBER, OTHER])
    calls = {call.msisdn: call for call in await claim_some(store, campaign)}
    call = calls[NUMBER]
    await store.write(attempts.record_keys, [pressed(call, "2", NOW)])
    ends = [ended(each, Disposition.ANSWERED, NOW) for each in calls.values()]
    await store.write(attempts.record_ended, ends)
    await store.write(settle, [over(each) for each in calls.values()], NOW)
    await take_in(store, said("hướng dẫn"), said("TC", at=NOW + DAY))
    while await store.write(answer_texts, SETTING, NOW + DAY, 1):
        pass
    outs = await claim(store, now=NOW + DAY)
    await store.write(outcomes.record, [Sent(out.id, f"m{out.id}", NOW) for out in outs])
    return call


def over(call: Claimed) -> Verdict:
    """The call was answered, and its number is done."""
    return Verdict(call.attempt_id, call.target_id, Disposition.ANSWERED, 1, None)


async def erase(
    store: Store, days: int = 3, msisdn: str = NUMBER, key: str = KEY
) -> dict[str, int]:
    """Take the number out, so many days later."""
    return await subscribers.erase(store, msisdn, key, "lan", NOW + days * DAY)


async def tables_with(store: Store, number: str) -> set[str]:
    """The tables in which the number stands anywhere, in whatever form."""
    found = set()
    digits = number.removeprefix("+84")
    for mapper in Base.registry.mappers:
        row: Any = mapper.class_
        if digits in str(await all_rows(store, row)):
            found.add(table(row).name)
    return found
