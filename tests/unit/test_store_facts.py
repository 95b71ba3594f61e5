"""Facts as bytes and back, as the spool keeps them. Pure."""

from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.dispositions import Disposition
from domain.states import Channel, QueueOutcome
from store.facts import (
    AdviceAsked,
    AgentConnected,
    Answered,
    AttemptEnded,
    Fact,
    HandedOver,
    KeyPressed,
    LeftAgents,
    OptOutAsked,
    RegistrationAsked,
    TrialCallStood,
    decode,
    encode,
)

zones = st.sampled_from([UTC, timezone(timedelta(hours=7)), timezone(-timedelta(hours=3))])
moments = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=zones)  # noqa: DTZ001
msisdns = st.from_regex(r"\+84[35789][0-9]{8}", fullmatch=True)
ids = st.uuids()
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
maybe = st.none() | moments
causes = st.none() | st.integers(0, 699)
campaign_ids = st.integers(1, 2**31 - 1)
evidence = st.dictionaries(
    texts, st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts | st.lists(texts)
)

facts: st.SearchStrategy[Fact] = st.one_of(
    st.builds(Answered, attempt_id=ids, msisdn=msisdns, campaign_id=campaign_ids, at=moments),
    st.builds(
        KeyPressed,
        attempt_id=ids,
        msisdn=msisdns,
        key=st.sampled_from("0123456789*#ABCD"),
        script_state=texts,
        at=moments,
    ),
    st.builds(
        RegistrationAsked,
        channel=st.sampled_from(Channel),
        source_id=texts,
        msisdn=msisdns,
        campaign_id=st.none() | campaign_ids,
        evidence=evidence,
        at=moments,
    ),
    st.builds(
        AdviceAsked,
        channel=st.sampled_from(Channel),
        source_id=texts,
        msisdn=msisdns,
        campaign_id=st.none() | campaign_ids,
        at=moments,
    ),
    st.builds(OptOutAsked, msisdn=msisdns, at=moments, source_id=texts),
    st.builds(HandedOver, attempt_id=ids, at=moments, deadline_at=moments),
    st.builds(
        AgentConnected, attempt_id=ids, agent_id=st.none() | st.integers(1, 2**53), at=moments
    ),
    st.builds(
        LeftAgents, attempt_id=ids, outcome=st.none() | st.sampled_from(QueueOutcome), at=moments
    ),
    st.builds(
        AttemptEnded,
        attempt_id=ids,
        msisdn=msisdns,
        campaign_id=campaign_ids,
        disposition=st.sampled_from(Disposition),
        hangup_cause=causes,
        tech_cause=causes,
        ringing_at=maybe,
        answered_at=maybe,
        at=moments,
    ),
    st.builds(
        TrialCallStood,
        call_id=ids,
        answered_at=maybe,
        keys=texts,
        disposition=st.none() | st.sampled_from(Disposition),
        hangup_cause=causes,
        ended_at=maybe,
    ),
)


@given(facts)
def test_a_fact_comes_back_as_it_went(fact: Fact) -> None:
    back = decode(encode(fact))
    assert back == fact
    assert type(back) is type(fact)
    for field in fields(fact):
        before, after = getattr(fact, field.name), getattr(back, field.name)
        assert type(after) is type(before), field.name


def test_every_kind_of_fact_is_tried_above() -> None:
    kinds = set(get_args(Fact))
    on_agents = {HandedOver, AgentConnected, LeftAgents}
    calls = {Answered, KeyPressed, RegistrationAsked, AdviceAsked, OptOutAsked, AttemptEnded}
    assert calls | on_agents | {TrialCallStood} == kinds
    assert all(is_dataclass(kind) for kind in kinds)


@pytest.mark.parametrize(
    "garbage",
    [
        *(b"", b"\x00\xff", b"{", b"null", b"[]", b"7", b'"text"', b"{}"),
        b'{"fact": "Rumour", "at": "2021-04-01T03:00:00+00:00"}',
        b'{"fact": "Answered"}',
        b'{"fact": ["Answered"]}',
        b'{"fact": "Answered", "attempt_id": "7", "msisdn": "x", "campaign_id": 1, "at": "now"}',
        encode(
            Answered(
                attempt_id=UUID(int=1),
                msisdn="+84900000001",
                campaign_id=1,
                at=datetime(2021, 4, 1, tzinfo=UTC),
            )
        ).replace(b"campaign_id", b"campaign"),
    ],
)
def test_anything_else_is_refused_with_the_errors_it_names(garbage: bytes) -> None:
    """A spool may hold the lines of another version: nobody should have to guess what comes."""
    with pytest.raises((ValueError, KeyError)):
        decode(garbage)
