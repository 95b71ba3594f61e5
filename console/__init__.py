"""The web pages: accounts, look-up, health, audit, and what the desks of agents stand on."""
