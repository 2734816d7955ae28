"""Access control: a request needs one of the server's own host names, an origin of the server itself, and a known person or program.

Plain ASGI, before everything else. ``identity`` says who it is, ``accounts.roles`` what that one may do. The host names prevent DNS
rebinding. Origin and fetch metadata refuse requests of other sites, which carry the cookie in old browsers. Deadlines and limits end
requests whose bodies are too large, too slow or never complete.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sqlite3
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.exceptions import HTTPException

from pipeline.errors import SettingsError
from pipeline.web.accounts.roles import SAFE_METHODS, SIGN_IN_PATH, is_public, may, required_role
from pipeline.web.identity import ForbiddenError, Identification

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY_BYTES = 1_000_000
"""Of a request that is not an upload."""
CHAT_PATH, MAX_CHAT_BYTES = "/v1/chat/completions", 24_000_000
"""Requests with images in their JSON."""
MAX_LENGTH_DIGITS = 18
"""Of the header Content-Length."""
CHUNK_TIMEOUT_SECONDS = 20.0
"""Time between two parts of a request's body."""
SLOW_BODY_SECONDS, MIN_BYTES_PER_SECOND = 30.0, 2_000
"""After this time, a body must have arrived at this rate on average."""
UPLOAD_PATH, READ_PATH = "/api/files/", "/api/read"
"""Requests whose body is a file."""
_SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with `no-referrer`, forms have no origin
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}


def page_policy(nonce: str) -> str:
    """The Content-Security-Policy of a served page: the script and style sheet with the nonce, images of this server, nothing else."""
    own = f"script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self'; connect-src 'self'"
    return f"default-src 'none'; {own}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


MAX_FORM_BYTES = 10_000
"""Of a form on a page for people who are not known yet."""


