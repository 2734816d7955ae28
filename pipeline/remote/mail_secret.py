"""The password or the access token of a mailbox: from the environment, the system's keyring, or a command that prints it.

It is never written anywhere, and no message repeats what a command or a keyring said.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from pipeline.errors import SettingsError
from pipeline.install_hint import install_hint
from pipeline.settings_sections import MailboxSettings

COMMAND_SECONDS = 60
_CORE_LETTERS = 6
"""So many letters of an encoded secret tell it from other words, also where the rest is cut off."""
_WORD = re.compile(r"[A-Za-z0-9+/=_-]+")


class MailSecret:
    """What proves to a server that the program may read a user's mail. ``place`` says for people where it comes from."""

    def __init__(self, settings: MailboxSettings, user: str) -> None:
        self._settings, self._user = settings, user
        self.is_token = bool(settings.token_command)
        self.place = (
            "`mailbox.token_command`" if self.is_token
            else "`mailbox.password_command`" if settings.password_command
            else f"the keyring's entry `{settings.keyring}`" if settings.keyring
            else f"the environment variable {settings.password_variable}"
        )  # fmt: skip

    def get(self) -> str:
        """The secret as it is now. Raises SettingsError."""
        settings = self._settings
        if command := settings.token_command or settings.password_command:
            return _printed_by(command, self.place)
        secret = self._from_keyring() if settings.keyring else os.environ.get(settings.password_variable, "")
        if not secret:
            raise SettingsError(
                f"the mailbox needs a password, and {self.place} has none",
                f"keyring set {settings.keyring} {self._user}" if settings.keyring
                else f"set {settings.password_variable}, or name `mailbox.password_command` or `mailbox.keyring` (docs/mailbox.md)",
            )  # fmt: skip
        return secret

    def _from_keyring(self) -> str:
        try:
            import keyring
        except ImportError as error:
            raise SettingsError("`mailbox.keyring` needs a package that is not installed", install_hint("mailbox")) from error
        try:
            return str(keyring.get_password(self._settings.keyring, self._user) or "")
        except Exception as error:  # every keyring has errors of its own; its words may hold anything
            raise SettingsError(
                f"the keyring cannot be read: {type(error).__name__}",
                f"unlock it, or try `keyring get {self._settings.keyring} {self._user}`",
            ) from None


def _printed_by(command: Sequence[str], place: str) -> str:
    """The first line that a command prints. Raises SettingsError, which says nothing of its output."""
    cure = f"run {command[0]} in a shell to see what it says"
    try:
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SettingsError(f"{place} did not end within {COMMAND_SECONDS} s", cure) from None
    except OSError as error:
        raise SettingsError(f"{place}: {command[0]}: {error.strerror}", "check the path of the command") from None
    lines = ended.stdout.decode(errors="replace").splitlines()
    if ended.returncode or not lines or not lines[0]:
        what = f"ended with exit code {ended.returncode}" if ended.returncode else "printed nothing"
        raise SettingsError(f"{place} {what}", cure)
    return lines[0]


def without_secret(text: str, secret: str) -> str:
    """What a server said, without the secret: as it is, percent-encoded, in hexadecimal, or within base64 (as SASL sends it)."""
    if not secret:
        return text
    for form in (secret, secret.replace("\\", r"\\").replace('"', r"\""), quote(secret, safe=""), secret.encode().hex()):
        text = re.sub(re.escape(form), "…", text, flags=re.IGNORECASE if form != secret else 0)
    cores = tuple(core[:_CORE_LETTERS] for core in _base64_cores(secret.encode()))
    return _WORD.sub(lambda word: "…" if any(core in _standard(word[0]) for core in cores) else word[0], text)


def _base64_cores(secret: bytes) -> Iterator[str]:
    """The letters of base64 that a secret gives at each of its three places in a group, whatever stands before and after it."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + secret).decode()
        first, last = -(-8 * before // 6), 8 * (before + len(secret)) // 6
        if core := encoded[first:last]:
            yield core


def _standard(word: str) -> str:
    return word.replace("-", "+").replace("_", "/")
