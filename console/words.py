"""The words for what the store names by one: roles, kinds of happening, outcomes, acts. Pure.

Templates write `value|word`; what is not listed is shown as it is, and a test looks for such.
"""

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
    "registered_by_key": _("Registered by key 1"),
    "busy": _("Busy"),
    "no_answer": _("No answer"),
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
}