@dataclass(frozen=True)
class AccessControl:
    """Passes permitted requests to ``app``. ``hosts`` are the permitted values of the Host header, e.g. ``127.0.0.1:8420``."""

    app: App
    identification: Identification
    hosts: frozenset[str]
    max_upload_bytes: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        headers, state = dict(pairs), scope.setdefault("state", {})
        nonce = state["nonce"] = secrets.token_urlsafe(18)
        try:
            has_people = self.identification.may_have_people() and await asyncio.to_thread(self.identification.has_people)
            if refusal := self._refusal(scope, headers, has_people=has_people):
                await _send_error(send, scope["path"], *refusal)
                return
            token, rest = _split_query(scope["query_string"])
            if scope["method"] == "GET" and not has_people and self.identification.is_token(token):
                _remember(scope)
                await self._set_cookie(scope["path"], rest, send)
                return
            peer = (scope.get("client") or ("",))[0]
            client = state["client"] = self.identification.client(peer, scope["scheme"], pairs)
            identify = self.identification.identify
            person = await asyncio.to_thread(identify, client, pairs) if has_people else identify(client, pairs)
            state["person"] = person
        except ForbiddenError as error:
            await _send_error(send, scope["path"], 403, str(error))
            return
        except (SettingsError, sqlite3.Error) as error:  # nobody comes in while the accounts cannot be read
            await _send_error(send, scope["path"], 503, getattr(error, "message", str(error)))
            return
        if person is None:
            await self._meet_stranger(scope, headers, receive, _with_security_headers(send, nonce), has_people=has_people)
            return
        if person.way != "bearer" and _lacks_origin(scope, headers):
            await _send_error(send, scope["path"], 403, "a change by cookie needs the header Origin")
            return
        if not may(person.role, required_role(scope["method"], scope["path"])):
            await _send_error(send, scope["path"], 403, f"your role, `{person.role}`, does not include this")
            return
        _remember(scope)
        await self.app(scope, self._limit_body(scope, headers, receive), _with_security_headers(send, nonce))

    async def _meet_stranger(
        self, scope: Scope, headers: dict[str, str], receive: Receive, send: Send, *, has_people: bool
    ) -> None:
        """Public pages; a page to sign in for a browser, wherever its bookmark leads; else an error."""
        path = scope["path"]
        if is_public(path) and scope["method"] in (*SAFE_METHODS, "POST"):
            if _lacks_origin(scope, headers):
                await _send_error(send, path, 403, "a form needs the header Origin")
                return
            await self.app(scope, self._limit_body(scope, headers, receive, MAX_FORM_BYTES), send)
            return
        if scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
            query = _split_query(scope["query_string"])[1]
            scope["state"]["wanted"] = quote(path, errors="replace") + (f"?{query}" if query else "")
            inner = {**scope, "path": SIGN_IN_PATH, "raw_path": SIGN_IN_PATH.encode(), "query_string": b""}
            await self.app(inner, self._limit_body(scope, headers, receive), send)
            return
        cure = "sign in" if has_people else "open the address that `pipeline serve` printed"
        cure += "; a program sends `Authorization: Bearer TOKEN`"
        await _send_error(send, path, 401, f"the token is missing or wrong: {cure}")

    def _refusal(self, scope: Scope, headers: dict[str, str], *, has_people: bool) -> tuple[int, str] | None:
        """Status and message for a request with a foreign host name or origin; None for a permitted one."""
        if not scope["path"].startswith("/"):
            return 400, "the path must begin with a slash"
        host = headers.get("host", "").lower()
        if host not in self.hosts:
            return 421, "this server does not go by that name"
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if origin is not None and not self._is_own_origin(origin, host):
            return 403, "requests from other sites are refused"
        if site not in (None, "same-origin", "none") and not (has_people and _is_link(scope, headers)):
            return 403, "requests from other sites are refused"
        return None

    @staticmethod
    def _is_own_origin(origin: str, host: str) -> bool:
        return origin.lower() in (f"http://{host}", f"https://{host}")

    async def _set_cookie(self, path: str, query: str, send: Send) -> None:
        """Move the token from the URL into a cookie, and redirect to the URL without it."""
        location = quote(f"/{path.lstrip('/')}", errors="replace") + (f"?{query}" if query else "")
        cookie = self.identification.token_cookie_header()
        headers = [(b"location", location.encode()), (b"set-cookie", cookie.encode()), (b"content-length", b"0")]
        await _with_security_headers(send, "")({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    def _limit_body(self, scope: Scope, headers: dict[str, str], receive: Receive, most: int = MAX_BODY_BYTES) -> Receive:
        """``receive`` with limits on the size and the speed of the body; it raises HTTPException beyond them."""
        method, path = scope["method"], scope["path"]
        is_upload = (method == "PUT" and path.startswith(UPLOAD_PATH)) or (method == "POST" and path == READ_PATH)
        max_bytes = self.max_upload_bytes if is_upload else MAX_CHAT_BYTES if path == CHAT_PATH else most
        content_length = headers.get("content-length", "0")
        received, started, complete = 0, time.monotonic(), False

        async def receive_limited() -> Message:
            nonlocal received, complete
            if complete:  # the application now waits for the client to disconnect, without a deadline
                return await receive()
            if len(content_length) > MAX_LENGTH_DIGITS or (content_length.isdecimal() and int(content_length) > max_bytes):
                raise HTTPException(413, f"more than {max_bytes:,} bytes")
            try:
                message = await asyncio.wait_for(receive(), CHUNK_TIMEOUT_SECONDS)
            except TimeoutError:
                raise HTTPException(408, f"nothing was received for {CHUNK_TIMEOUT_SECONDS:g} s") from None
            received += len(message.get("body", b""))
            if received > max_bytes:
                raise HTTPException(413, f"more than {max_bytes:,} bytes")
            elapsed = time.monotonic() - started
            if elapsed > SLOW_BODY_SECONDS and received < MIN_BYTES_PER_SECOND * elapsed and message.get("more_body"):
                raise HTTPException(408, f"slower than {MIN_BYTES_PER_SECOND:,} bytes a second")
            complete = not message.get("more_body")
            return message

        return receive_limited


def _remember(scope: Scope) -> None:
    """Give the connection a place among those of known clients."""
    if remember := scope.get("has_token"):
        remember()


def _lacks_origin(scope: Scope, headers: dict[str, str]) -> bool:
    """Whether a request that changes something does not say that a page of this server sends it."""
    return (
        scope["method"] not in SAFE_METHODS and headers.get("origin") is None and headers.get("sec-fetch-site") != "same-origin"
    )


def _is_link(scope: Scope, headers: dict[str, str]) -> bool:
    """Whether a browser follows a link to a page, e.g. of an invitation in a mail. Such a request changes nothing."""
    way = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest"))
    return scope["method"] == "GET" and way == ("navigate", "document")


def _split_query(query: bytes) -> tuple[str, str]:
    """The first token in a query string, and the string without tokens. Nothing else of it is looked at: it may be a stranger's."""
    parts = query.decode("latin-1").split("&")
    tokens = [part.removeprefix("token=") for part in parts if part.startswith("token=")]
    return (tokens or [""])[0], quote(
        "&".join(part for part in parts if not part.startswith("token=")), safe="&=%+/?:@!$'()*,;~"
    )


def _with_security_headers(send: Send, nonce: str) -> Send:
    """``send`` with headers that forbid what the pages do not need, and caching unless the response permits it."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message.get("headers", [])}
            defaults = {**_SECURITY_HEADERS, "cache-control": "no-store", "content-security-policy": page_policy(nonce)}
            added = [(name.encode(), value.encode()) for name, value in defaults.items() if name.encode() not in present]
            message = {**message, "headers": [*message.get("headers", []), *added]}
        await send(message)

    return send_with_headers


async def _send_error(send: Send, path: str, status: int, detail: str) -> None:
    value: dict[str, Any] = {"detail": detail}
    if path.startswith("/v1/"):  # as OpenAI's API, and what speaks its language
        value = {"error": {"message": detail, "type": "invalid_request_error", "param": None, "code": None}}
    body = json.dumps(value).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await _with_security_headers(send, "")({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
