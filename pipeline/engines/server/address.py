"""The server's URL and key from the settings, checked before anything is sent."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from pipeline.errors import EngineUnavailableError
from pipeline.settings_sections import ServerSettings

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """A server's address. The key is not in the ``repr`` and never in a message."""

    url: str
    """Without a slash at the end."""
    place: str
    """``host:port``."""
    loopback: bool
    key: str = field(default="", repr=False)

    def headers(self) -> dict[str, str]:
        """Headers of every request. The response is requested uncompressed, so that its size is known while it arrives."""
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        return headers | {"Authorization": f"Bearer {self.key}"} if self.key else headers

    def censored(self, text: str) -> str:
        """``text`` without the key, because servers repeat a key that they refuse."""
        return text.replace(self.key, "***") if self.key else text


def find_address(settings: ServerSettings) -> Address:
    """The address that the settings name, with the key from the environment. Raises EngineUnavailableError."""
    try:
        parts = urlsplit(settings.url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    except ValueError as error:
        raise EngineUnavailableError("server.url is no URL", "write it as http://127.0.0.1:8000/v1") from error
    if not host or "@" in parts.netloc or parts.query or parts.fragment:
        raise EngineUnavailableError(
            "server.url must consist of scheme, host, port and path only",
            f"write it as http://127.0.0.1:8000/v1; a key goes into the environment variable {settings.key_variable}",
        )
    key = os.environ.get(settings.key_variable, "").strip()
    loopback = _is_loopback(host)
    if key and not (key.isascii() and key.isprintable()):
        raise EngineUnavailableError(
            f"the key in {settings.key_variable} holds characters that no key has", f"set {settings.key_variable} anew"
        )
    if key and parts.scheme == "http" and not loopback:
        raise EngineUnavailableError(
            f"the key in {settings.key_variable} would go to {host} unencrypted",
            f"set server.url to an https:// address, or unset {settings.key_variable}",
        )
    name = f"[{host}]" if ":" in host else host
    return Address(settings.url.rstrip("/"), f"{name}:{port}", loopback, key)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
