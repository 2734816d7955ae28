"""Who sends a request: a program with the token or with a person's token, a person with a session, or one whom a proxy has signed in.

Without accounts there is one user, who has the token: in the header Authorization, or in the cookie into which the first address puts it.
With accounts, or a header of a proxy, the token is for programs: it is taken from the header alone.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.settings_sections import ServeSettings
from pipeline.web.accounts.account_store import Account, AccountError, AccountStore
from pipeline.web.accounts.api_tokens import ApiTokens
from pipeline.web.accounts.database import AccountDatabase
from pipeline.web.accounts.roles import Role
from pipeline.web.accounts.sessions import IDLE_DAYS, SessionStore
from pipeline.web.accounts.throttle import SignInThrottle

MAX_COOKIES = 100
"""Parts of a header Cookie that are looked at."""


class ForbiddenError(Exception):
    """A person is known and may not come in; the message says why. Or a header cannot be believed."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who sends a request. ``name`` is empty for one with the server's token, who may give any name."""

    name: str
    role: Role
    way: Literal["bearer", "cookie", "session", "proxy"]
    language: str = ""


class Accounts:
    """Accounts, sessions and failed sign-ins of an outbox."""

    def __init__(self, state: Path) -> None:
        database = AccountDatabase(state)
        self._database = database
        self.tokens = ApiTokens(database)
        self.people, self.sessions, self.throttle = AccountStore(database), SessionStore(database), SignInThrottle(database)

    @property
    def exist(self) -> bool:
        """Whether somebody was ever invited."""
        return self._database.exists


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from, after the headers of proxies that are believed."""

    address: str
    is_secure: bool
    """Whether the client speaks TLS, with this server or with the proxy."""
    is_proxied: bool


class Identification:
    """Finds out who sends a request."""

    def __init__(self, token: str, port: int, accounts: Accounts | None, settings: ServeSettings) -> None:
        self.token_cookie = f"pipeline_{port}"
        """Browsers share cookies between ports, so the names have the port."""
        self._session_cookie = f"pipeline_session_{port}"
        self._token, self.accounts, self._settings = token, accounts, settings
        self._proxies = [ipaddress.ip_network(proxy, strict=False) for proxy in settings.proxies]

    def may_have_people(self) -> bool:
        """Whether ``has_people`` has to look into a file."""
        return bool(self._settings.user_header) or (self.accounts is not None and self.accounts.exist)

    def has_people(self) -> bool:
        """Whether several people use the server: each needs an account, or is signed in by a proxy."""
        return bool(self._settings.user_header) or (self.accounts is not None and self.accounts.people.is_used())

    def session_cookie(self, client: Client) -> str:
        """The name of the cookie with the session. ``__Host-`` is a prefix that no other port without TLS and no other host can set."""
        return f"__Host-{self._session_cookie}" if client.is_secure else self._session_cookie

    def token_cookie_header(self) -> str:
        """The header Set-Cookie with the token."""
        return f"{self.token_cookie}={self._token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000"

    def session_cookie_header(self, client: Client, session: str) -> str:
        """The header Set-Cookie with a session; an empty one deletes the cookie. A link in a mail may bring it along (Lax)."""
        age = IDLE_DAYS * 86_400 if session else 0
        secure = "; Secure" if client.is_secure else ""
        return f"{self.session_cookie(client)}={session}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}"

    def client(self, peer: str, scheme: str, headers: Iterable[tuple[str, str]]) -> Client:
        """Where a request comes from. ``peer`` is the address of the other end of the connection."""
        if not self._is_proxy(peer):
            return Client(peer, scheme == "https", False)
        values = dict(headers)
        forwarded = [part.strip() for part in values.get("x-forwarded-for", "").split(",") if part.strip()]
        address = next((item for item in reversed(forwarded) if not self._is_proxy(item)), peer)
        return Client(address[:100], scheme == "https" or values.get("x-forwarded-proto", "").lower() == "https", True)

    def identify(self, client: Client, headers: list[tuple[str, str]]) -> Person | None:
        """Who sends a request with these headers; None for a stranger. Raises ForbiddenError."""
        authorization = [value for name, value in headers if name == "authorization"]
        credentials = [value.partition(" ")[2].strip() for value in authorization if value[:7].lower() == "bearer "]
        if any(map(self.is_token, credentials)):
            return Person("", "admin", "bearer")
        for token in credentials:
            if self.accounts and (account := self.accounts.tokens.account(token)):
                return Person(account.name, account.role, "bearer", account.language)
        if not (self.may_have_people() and self.has_people()):
            return Person("", "admin", "cookie") if any(map(self.is_token, cookies(headers, self.token_cookie))) else None
        if self._settings.user_header and client.is_proxied and (person := self._named_by_proxy(headers)):
            return person
        sessions = set(cookies(headers, self.session_cookie(client)))
        if self.accounts is None or len(sessions) != 1:  # of two, one is another port's or another site's
            return None
        account = self.accounts.sessions.account(next(iter(sessions)))
        return Person(account.name, account.role, "session", account.language) if account else None

    def is_token(self, text: str) -> bool:
        """Whether a text is the token."""
        return hmac.compare_digest(text.encode(errors="replace"), self._token.encode())

    def _named_by_proxy(self, headers: list[tuple[str, str]]) -> Person | None:
        names = [value for name, value in headers if name == self._settings.user_header.lower()]
        if len(names) > 1:
            raise ForbiddenError("the proxy names more than one person")
        if not names or not names[0].strip():
            return None
        try:
            name = names[0].encode("latin-1").decode()
        except UnicodeError:
            raise ForbiddenError("the name that the proxy gives is no UTF-8") from None
        account = self._account_of(name)
        if account is None:
            raise ForbiddenError("there is no account with your name here: ask an administrator for an invitation")
        return Person(account.name, account.role, "proxy", account.language)

    def _account_of(self, name: str) -> Account | None:
        if self.accounts is None:
            return None
        account = self.accounts.people.account(name)
        if account is None and self._settings.new_people:
            try:
                return self.accounts.people.add_without_password(name, self._settings.new_people)
            except AccountError as error:
                raise ForbiddenError(str(error)) from error
        return account

    def _is_proxy(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        parsed = getattr(parsed, "ipv4_mapped", None) or parsed
        return any(parsed in network for network in self._proxies)


def cookies(headers: Iterable[tuple[str, str]], name: str) -> list[str]:
    """The values of all cookies with a name."""
    parts = [
        part.strip().partition("=") for key, value in headers if key == "cookie" for part in value.split(";")[:MAX_COOKIES]
    ]
    return [value for key, _, value in parts if key == name]
