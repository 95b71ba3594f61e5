"""Asterisk's REST interface: commands over HTTP, events over a websocket."""
