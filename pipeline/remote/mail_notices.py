"""Notices of a mailbox's server that something is new (IDLE, RFC 2177), so that ``watch`` need not ask all the time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pipeline.backoff import Backoff
from pipeline.errors import PipelineError, StoreError
from pipeline.mailbox_urls import MailboxAddress, parse_mailbox_url
from pipeline.remote.mail_connection import MailConnection
from pipeline.settings import Settings

IDLE_SECONDS = 240.0
"""An IDLE is begun anew after this time: routers forget connections that are silent, and servers end them after half an hour."""
FIRST_SECONDS, LONGEST_SECONDS = 2.0, 300.0
"""Pauses before a lost connection is made anew."""


class MailNotices:
    """Waits for notices on a connection of its own, in a thread. Use as a context manager.

    ``on_notice`` is called in that thread when something may be new: at the beginning, at a notice, and after a connection was lost.
    ``on_state`` is called with whether notices come, so that the caller can ask by itself while they do not.
    """

    def __init__(self, settings: Settings, on_notice: Callable[[], None], on_state: Callable[[bool], None]) -> None:
        self._address: MailboxAddress = parse_mailbox_url(settings.inbox_url or "")
        self._settings = settings.mailbox
        self._on_notice, self._on_state = on_notice, on_state
        self._end = threading.Event()
        self._connection: MailConnection | None = None
        self._thread = threading.Thread(target=self._work, name="mailbox notices", daemon=True)

    def __enter__(self) -> MailNotices:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        if self._connection:
            self._connection.close()
        self._thread.join(timeout=5)

    def _work(self) -> None:
        backoff = Backoff(FIRST_SECONDS, LONGEST_SECONDS, jitter=0.2)
        while not self._end.is_set():
            pause = None
            try:
                if not self._listen(backoff):
                    return
            except PipelineError as error:  # the lists of messages report it
                if not isinstance(error, StoreError) or not error.passing:
                    pause = LONGEST_SECONDS  # servers lock accounts that try a wrong password too often
            finally:
                self._on_state(False)
                if self._connection:
                    self._connection.close()
                self._connection = None
            self._end.wait(pause or backoff.next_seconds())

    def _listen(self, backoff: Backoff) -> bool:
        """Wait for notices until the connection is lost. False where the server has no IDLE. Raises StoreError, SettingsError."""
        connection = self._connection = MailConnection(self._address, self._settings)
        with connection.errors():
            client = connection.client
            if not client.has_capability("IDLE"):
                return False
            connection.open_folder(self._address.folder, read_only=True)
            self._on_state(True)
            self._on_notice()  # for what came before
            while not self._end.is_set():
                client.idle()
                began = time.monotonic()
                answers = client.idle_check(timeout=IDLE_SECONDS)
                client.idle_done()
                client.noop()  # fails where the connection was lost, which an empty answer does not say
                if any(b"EXISTS" in answer or b"RECENT" in answer for answer in answers):
                    self._on_notice()
                if answers or time.monotonic() - began > FIRST_SECONDS:
                    backoff.reset()
                else:
                    self._end.wait(0.1)  # no more than ten useless answers a second
        return True
