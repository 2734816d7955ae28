"""Passwords of single documents, encrypted, in the program's own folder of an outbox.

Below ``.pipeline/passwords`` is one file a document, named by the sha256 of its contents, and the key, which is made with the first
password. Folder and files are readable by their owner alone. Each password is encrypted (AES-256-GCM) together with the hash, so that it
is of use for no other document. A copy of the ledger, the results or the logs holds neither password nor key.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipeline.errors import OutboxError
from pipeline.permissions import make_private_folder

FOLDER = "passwords"
MAX_PASSWORDS = 20
"""Of one document: the members of an archive may have several."""
_KEY, _KEY_BYTES, _NONCE_BYTES = "key", 32, 12
_SHA256 = re.compile(r"[0-9a-f]{64}")


class DocumentPasswords:
    """The passwords below one ``.pipeline`` folder. Any process may read and add some at any time."""

    def __init__(self, state: Path) -> None:
        self._folder = state / FOLDER

    def of(self, sha256: str) -> tuple[str, ...]:
        """The passwords of the document with these contents, the latest first; none where they cannot be read."""
        try:
            lines = (self._folder / sha256).read_text(encoding="ascii").split()
            cipher = AESGCM((self._folder / _KEY).read_bytes())
        except (OSError, ValueError):
            return ()
        found = []
        for line in lines:
            with suppress(InvalidTag, ValueError, binascii.Error):  # of another key, or damaged: it is asked for again
                raw = base64.b64decode(line)
                found.append(cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], sha256.encode()).decode())
        return tuple(dict.fromkeys(reversed(found)))

    def documents(self) -> list[str]:
        """The sha256 of each document that has a password."""
        try:
            return sorted(path.name for path in self._folder.iterdir() if _SHA256.fullmatch(path.name))
        except OSError:
            return []

    def add(self, sha256: str, password: str) -> None:
        """Keep a password of a document; it is on the disk then. Raises OutboxError."""
        try:
            if not self._folder.is_dir():
                make_private_folder(self._folder)
                _own(self._folder)
                self._folder.chmod(0o700)
            with self._locked():
                cipher = AESGCM(self._key())
                kept = [known for known in reversed(self.of(sha256)) if known != password]
                lines = [_line(cipher, sha256, word) for word in [*kept, password][-MAX_PASSWORDS:]]
                _write(self._folder / sha256, "\n".join(lines).encode())
        except (OSError, ValueError) as error:
            raise OutboxError(
                f"{self._folder}: the password cannot be kept: {getattr(error, 'strerror', None) or error}",
                "run it as the user that reads the documents, with room on the disk",
            ) from error

    def remove(self, sha256: str) -> bool:
        """Delete the passwords of a document. Returns whether it had some."""
        try:
            with self._locked():
                (self._folder / sha256).unlink()
        except OSError:
            return False
        return True

    def _key(self) -> bytes:
        """The key, made where there is none."""
        path = self._folder / _KEY
        if not path.exists():
            _write(path, AESGCM.generate_key(8 * _KEY_BYTES))
        return path.read_bytes()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes and threads from changing anything. The lock ends with the process that holds it."""
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _line(cipher: AESGCM, sha256: str, password: str) -> str:
    nonce = os.urandom(_NONCE_BYTES)
    return base64.b64encode(nonce + cipher.encrypt(nonce, password.encode(), sha256.encode())).decode()


def _write(path: Path, content: bytes) -> None:
    """Write a file for its owner alone, whole or not at all, to the disk."""
    unfinished = path.with_name(f"{secrets.token_hex(8)}.tmp")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _own(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _own(path: Path) -> None:
    """Give what root makes to the owner of the program's folder, who reads the documents."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
