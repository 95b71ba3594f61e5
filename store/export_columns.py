"""What exports have of each row, and by what name. Pure."""

from typing import Any

from sqlalchemy.orm import InstrumentedAttribute

from store.models import Attempt, Callback, MessageIn, MessageOut, Registration

Columns = dict[str, InstrumentedAttribute[Any]]
"""The columns of an export by the name they have there."""

ATTEMPT: Columns = {
    "attempt_id": Attempt.id,
    "msisdn": Attempt.msisdn,
    "state": Attempt.state,
    "disposition": Attempt.disposition,
    "hangup_cause": Attempt.hangup_cause,
    "tech_cause": Attempt.tech_cause,
    "started_at": Attempt.started_at,
    "ringing_at": Attempt.ringing_at,
    "answered_at": Attempt.answered_at,
    "ended_at": Attempt.ended_at,
    "node": Attempt.node,
    "trunk": Attempt.trunk,
    "script_version": Attempt.script_version,
    "queue_joined_at": Attempt.queue_joined_at,
    "queue_agent_id": Attempt.queue_agent_id,
    "queue_connected_at": Attempt.queue_connected_at,
    "queue_left_at": Attempt.queue_left_at,
    "queue_outcome": Attempt.queue_outcome,
}
REGISTRATION: Columns = {
    "registration_id": Registration.id,
    "msisdn": Registration.msisdn,
    "channel": Registration.channel,
    "source_id": Registration.source_id,
    "state": Registration.state,
    "registered_at": Registration.registered_at,
    "evidence": Registration.evidence,
}
CALLBACK: Columns = {
    "callback_id": Callback.id,
    "msisdn": Callback.msisdn,
    "kind": Callback.kind,
    "state": Callback.state,
    "source_id": Callback.source_id,
    "registration_id": Callback.registration_id,
    "requested_at": Callback.requested_at,
    "target_at": Callback.target_at,
    "promise_at": Callback.promise_at,
    "ready_at": Callback.ready_at,
    "attempts_made": Callback.attempts_made,
    "outcome": Callback.outcome,
    "outcome_at": Callback.outcome_at,
    "claimed_by": Callback.claimed_by,
    "claimed_at": Callback.claimed_at,
    "closed_at": Callback.closed_at,
    "appointment_day": Callback.appointment_day,
    "appointment_slot": Callback.appointment_slot,
}
MESSAGE_IN: Columns = {
    "text_id": MessageIn.id,
    "msisdn": MessageIn.msisdn,
    "source": MessageIn.source,
    "destination": MessageIn.destination,
    "received_at": MessageIn.received_at,
    "state": MessageIn.state,
    "text": MessageIn.text,
    "verdict": MessageIn.verdict,
    "answer": MessageIn.answer,
    "repeat_of": MessageIn.repeat_of,
    "joined_into": MessageIn.joined_into,
    "part_number": MessageIn.part_number,
    "part_total": MessageIn.part_total,
    "data_coding": MessageIn.data_coding,
    "account": MessageIn.account,
    "bind": MessageIn.bind,
    "raw": MessageIn.raw,
}
MESSAGE_OUT: Columns = {
    "text_id": MessageOut.id,
    "head_id": MessageOut.head_id,
    "msisdn": MessageOut.msisdn,
    "source": MessageOut.source,
    "purpose": MessageOut.kind,
    "state": MessageOut.state,
    "text": MessageOut.text,
    "part_number": MessageOut.part_number,
    "part_total": MessageOut.part_total,
    "in_reply_to": MessageOut.in_reply_to,
    "campaign_id": MessageOut.campaign_id,
    "tries": MessageOut.tries,
    "unanswered": MessageOut.unanswered,
    "posted_at": MessageOut.posted_at,
    "sending_at": MessageOut.sending_at,
    "responded_at": MessageOut.responded_at,
    "done_at": MessageOut.done_at,
    "status": MessageOut.status,
    "error": MessageOut.error,
    "message_id": MessageOut.message_id,
    "account": MessageOut.account,
    "bind": MessageOut.bind,
}
