"""Asterisk's manager interface (AMI): pyst2's messages over a transport of our own."""
