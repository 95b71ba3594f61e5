"""The words for what the store names by one: roles, kinds of happening, outcomes, acts. Pure.

Templates write `value|word`; what is not listed is shown as it is, and a test looks for such.
"""

from console.campaign_words import CAMPAIGN_WORDS
from console.desk_words import DESK_WORDS
from console.messages import marked as _

WORDS: dict[str, str] = {
    # roles
    "agent": _("9090 agent"),
    "supervisor": _("Agents' supervisor"),
    "operator": _("Campaign operator"),
    "specialist": _("Provincial specialist"),
    "verifier": _("Verifier"),
    "administrator": _("Administrator"),
    "auditor": _("Auditor"),
    # deadlines of call-backs
    "fresh": _("Fresh"),
    "due_today": _("Due today"),
    "at_risk": _("At risk"),
    "late": _("Past n+1"),
    "broken": _("Promise broken"),
    # how a part of the server stands
    "well": _("Well"),
    "waiting": _("Waiting"),
    "trouble": _("Trouble"),
    # groups of happenings
    "calls": _("Calls"),
    "texts": _("Texts"),
    "requests": _("Requests"),
    # happenings of a number
    "attempt_dialled": _("Dialled"),
    "attempt_ringing": _("Ringing"),
    "attempt_answered": _("Answered"),
    "attempt_ended": _("Call ended"),
    "key_pressed": _("Key pressed"),
    "registered": _("Registered"),
    "registration_repeated": _("Asked to register again"),
    "registration_cancelled": _("Registration cancelled"),
    "callback_promised": _("Call-back promised"),
    "callback_cancelled": _("Call-back cancelled"),
    "opted_out": _("Refused invitations"),
    "text_received": _("Text received"),
    "text_posted": _("Text queued"),
    "text_sent": _("Text sent"),
    "text_unanswered": _("Text without an answer"),
    "text_accepted": _("Text accepted by the SMSC"),
    "text_refused": _("Text refused by the SMSC"),
    "text_delivered": _("Text delivered"),
    "text_undelivered": _("Text not delivered"),
    "text_expired": _("Text expired"),
    # outcomes of calls
    "answered": _("Answered"),
    "no_answer": _("No answer"),
    "busy": _("Busy"),
    "rejected": _("Rejected"),
    "invalid_number": _("No such number"),
    "unreachable": _("Switched off or out of coverage"),
    "congestion": _("Network congested"),
    "not_dialled": _("Not dialled"),
    "unknown": _("Not known"),
    "unexpected_cause": _("Unexpected cause"),
    # what stands for a number
    "registration_open": _("open"),
    "registration_completed": _("completed"),
    "callback_open": _("open"),
    "callback_done": _("done"),
    "callback_unreachable": _("Subscriber not reached"),
    "confirm": _("Confirm the address"),
    "advice": _("Give advice"),
    "ivr": _("call, key 1"),
    "sms": _("text to 9231"),
    "web": _("web page"),
    # texts
    "register": _("register"),
    "cancel": _("cancel"),
    "opt_out": _("refuse invitations"),
    "help": _("help"),
    "status": _("status"),
    "near_miss": _("nearly TSTN"),
    "empty": _("empty"),
    "ok": _("registered"),
    "already": _("registered already"),
    "ineligible": _("not eligible"),
    "syntax": _("syntax"),
    "cancelled": _("cancelled"),
    "status_open": _("being worked on"),
    "none_standing": _("nothing stands"),
    "reply": _("reply"),
    "manual": _("by hand"),
    "invitation": _("invitation"),
    # results of call-backs
    "confirmed": _("Address confirmed"),
    "advised": _("Advice given"),
    "call_later": _("Call later"),
    "switched_off": _("Switched off"),
    "wrong_number": _("Wrong number"),
    "not_the_user": _("Not the user of the number"),
    "refused": _("Refused"),
    "has_4g_sim": _("Has a 4G SIM"),
    "outside_area": _("Outside the area"),
    "will_go_to_shop": _("Will go to the shop"),
    # what agents do
    "agent_talking": _("Talking"),
    "agent_calling": _("Calling"),
    "agent_holding": _("Has a call-back"),
    "agent_ready": _("Ready"),
    "agent_paused": _("Paused"),
    "agent_off": _("Off duty"),
    # how an agent's turn at a call-back ended
    "claim_given_back": _("given back"),
    "claim_off_duty": _("went off duty"),
    "claim_expired": _("lease ran out"),
    "claim_released": _("released by a supervisor"),
    "claim_cancelled": _("cancelled by the subscriber"),
    # what a supervisor did
    "agent_waited_for": _("Waits for an agent (key 3)"),
    "agent_connected": _("Talks with an agent (key 3)"),
    "agent_left": _("Parted from the agents (key 3)"),
    "callback_handed_over": _("Call-back handed over to an agent"),
    "callback_taken_back_by": _("Call-back released into the queue"),
    "before": _("before"),
    "reason": _("reason"),
    # acts
    "logged_in": _("Logged in"),
    "login_failed": _("Login failed"),
    "login_locked": _("Account locked after wrong passwords"),
    "logged_out": _("Logged out"),
    "user_added": _("Account added"),
    "user_activated": _("Account switched on"),
    "user_deactivated": _("Account switched off"),
    "password_reset": _("Password reset"),
    "number_looked_up": _("Number looked up"),
    # the agent's desk
    **DESK_WORDS,
    # the operator's pages
    **CAMPAIGN_WORDS,
    # what an act was about
    "name": _("name"),
    "role": _("role"),
    "province": _("province"),
    "phone": _("phone"),
}
"""An English word for each; a catalogue has the others."""

REFUSALS = (
    _("a login has 2 to 40 small letters, digits, dots, - or _, a letter first"),
    _("an account needs the name of its user, at most 80 letters"),
    _("a specialist needs a province"),
    _("a phone is the name of a SIP extension, such as agent1"),
    _("a password has 10 to 200 characters"),
    _("this login or this phone belongs to another account"),
    _("choose a role"),
    _("choose an agent"),
    _("the agent has a call-back already"),
    _("the call-back is closed"),
    _("another agent is talking to this number"),
)
"""What other parts refuse with and a page repeats; a test reads their sources."""
