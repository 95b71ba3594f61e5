"""What stands in the place of a number that was taken out. Pure.

Most rows get a name that says only which row it is: nobody finds the subscriber by it. A refusal
must stay in force, so it is kept under a keyed hash: who has the installation's key and the number
finds it, and nobody reads the number from it (docs/adr/0011).
"""

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256

MARK = "#"
"""No number begins so."""
_LENGTH = 15
"""As many characters as the column has room for beside MARK: 90 bits."""
_KEY_ITSELF = b"the key itself"


def keyed_name(key: str, msisdn: str) -> str:
    """The name of a number under a key: always the same one, 16 characters."""
    return MARK + _hashed(key, msisdn.encode())


def key_name(key: str) -> str:
    """What tells one key from another, and nothing of the key."""
    return _hashed(key, _KEY_ITSELF)


def _hashed(key: str, message: bytes) -> str:
    digest = hmac.digest(key.encode(), message, sha256)
    return urlsafe_b64encode(digest).decode()[:_LENGTH]
