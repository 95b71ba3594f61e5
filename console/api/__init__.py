"""The JSON API: what operators do on the pages, for programs. `routes.py` is every way in."""
