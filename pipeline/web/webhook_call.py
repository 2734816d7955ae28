"""One call of a webhook: which URLs may be called, how a call is signed, and how long it may take.

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
import os
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from pipeline.errors import SettingsError
from pipeline.settings_sections import WebhookSettings

TIMEOUT_SECONDS = 15.0
"""For connecting, and then for the whole rest of a call: a host that sends its answer letter by letter has no more."""
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
    other = opened.dup()  # TLS takes the first one over
    deadline = threading.Timer(TIMEOUT_SECONDS, _shut, [other])
    deadline.daemon = True
    deadline.start()
    try:
        if target.parts.scheme == "https":
            opened = ssl.create_default_context().wrap_socket(opened, server_hostname=target.host)
        connection.sock = opened
        path = (target.parts.path or "/") + (f"?{target.parts.query}" if target.parts.query else "")
        connection.request("POST", path, body, dict(headers))
        return connection.getresponse().status
    finally:
        deadline.cancel()
        other.close()
        opened.close()


def _shut(connection: socket.socket) -> None:
    """End a connection, whatever waits for it."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
