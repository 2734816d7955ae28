"""Passwords of accounts, as argon2id hashes with the parameters that RFC 9106 recommends for little memory."""

from __future__ import annotations

from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pipeline.web.accounts.account_store import AccountError, account_key

MIN_LENGTH, MAX_LENGTH = 10, 1_000
_hasher = PasswordHasher()
_no_password = _hasher.hash("")
"""Compared where there is no account, so that a name that has none takes as long as one that has."""
_at_once = BoundedSemaphore(2)
"""Each hash takes 64 MiB and all cores for a moment."""


def check_new_password(password: str, name: str) -> None:
    """Raises AccountError for a password that is too easy."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise AccountError("a password has at least %(least)s letters", least=MIN_LENGTH)
    if account_key(password) == account_key(name) or len(set(password)) < 4:
        raise AccountError("this password is too easy to guess")


def hash_password(password: str) -> str:
    """The hash that is kept."""
    with _at_once:
        return _hasher.hash(password)


def is_right(password: str, kept: str | None) -> bool:
    """Whether a password has this hash. False without one, after the same time."""
    with _at_once:
        try:
            return _hasher.verify(kept or _no_password, password[: MAX_LENGTH + 1]) and kept is not None
        except (VerificationError, InvalidHashError):
            return False
