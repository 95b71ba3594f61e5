"""The texts of TSTN over SMPP: in from subscribers, out to them."""
