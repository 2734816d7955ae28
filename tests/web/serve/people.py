"""Browsers of several people on one server: each has its own cookies and its own address on the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from pipeline.settings_sections import ServeSettings
from pipeline.web.accounts.roles import Role
from pipeline.web.app import make_app, with_access_control
from pipeline.web.identity import Accounts
from tests.web.serve.in_process import HOST, TOKEN, InProcess, in_process

ORIGIN = f"http://{HOST}"
PHRASE = "correct horse battery staple"
Browser = Callable[..., TestClient]


class PeopleServer:
    """A server with accounts, in this process."""

    def __init__(self, served: InProcess, settings: ServeSettings) -> None:
        self.served, self.accounts = served, Accounts(served.settings.outbox / ".pipeline")
        hosts = frozenset({HOST, "documents.example"})
        self.app = with_access_control(make_app(served.context), TOKEN, hosts, 8420, 1_000_000, self.accounts, settings)

    def browser(self, address: str = "203.0.113.5", base: str = ORIGIN, **headers: str) -> TestClient:
        """A browser that sends its origin, and follows no redirect."""
        return TestClient(
            self.app,
            base_url=base,
            client=(address, 50_000),
            headers={"origin": base, **headers},
            follow_redirects=False,
            raise_server_exceptions=False,
        )

    def invited(self, name: str, role: Role, **options: Any) -> TestClient:
        """The browser of a person who has accepted an invitation, and is signed in by that."""
        browser = self.browser(**options)
        token = self.accounts.people.invite(name, role)
        answer = browser.post(f"/invitation/{token}", data={"password": PHRASE, "again": PHRASE})
        assert answer.status_code == 303, answer.text
        return browser


@contextmanager
def people_server(folder: Path, settings: ServeSettings | None = None) -> Iterator[PeopleServer]:
    """A server over ``folder/inbox`` and ``folder/outbox``; nobody is invited yet."""
    with in_process(folder) as served:
        yield PeopleServer(served, settings or ServeSettings())


def sign_in(browser: TestClient, name: str, password: str = PHRASE, **fields: str) -> Any:
    """What the server answers to the form."""
    return browser.post("/sign-in", data={"name": name, "password": password, **fields})
