"""The places in our dialplan (`config/asterisk/extensions.conf`) that the server names. Pure."""

AGENTS_CONTEXT = "agents-9090"
AGENTS_EXTENSION = "9090"
AGENTS_LABEL = "start"
CALLS_CONTEXT, CALLS_EXTENSION = "tstn-agi", "call"
"""Where a call goes that AGI commands."""
