"""Passwords: argon2id, in a thread of its own, and as slow for logins that nobody has. I/O."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain.accounts import MOST_PASSWORD, check_password

T = TypeVar("T")

MOST_WAITING = 60
"""So many logins wait for their check, some seconds at most; a shift's agents come at once."""


class TooManyChecks(Exception):
    """Too many passwords wait to be checked: nothing was looked at."""


class Passwords:
    """Makes and checks hashes, one at a time: many logins at once must not take the machine."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="passwords")
        self._waiting = 0

    async def make(self, password: str) -> str:
        """The hash of a new password. Raises InputError for one that is too short or long."""
        check_password(password)
        return await self._run(self._hasher.hash, password)

    async def fits(self, password_hash: str | None, password: str) -> bool:
        """Whether it is the right one; without a hash it never is, after the same time.

        Raises TooManyChecks, so that who guesses by the hundred keeps nobody waiting for minutes.
        """
        if self._waiting >= MOST_WAITING:
            raise TooManyChecks
        self._waiting += 1
        try:
            return await self._run(self._verify, password_hash, password[:MOST_PASSWORD])
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """End the thread."""
        await asyncio.to_thread(self._thread.shutdown)

    async def _run(self, work: Callable[..., T], *args: str | None) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)

    def _verify(self, password_hash: str | None, password: str) -> bool:
        try:
            right = self._hasher.verify(password_hash or self._nobodys, password)
        except (VerificationError, InvalidHashError):
            return False
        return right and password_hash is not None

    @cached_property
    def _nobodys(self) -> str:
        """Made by the first login that needs it, in the thread: a start does not wait for it."""
        return self._hasher.hash("of no account")
