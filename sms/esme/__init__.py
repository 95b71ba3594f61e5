"""SMPP 3.4 as a client (ESME): one bound session on asyncio, and the keepers of the binds."""
