"""Tokens of people for their programs: made and revoked in the account page and by the command, with the person's role."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("argon2")

from click.testing import CliRunner

from pipeline.cli.commands import cli
from pipeline.web.accounts.account_store import AccountError
from pipeline.web.accounts.api_tokens import MAX_TOKENS
from tests.web.serve.people import PHRASE, PeopleServer, people_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PeopleServer]:
    with people_server(tmp_path) as server:
        yield server


def with_token(server: PeopleServer, token: str, method: str, path: str, **options: Any) -> int:
    """The status of a program's request: no cookie, no origin."""
    program = server.browser()
    del program.headers["origin"]
    status: int = program.request(method, path, headers={"authorization": f"Bearer {token}"}, **options).status_code
    return status


def made_token(page: str) -> str:
    found = re.search(r'value="(pipeline_[\w-]{40,})"', page)
    assert found, "the page shows the new token"
    return found[1]


def test_a_program_may_what_its_person_may_until_the_token_is_revoked(server: PeopleServer) -> None:
    browser = server.invited("Cora", "correct")
    answer = browser.post("/account", data={"label": "scanner"})
    token = made_token(answer.text)
    assert token not in browser.get("/account").text, "it is shown once"
    assert with_token(server, token, "GET", "/api/documents") == 200
    assert with_token(server, token, "PUT", "/api/files/a.txt", content=b"Cora's text") == 201
    assert with_token(server, token, "GET", "/people") == 403
    server.accounts.people.set_role("Cora", "read")
    assert with_token(server, token, "GET", "/api/documents") == 200
    assert with_token(server, token, "PUT", "/api/files/b.txt", content=b"another text") == 403
    state = server.served.settings.outbox / ".pipeline"
    assert not any(token.encode() in path.read_bytes() for path in state.glob("accounts.sqlite*")), "its hash is kept alone"
    assert "scanner" in browser.get("/account").text
    assert browser.post("/account", data={"revoke": "scanner"}).status_code == 303
    assert with_token(server, token, "GET", "/api/documents") == 401


def test_a_token_cannot_change_its_account_and_is_no_cookie(server: PeopleServer) -> None:
    server.invited("Adam", "admin")
    token = server.accounts.tokens.make("Adam", "books")
    new = {"old": PHRASE, "password": "another long phrase", "again": "another long phrase"}
    assert with_token(server, token, "POST", "/account", data=new) == 403
    assert with_token(server, token, "POST", "/account", data={"label": "second"}) == 403
    assert [item.label for item in server.accounts.tokens.of("Adam")] == ["books"]
    browser = server.browser()
    for name in ("pipeline_8420", "pipeline_session_8420"):
        browser.cookies.set(name, token)
    assert browser.get("/api/documents").status_code == 401
    assert browser.get(f"/?token={token}").status_code == 401, "no address gives a cookie for it"


def test_tokens_end_with_the_account_and_with_a_new_invitation(server: PeopleServer) -> None:
    server.invited("Rita", "read")
    token = server.accounts.tokens.make("Rita", "reader")
    assert with_token(server, token, "GET", "/api/documents") == 200
    server.invited("Rita", "read")
    assert with_token(server, token, "GET", "/api/documents") == 401
    token = server.accounts.tokens.make("Rita", "reader")
    server.invited("Adam", "admin")
    server.accounts.people.remove("Rita")
    assert with_token(server, token, "GET", "/api/documents") == 401
    assert with_token(server, "pipeline_" + "a" * 43, "GET", "/api/documents") == 401


def test_labels_are_one_of_a_kind_and_tokens_have_a_limit(server: PeopleServer) -> None:
    browser = server.invited("Cora", "correct")
    for number in range(MAX_TOKENS):
        server.accounts.tokens.make("Cora", f"program {number}")
    assert browser.post("/account", data={"label": "program 1"}).status_code == 400
    assert browser.post("/account", data={"label": "one more"}).status_code == 400
    with pytest.raises(AccountError):
        server.accounts.tokens.make("Nobody", "program")


def test_the_command_makes_lists_and_revokes_tokens(server: PeopleServer) -> None:
    server.invited("Ada", "admin")
    outbox = ["--outbox", str(server.served.settings.outbox)]
    token = CliRunner().invoke(cli, ["users", "token", "Ada", "scanner", *outbox]).output.strip()
    assert with_token(server, token, "GET", "/api/documents") == 200
    assert "scanner" in CliRunner().invoke(cli, ["users", "list", *outbox]).output
    assert CliRunner().invoke(cli, ["users", "revoke", "Ada", "scanner", *outbox]).exit_code == 0
    assert with_token(server, token, "GET", "/api/documents") == 401
    assert CliRunner().invoke(cli, ["users", "revoke", "Ada", "scanner", *outbox]).exit_code != 0
