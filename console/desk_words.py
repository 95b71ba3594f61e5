"""The words of the agent's desk: duty, calls, outcomes, history of a call-back. Pure."""

from console.messages import marked as _

DESK_WORDS: dict[str, str] = {
    # duty
    "duty_is_on": _("On duty"),
    "duty_is_paused": _("On pause"),
    "duty_is_off": _("Off duty"),
    "short_break": _("Short break"),
    "meal": _("Meal"),
    "training": _("Training"),
    "meeting": _("Meeting"),
    "technical_fault": _("Technical fault"),
    # where a call stands
    "call_calling_agent": _("Calling your phone"),
    "call_agent_ringing": _("Your phone is ringing"),
    "call_dialling": _("Dialling the subscriber"),
    "call_ringing": _("Ringing at the subscriber's"),
    "call_talking": _("Talking"),
    "call_agent_left": _("You have hung up"),
    "call_subscriber_left": _("The subscriber has hung up"),
    "call_ended": _("The call is over"),
    # outcomes
    "outcome_confirmed": _("Address confirmed"),
    "outcome_advised": _("Advice given"),
    "outcome_call_later": _("Call later"),
    "outcome_no_answer": _("No answer"),
    "outcome_busy": _("Busy"),
    "outcome_switched_off": _("Phone switched off"),
    "outcome_wrong_number": _("Wrong number"),
    "outcome_not_the_user": _("Not the user"),
    "outcome_refused": _("Refused"),
    "outcome_has_4g_sim": _("Has a 4G SIM already"),
    "outcome_outside_area": _("Outside the area"),
    "outcome_will_go_to_shop": _("Will go to a shop"),
    # parts of a day, divisions of the country
    "morning": _("Morning"),
    "afternoon": _("Afternoon"),
    "evening": _("Evening"),
    "vn-2021": _("63 provinces, with districts (to 2025)"),
    "vn-2025": _("34 provinces, without districts (from July 2025)"),
    # the history of a call-back
    "callback_claimed": _("Taken by an agent"),
    "callback_dialled": _("Agent's call begun"),
    "callback_agent_answered": _("Agent picked up"),
    "callback_subscriber_dialled": _("Subscriber dialled"),
    "callback_subscriber_answered": _("Subscriber answered the agent"),
    "callback_call_ended": _("Agent's call ended"),
    "callback_result": _("Result recorded"),
    "callback_given_back": _("Given back to the queue"),
    "callback_lease_expired": _("Agent's time ran out"),
    "callback_released": _("Released by a supervisor"),
    "callback_taken_back": _("Taken back from the agent"),
    "callback_unreachable": _("Never reached"),
    "callback_at_risk": _("Call-back at risk"),
    "callback_late": _("Call-back past n+1"),
    "promise_broken": _("Promise of 48 hours broken"),
    # acts
    "duty_on": _("Went on duty"),
    "duty_paused": _("Went on pause"),
    "duty_off": _("Went off duty"),
    "callback_taken": _("Took a call-back"),
    "subscriber_called": _("Called a subscriber"),
    "call_hung_up": _("Hung up"),
    "reason": _("reason"),
    "outcome": _("result"),
}
"""Part of `console.words.WORDS`."""
