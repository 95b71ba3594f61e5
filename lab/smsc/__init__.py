"""The simulated SMSC: SMPP 3.4 over real sockets, with subscribers, a journal and faults.

`server.Smsc` runs in a test's own event loop; `process.SmscProcess` is the same in a process of
its own, steered by `control_client.SmscControl`. Nothing here knows our own `sms`: two codecs that
agree are worth more than one that agrees with itself.
"""
