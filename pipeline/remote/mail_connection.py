"""A connection to a mailbox: TLS always, the certificate checked, and every failure a StoreError that says which setting to look at."""

from __future__ import annotations

import imaplib
import logging
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pipeline.errors import SettingsError, StoreError
from pipeline.install_hint import install_hint
from pipeline.mailbox_urls import INBOX, MailboxAddress
from pipeline.printable import one_line
from pipeline.remote.mail_secret import MailSecret, without_secret
from pipeline.settings_sections import MailboxSettings

CONNECT_SECONDS = 20
_PASSING = re.compile(
    r"\b(UNAVAILABLE|INUSE|LIMIT|THROTTLED|SERVERBUG|CONTACTADMIN|too many|try again|temporar\w+|socket error|EOF)\b",
    re.IGNORECASE,
)
"""What a server says when it refuses something for now (RFC 5530)."""
_LISTED_FOLDERS = 10
NETWORK_CURE = "check the network and the server; nothing is lost, run again"


class NoFolderError(StoreError):
    """The mailbox has no folder of that name."""


class MailConnection:
    """One login into a mailbox's server. ``client`` is IMAPClient's. Raises SettingsError, StoreError."""

    def __init__(self, address: MailboxAddress, settings: MailboxSettings) -> None:
        self.address, self._settings = address, settings
        self._secret = MailSecret(settings, address.user)
        self._hidden = ""
        self._folder: tuple[str, bool] | None = None
        self.uid_validity = 0
        """That of the folder that is open."""
        self.permanent_flags: tuple[bytes, ...] = ()
        self._is_ready = False
        with self.errors():
            self.client = self._connect()
        try:
            with self.errors():
                self._log_in()
        except BaseException:
            self.close()
            raise
        self._is_ready = True

    def _connect(self) -> Any:
        try:
            from imapclient import IMAPClient, SocketTimeout
        except ImportError as error:
            raise StoreError("a mailbox needs a package that is not installed: imapclient", install_hint("mailbox")) from error
        logging.getLogger("imapclient").setLevel(logging.CRITICAL)  # it logs every line, also those of the login
        host, port, context = self.address.host.strip("[]"), self.address.port, self._tls()
        timeout = SocketTimeout(min(CONNECT_SECONDS, self._settings.seconds), self._settings.seconds)
        if self.address.scheme == "imaps":
            client = IMAPClient(host, port, ssl=True, ssl_context=context, timeout=timeout)
        else:
            client = IMAPClient(host, port, ssl=False, timeout=timeout)
            try:
                if not client.has_capability("STARTTLS"):
                    raise StoreError(
                        f"{self.address.server}: the server offers no TLS here, and nothing is sent without",
                        "name its TLS port: imaps://, mostly port 993; a server without TLS cannot be used",
                    )
                client.starttls(context)
            except BaseException:
                with suppress(Exception):
                    client.shutdown()
                raise
        client.normalise_times = False
        client._imap.debug = 0  # else it formats every answer for a log that is off
        return client

    def _tls(self) -> ssl.SSLContext:
        file = self._settings.ca_file
        try:
            return ssl.create_default_context(cafile=file)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(
                f"mailbox.ca_file: {file}: {getattr(error, 'strerror', None) or error}",
                "name a file of certificates in PEM form",
            ) from error

    def _log_in(self) -> None:
        user, client = self.address.user, self.client
        self._hidden = secret = self._secret.get()
        offered = client.capabilities()
        if self._secret.is_token:
            if b"AUTH=XOAUTH2" in offered:
                client.oauth2_login(user, secret)
            elif b"AUTH=OAUTHBEARER" in offered:
                client.oauthbearer_login(user, secret)
            else:
                raise StoreError(
                    f"{self.address.server}: the server takes no access token",
                    "use a password in place of `mailbox.token_command`",
                )
        elif b"AUTH=PLAIN" in offered:  # other letters than ASCII are possible
            client.plain_login(user, secret)
        elif secret.isascii() and user.isascii():
            client.login(user, secret)
        else:
            raise StoreError(f"{self.address.server}: the server takes no letters other than ASCII in a password", "change it")

    # ---- folders ------------------------------------------------------------------------------------

    def open_folder(self, folder: str, *, read_only: bool, again: bool = False) -> None:
        """Make a folder the current one; ``again`` also when it is: the server then tells what is new."""
        if self._folder and self._folder[0] == folder and (read_only or not self._folder[1]) and not again:
            return
        self._folder = None
        name = self.folder_name(folder)
        try:
            answer = self.client.select_folder(name, readonly=read_only)
        except self._refusals as error:
            if isinstance(error, imaplib.IMAP4.abort) or self.client.folder_exists(name):
                raise
            raise self.no_such_folder(folder) from error
        self.uid_validity = int(answer.get(b"UIDVALIDITY", 0))
        self.permanent_flags = tuple(answer.get(b"PERMANENTFLAGS", ()))
        self._folder = (folder, read_only)

    def folder_name(self, folder: str) -> str:
        """The name that the server has for a folder: with its own separator, and below its prefix (RFC 2342) where it wants that."""
        if folder == INBOX:
            return folder
        listed = self.client.list_folders("", "")
        separator = (listed[0][1] or b"/").decode() if listed else "/"
        name = folder.replace("/", separator)
        if separator == "/" and not self.client.has_capability("NAMESPACE"):
            return name
        if not self.client.folder_exists(name):
            prefix = self._prefix()
            if prefix and not name.startswith(prefix):
                return prefix + name
        return name

    def _prefix(self) -> str:
        if not self.client.has_capability("NAMESPACE"):
            return ""
        personal = self.client.namespace().personal
        prefix = personal[0][0] if personal else ""
        return prefix.decode() if isinstance(prefix, bytes) else str(prefix or "")

    def make_folder(self, folder: str) -> str:
        """The server's name of a folder, which exists afterwards."""
        name = self.folder_name(folder)
        if not self.client.folder_exists(name):
            try:
                self.client.create_folder(name)
            except self._refusals as error:
                if isinstance(error, imaplib.IMAP4.abort):
                    raise
                if not self.client.folder_exists(name):
                    raise self.no_such_folder(folder, "does not exist and cannot be created") from error
        return name

    def no_such_folder(self, folder: str, what: str = "does not exist") -> NoFolderError:
        """The error of a folder that is not there, with the names of those that are."""
        names = sorted(str(name) for _, _, name in self.client.list_folders())
        more = " …" if len(names) > _LISTED_FOLDERS else ""
        shown = ", ".join(one_line(name)[:60] for name in names[:_LISTED_FOLDERS])
        return NoFolderError(
            f"{self.address.server}: the folder `{one_line(folder)}` {what}", f"folders of this mailbox: {shown}{more}"
        )

    # ---- failures -----------------------------------------------------------------------------------

    _refusals = (imaplib.IMAP4.error,)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn every failure into a StoreError. What a server says is passed on without the secret."""
        server = self.address.server
        try:
            yield
        except (StoreError, SettingsError):
            raise
        except ssl.SSLCertVerificationError as error:
            raise StoreError(
                f"{server}: its certificate is not trusted: {error.verify_message}",
                "check the name of the server; `mailbox.ca_file` names the certificates of an authority of your own",
            ) from None
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError, TimeoutError, ConnectionError, imaplib.IMAP4.abort) as error:
            raise StoreError(f"{server}: the connection was lost: {self._said(error)}", NETWORK_CURE, passing=True) from None
        except ssl.SSLError as error:
            if self._is_ready:
                raise StoreError(
                    f"{server}: the connection was lost: {self._said(error)}", NETWORK_CURE, passing=True
                ) from None
            raise StoreError(
                f"{server}: no TLS: {error.reason or self._said(error)}",
                "imaps:// wants TLS from the start (port 993), imap:// STARTTLS (port 143): use the other one, or another port",
            ) from None
        except socket.gaierror:
            raise StoreError(
                f"{server}: there is no server of this name", "check the URL and the network", passing=True
            ) from None
        except OSError as error:
            raise StoreError(f"{server}: cannot be reached: {error.strerror or error}", NETWORK_CURE, passing=True) from None
        except imaplib.IMAP4.readonly:
            raise StoreError(f"{server}: the folder cannot be changed", "use another account, or `after: keep`") from None
        except imaplib.IMAP4.error as error:
            raise self._refusal(error) from None
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, UnicodeError) as error:  # an answer that is none
            raise StoreError(
                f"{server}: an answer that cannot be understood: {type(error).__name__}", NETWORK_CURE, passing=True
            ) from None

    def _refusal(self, error: Exception) -> StoreError:
        said, server = self._said(error), self.address.server
        passing = bool(_PASSING.search(said))
        if type(error).__name__ == "LoginError":
            way = "an access token" if self._secret.is_token else "a password"
            return StoreError(
                f"{server}: the server refuses the login: {said}",
                f"check the user in the URL and {way} in {self._secret.place}; some providers want an app password or "
                "`mailbox.token_command` (docs/mailbox.md)",
                passing=passing,
            )
        return StoreError(f"{server}: the server refuses: {said}", "see docs/mailbox.md", passing=passing)

    def _said(self, error: BaseException) -> str:
        text = without_secret(str(error), self._hidden)
        return one_line(" ".join(text.split()))[:200] or type(error).__name__

    def close(self) -> None:
        """End the connection, without waiting for the server."""
        with suppress(Exception):
            self.client.shutdown()
