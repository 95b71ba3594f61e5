"""SMPP 3.4 PDUs as typed values, and back to bytes: the only importer of smpplib."""
