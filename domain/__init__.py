"""The words and rules that two or more parts share. Pure."""
