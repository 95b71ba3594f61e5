"""The places in our dialplan (`config/asterisk/extensions.conf`) that the server names. Pure."""

AGENTS_CONTEXT = "agents-9090"
AGENTS_EXTENSION = "9090"
AGENTS_LABEL = "start"
NO_AGENT = "no-agent"
"""What the dialplan says when it gives a caller back whom no agent could take."""
CALLS_CONTEXT, CALLS_EXTENSION = "tstn-agi", "call"
"""Where a call goes that AGI commands."""
