"""Asterisk's manager interface, by pyst2: its queues' actions and events."""
