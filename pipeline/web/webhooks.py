"""Webhooks: the result of a task is sent to a URL, signed, until it is accepted.

The signature is that of Standard Webhooks (standardwebhooks.com): HMAC-SHA256 over id, time and body. Names are resolved here and the
connection goes to the address that was checked, so that a name that changes its address in between leads nowhere else. No proxy is used and
no redirect followed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ipaddress
import json
import logging
import os
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import SplitResult, urlsplit

from pipeline.backoff import Backoff
from pipeline.errors import PipelineError, SettingsError
from pipeline.ledger.document_search import change_marker
from pipeline.settings import WebhookSettings
from pipeline.values.times import utc_timestamp
from pipeline.web.context import ServerContext
from pipeline.web.task_state import task_object
from pipeline.web.task_store import Task

log = logging.getLogger(__name__)
POLL_SECONDS = 1.0
TIMEOUT_SECONDS = 15.0
"""For connecting, and for each part of an answer."""
SENDERS = 4
"""Webhooks that are called at the same time, so that one that hangs does not stop the others."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 6 * 3600.0
MAX_URL = 2_000


class WebhookRefusedError(Exception):
    """A URL that may not be called; the message says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """A checked URL."""

    parts: SplitResult
    host: str
    port: int


def check_url(url: str, settings: WebhookSettings) -> Target:
    """The parts of a URL that may be called. Its address is checked when it is called. Raises WebhookRefusedError."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise WebhookRefusedError("the webhook is no URL") from None
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or len(url) > MAX_URL:
        raise WebhookRefusedError("a webhook is a URL with http or https, a host and no password")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise WebhookRefusedError("the webhook holds characters that no URL has")
    if url != settings.url and host not in settings.hosts:
        raise WebhookRefusedError(f"webhooks.hosts of the settings does not name {host}")
    if parts.scheme == "http" and not settings.private_addresses:
        raise WebhookRefusedError("a webhook needs https (or the setting webhooks.private_addresses)")
    return Target(parts, host, port)


def public_address(host: str, port: int, *, private: bool) -> str:
    """An address of the host that may be called: a public one, or any where ``private``. Raises WebhookRefusedError, OSError."""
    addresses = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for address in addresses:
        plain = ipaddress.ip_address(address.partition("%")[0])
        plain = getattr(plain, "ipv4_mapped", None) or plain
        if private or (plain.is_global and not plain.is_multicast):
            return address
    raise WebhookRefusedError(f"{host} has no public address (webhooks.private_addresses allows others)")


def signed_headers(key: str, identifier: str, body: bytes, seconds: int) -> dict[str, str]:
    """The headers of a call at a time in ``seconds`` since 1970. ``key`` may begin with ``whsec_`` and is then base64."""
    secret = base64.b64decode(key.removeprefix("whsec_")) if key.startswith("whsec_") else key.encode()
    digest = hmac.new(secret, f"{identifier}.{seconds}.".encode() + body, hashlib.sha256).digest()
    return {
        "content-type": "application/json",
        "user-agent": "pipeline-webhook",
        "webhook-id": identifier,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def webhook_key(settings: WebhookSettings) -> str:
    """The key that signs. Raises SettingsError where there is none."""
    key = os.environ.get(settings.key_variable, "").strip()
    if len(key) < 16:
        raise SettingsError(
            f"webhooks need a key that signs them, and {settings.key_variable} has none of at least 16 letters",
            f"set {settings.key_variable} in the environment of `pipeline serve`",
        )
    return key


def call(target: Target, headers: Mapping[str, str], body: bytes, *, private: bool) -> int:
    """Send a body with POST; returns the status. Raises WebhookRefusedError, OSError, http.client.HTTPException."""
    address = public_address(target.host, target.port, private=private)
    connection = http.client.HTTPConnection(target.host, target.port, timeout=TIMEOUT_SECONDS)
    opened = socket.create_connection((address, target.port), TIMEOUT_SECONDS)
    try:
        if target.parts.scheme == "https":
            opened = ssl.create_default_context().wrap_socket(opened, server_hostname=target.host)
        connection.sock = opened
        path = (target.parts.path or "/") + (f"?{target.parts.query}" if target.parts.query else "")
        connection.request("POST", path, body, dict(headers))
        return connection.getresponse().status
    finally:
        opened.close()


class WebhookSender:
    """Calls the webhooks of tasks that have ended. Use as a context manager."""

    def __init__(self, context: ServerContext) -> None:
        self._context, self._tasks = context, context.tasks
        self._settings = context.settings.webhooks
        self._backoff = Backoff(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, factor=4, jitter=0.2)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._marker, self._waiting = "", set[str]()

    def __enter__(self) -> WebhookSender:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(TIMEOUT_SECONDS)

    def _run(self) -> None:
        with ThreadPoolExecutor(SENDERS, thread_name_prefix="webhook") as senders:
            while not self._stopping.wait(POLL_SECONDS):
                try:
                    list(senders.map(self._send, self._ended()))
                except Exception as error:  # a locked or full disk passes; the tasks stay
                    log.warning("webhooks: %s: %s", type(error).__name__, error)

    def _ended(self) -> list[tuple[Task, dict[str, Any]]]:
        """Tasks to be sent now, with what is sent. Those that wait are looked at again when the ledger has changed."""
        due = self._tasks.due()
        if not due:
            return []
        with self._context.ledger() as ledger:
            marker = change_marker(ledger)
        if marker != self._marker:
            self._marker, self._waiting = marker, set()
        ended = []
        for task in (task for task in due if task.id not in self._waiting):
            try:
                value = task_object(self._context, task)
            except Exception as error:  # of one document: the others are sent
                self._waiting.add(task.id)
                log.warning("webhook of task %s: its result cannot be made: %s", task.id, type(error).__name__)
                continue
            if value["status"] == "waiting":
                self._waiting.add(task.id)
            else:
                ended.append((task, value))
        return ended

    def _send(self, ended: tuple[Task, dict[str, Any]]) -> None:
        task, value = ended
        value = {name: item for name, item in value.items() if name != "webhook"}
        body = json.dumps({"type": "task.ended", "task": value}, ensure_ascii=False).encode(errors="replace")
        final = False
        try:
            target = check_url(task.webhook, self._settings)  # the settings may have changed since
            headers = signed_headers(webhook_key(self._settings), task.id, body, int(time.time()))
            status = call(target, headers, body, private=self._settings.private_addresses)
            error, final = f"it answered {status}", status == 410  # Gone: it wants no more of them
            if 200 <= status < 300:
                self._tasks.delivered(task.id)
                return
        except WebhookRefusedError as refused:
            error, final = str(refused), True
        except (OSError, http.client.HTTPException, PipelineError, ValueError) as failure:
            error = f"{type(failure).__name__}: {failure}"
        attempts = task.attempts + 1
        if final or attempts >= self._settings.attempts:
            self._tasks.failed(task.id, error[:300], None)
            log.warning("webhook of task %s given up after %d attempts: %s", task.id, attempts, error[:300])
        else:
            self._tasks.failed(task.id, error[:300], utc_timestamp(timedelta(seconds=self._backoff.seconds_after(attempts))))
