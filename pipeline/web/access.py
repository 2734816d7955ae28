"""Who may talk to the server: whoever has the token, under a name that is ours, from a page of ours.

Plain ASGI, in front of everything else. The names guard against DNS rebinding; origin and fetch metadata against pages of other sites,
whose requests carry the cookie where a browser is old; deadlines and limits against clients that send without end or not at all.
"""

from __future__ import annotations

import asyncio
import hmac
import http.cookies
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from starlette.exceptions import HTTPException

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SAFE = ("GET", "HEAD")
MAX_BODY = 1_000_000
"""Bytes of a request that is no upload."""
MOST_DIGITS = 18
"""Of a length that is told."""
CHUNK_SECONDS = 20.0
"""How long a client may be silent while it sends a request."""
GRACE_SECONDS, LEAST_RATE = 30.0, 2_000
"""After so long it must have sent so many bytes a second."""
UPLOADS = "/api/files/"
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}


def policy(nonce: str) -> str:
    """The Content-Security-Policy of our pages: our own script and style sheet, pictures from here, nothing else."""
    own = f"script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self'; connect-src 'self'"
    return f"default-src 'none'; {own}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


@dataclass(frozen=True)
class Guard:
    """Lets through what may go to ``app``. ``hosts`` are the values of the Host header that are ours, e.g. ``127.0.0.1:8420``."""

    app: App
    token: str
    hosts: frozenset[str]
    cookie: str
    most_bytes: int
    """Of a file that is uploaded."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        nonce = scope.setdefault("state", {})["nonce"] = secrets.token_urlsafe(18)
        refused = self._refused(scope, headers)
        if refused:
            await _answer(send, *refused)
            return
        query = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=50)
        if scope["method"] == "GET" and self._is_token(query.pop("token", [""])[0]):
            await self._welcome(scope["path"], query, send)
            return
        if not self._knows_token(headers):
            await _answer(send, 401, "the token is missing or wrong: open the address that `pipeline serve` printed")
            return
        await self.app(scope, self._limited(scope, headers, receive), _dressed(send, nonce))

    def _refused(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "").lower()
        if host not in self.hosts:
            return 421, "this server does not go by that name"
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if origin is not None and not self._is_ours(origin, host):
            return 403, "requests from other sites are refused"
        if site not in (None, "same-origin", "none"):
            return 403, "requests from other sites are refused"
        by_cookie = "authorization" not in headers
        if scope["method"] not in SAFE and by_cookie and origin is None and site != "same-origin":
            return 403, "without an Origin, nothing is changed by cookie alone"
        return None

    @staticmethod
    def _is_ours(origin: str, host: str) -> bool:
        parts = urlsplit(origin.lower())
        return parts.scheme in ("http", "https") and parts.netloc == host

    def _is_token(self, said: str) -> bool:
        return hmac.compare_digest(said.encode(), self.token.encode())

    def _knows_token(self, headers: dict[str, str]) -> bool:
        kind, _, said = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self._is_token(said.strip())
        try:
            cookies = http.cookies.SimpleCookie(headers.get("cookie", ""))
        except http.cookies.CookieError:
            return False
        return self.cookie in cookies and self._is_token(cookies[self.cookie].value)

    async def _welcome(self, path: str, query: dict[str, list[str]], send: Send) -> None:
        """The token goes from the address into a cookie, and out of sight."""
        place = quote(f"/{path.lstrip('/')}") + (f"?{urlencode(query, doseq=True)}" if query else "")
        cookie = f"{self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000"
        headers = [(b"location", place.encode()), (b"set-cookie", cookie.encode()), (b"content-length", b"0")]
        await _dressed(send, "")({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    def _limited(self, scope: Scope, headers: dict[str, str], receive: Receive) -> Receive:
        upload = scope["method"] == "PUT" and scope["path"].startswith(UPLOADS)
        most = self.most_bytes if upload else MAX_BODY
        said = headers.get("content-length", "0")
        taken, started, ended = 0, time.monotonic(), False

        async def limited() -> Message:
            nonlocal taken, ended
            if ended:  # waiting for the client to hang up is no waiting for a request
                return await receive()
            if len(said) > MOST_DIGITS or (said.isdecimal() and int(said) > most):
                raise HTTPException(413, f"more than {most:,} bytes")
            try:
                message = await asyncio.wait_for(receive(), CHUNK_SECONDS)
            except TimeoutError:
                raise HTTPException(408, f"nothing came for {CHUNK_SECONDS:g} s") from None
            taken += len(message.get("body", b""))
            if taken > most:
                raise HTTPException(413, f"more than {most:,} bytes")
            passed = time.monotonic() - started
            if passed > GRACE_SECONDS and taken < LEAST_RATE * passed and message.get("more_body"):
                raise HTTPException(408, f"slower than {LEAST_RATE:,} bytes a second")
            ended = not message.get("more_body")
            return message

        return limited


def _dressed(send: Send, nonce: str) -> Send:
    """Every answer forbids what our pages do not need, and is not kept."""

    async def dressed(message: Message) -> None:
        if message["type"] == "http.response.start":
            have = {name.lower() for name, _ in message.get("headers", [])}
            extra = {**_HEADERS, "cache-control": "no-store", "content-security-policy": policy(nonce)}
            added = [(name.encode(), value.encode()) for name, value in extra.items() if name.encode() not in have]
            message = {**message, "headers": [*message.get("headers", []), *added]}
        await send(message)

    return dressed


async def _answer(send: Send, status: int, detail: str) -> None:
    body = f'{{"detail":"{detail}"}}'.encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await _dressed(send, "")({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
