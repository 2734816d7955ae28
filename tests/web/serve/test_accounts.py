"""Several people: invitations, roles, names in the history, sessions over restarts, and what attackers try against them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("argon2")

from fastapi.testclient import TestClient

from pipeline.settings_sections import ServeSettings
from pipeline.web.accounts.roles import Role, required_role
from pipeline.web.accounts.throttle import FREE_ATTEMPTS, SignInThrottle
from pipeline.web.context import document_id
from tests.drawing import invoice, invoice_pdf
from tests.web.serve.in_process import TOKEN
from tests.web.serve.people import ORIGIN, PHRASE, PeopleServer, people_server, sign_in

DOCUMENT = document_id("a.pdf")
HTML = {"accept": "text/html,application/xhtml+xml"}
SESSION = "pipeline_session_8420"
ROLES_BY_NAME: dict[str, Role] = {"Rita": "read", "Cora": "correct", "Adam": "admin"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PeopleServer]:
    with people_server(tmp_path) as server:
        yield server


@pytest.fixture(scope="module")
def with_document(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PeopleServer]:
    """A server with one document, and with nobody yet."""
    folder = tmp_path_factory.mktemp("people")
    (folder / "inbox").mkdir()
    (folder / "inbox" / "a.pdf").write_bytes(invoice_pdf(invoice("en")))
    with people_server(folder) as server:
        server.served.read()
        yield server


def test_a_person_makes_an_account_by_a_link_that_works_once(server: PeopleServer) -> None:
    browser, token = server.browser(), server.accounts.people.invite("Ada Lovelace", "correct")
    page = browser.get(f"/invitation/{token}", headers=HTML)
    assert (page.status_code, "Welcome, Ada Lovelace" in page.text) == (200, True)
    for first, second in (("short", "short"), (PHRASE, f"{PHRASE}."), ("a" * 12, "a" * 12)):
        assert browser.post(f"/invitation/{token}", data={"password": first, "again": second}).status_code == 400
    form = {"password": PHRASE, "again": PHRASE}
    assert browser.post(f"/invitation/{token}", data=form).status_code == 303
    home = browser.get("/", headers=HTML)
    assert (home.status_code, "Ada Lovelace" in home.text) == (200, True)
    assert server.browser().post(f"/invitation/{token}", data=form).status_code == 404
    assert server.browser().get("/invitation/of-nobody").status_code == 404
    assert sign_in(server.browser(), "ada lovelace").status_code == 303, "a name in other letters is the same"


def test_roles_end_where_they_should_and_change_at_once(with_document: PeopleServer) -> None:
    server = with_document
    reader, corrector, admin = (server.invited(name, role) for name, role in ROLES_BY_NAME.items())
    path, state = f"/api/documents/{DOCUMENT}/state", {"state": "approved"}
    changes: list[tuple[str, str, dict[str, Any]]] = [
        ("PUT", path, {"json": state}),
        ("PUT", f"/api/documents/{DOCUMENT}/fields/invoice/total", {"json": {"value": "1.00", "version": 0}}),
        ("POST", f"/api/documents/{DOCUMENT}/questions", {"json": {"page": 1, "question": "Who?"}}),
        ("PUT", "/api/files/new.pdf", {"content": b"x"}),
        ("POST", "/api/read", {"content": b"x"}),
        ("POST", "/v1/chat/completions", {"json": {}}),
        ("POST", "/mcp", {"json": {}}),
        ("DELETE", "/api/anything", {}),
    ]
    for method, url, body in changes:
        refused = reader.request(method, url, **body)
        assert (refused.status_code, "role" in refused.text) == (403, True), url
    for get in ("/", "/documents", f"/documents/{DOCUMENT}", f"/api/documents/{DOCUMENT}", "/api/exports/documents.jsonl"):
        assert reader.get(get).status_code == 200, get
    for browser in (reader, corrector):
        for url in ("/people", "/people/", "/people/invite"):
            assert browser.get(url).status_code == 403
        assert browser.post("/people/role", data={"name": "Rita", "role": "admin"}).status_code == 403
    assert not [account for account in server.accounts.people.accounts() if account.name == "Rita" and account.role != "read"]

    assert corrector.put(path, json=state).status_code == 200
    assert admin.post("/people/role", data={"name": "Rita", "role": "correct"}).status_code == 303
    assert reader.put(path, json={"state": "to_check"}).status_code == 200
    assert admin.post("/people/remove", data={"name": "Cora"}).status_code == 303
    assert corrector.put(path, json=state).status_code == 401, "the session of a removed account has ended"
    last = admin.post("/people/remove", data={"name": "Adam"})
    assert (last.status_code, "last admin" in last.text) == (400, True)
    invited = admin.post("/people/invite", data={"name": "Eve", "role": "read"})
    assert f"{ORIGIN}/invitation/" in invited.text
    assert ORIGIN not in admin.get("/people").text, "the link is shown once"


def test_the_history_has_the_name_of_the_account_whatever_the_request_says(with_document: PeopleServer) -> None:
    browser = with_document.invited("Grace", "correct")
    field = f"/api/documents/{DOCUMENT}/fields/invoice/total"
    version = len(browser.get(f"{field}/history").json())
    browser.put(field, json={"value": "12.50", "version": version, "by": "Somebody Else"})
    browser.put(f"/api/documents/{DOCUMENT}/state", json={"state": "approved", "by": "Somebody Else"})
    browser.post(f"/api/documents/{DOCUMENT}/comments", json={"text": "seen", "by": "Somebody Else"})
    assert browser.get(f"{field}/history").json()[-1]["by"] == "Grace"
    view = browser.get(f"/api/documents/{DOCUMENT}/view").json()
    assert (view["approval"][-1]["by"], view["comments"][-1]["by"]) == ("Grace", "Grace")
    program = with_document.browser(authorization=f"Bearer {TOKEN}")
    program.post(f"/api/documents/{DOCUMENT}/comments", json={"text": "checked", "by": "the nightly check"})
    comments = browser.get(f"/api/documents/{DOCUMENT}/comments").json()
    assert comments[-1]["by"] == "the nightly check", "a program with the token says itself for whom it works"


def test_sessions_survive_a_restart_and_end_by_signing_out(tmp_path: Path) -> None:
    with people_server(tmp_path) as server:
        cookies = dict(server.invited("Ada", "correct").cookies)
    with people_server(tmp_path) as server:
        browser = server.browser()
        browser.cookies.update(cookies)
        assert browser.get("/").status_code == 200
        assert browser.post("/sign-out").status_code == 303
        browser.cookies.update(cookies)  # a copy of the cookie
        assert browser.get("/").status_code == 401


def test_an_old_bookmark_shows_a_page_to_sign_in_and_leads_on(server: PeopleServer) -> None:
    single = server.browser()
    page = single.get(f"/documents/{DOCUMENT}?token=old", headers=HTML)
    assert (page.status_code, "pipeline serve" in page.text) == (401, True), "one user: the page says where the address is"
    assert single.get("/api/status").headers["content-type"] == "application/json"
    signed = single.post("/sign-in", data={"token": TOKEN, "wanted": "/documents"})
    assert (signed.status_code, signed.headers["location"]) == (303, "/documents")
    assert single.get("/documents", headers=HTML).status_code == 200
    assert server.browser().post("/sign-in", data={"token": "wrong"}).status_code == 401

    server.invited("Ada", "correct")
    page = server.browser().get("/documents?page=2", headers=HTML)
    assert page.status_code == 401
    assert 'name="wanted" value="/documents?page=2"' in page.text
    for elsewhere in (
        "//evil.example/",
        "https://evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/a\nb",
        "javascript:alert(1)",
    ):
        signed = sign_in(server.browser(), "Ada", wanted=elsewhere)
        assert (signed.status_code, signed.headers["location"]) == (303, "/"), elsewhere


def test_with_accounts_the_token_is_for_programs_alone(server: PeopleServer) -> None:
    before = server.browser()
    before.get("/", params={"token": TOKEN})
    assert before.get("/").status_code == 200
    server.invited("Ada", "admin")
    assert before.get("/").status_code == 401, "the cookie with the token opens nothing any more"
    assert server.browser().get("/", params={"token": TOKEN}).status_code == 401
    assert server.browser(authorization=f"Bearer {TOKEN}").get("/api/status").status_code == 200
    server.accounts.people.remove("Ada")
    assert before.get("/").status_code == 200, "one user again"


def test_signing_in_begins_a_new_session_whatever_cookie_came(server: PeopleServer) -> None:
    server.invited("Ada", "correct")
    mallory = server.invited("Mallory", "read")
    fixed = mallory.cookies[SESSION]
    for planted in ("chosen-by-a-stranger", fixed):
        victim = server.browser()
        victim.cookies.set(SESSION, planted, domain="127.0.0.1", path="/")
        signed = sign_in(victim, "Ada")
        assert signed.status_code == 303
        assert planted not in signed.headers["set-cookie"]
        stranger = server.browser()
        stranger.cookies.set(SESSION, planted)
        page = stranger.get("/", headers=HTML).text
        assert "Ada" not in page, "what was planted is no session of the victim"


def test_cookies_are_for_this_port_and_two_of_them_are_none(server: PeopleServer, tmp_path: Path) -> None:
    ada, mallory = server.invited("Ada", "correct"), server.invited("Mallory", "read")
    mine, other = ada.cookies[SESSION], mallory.cookies[SESSION]
    raw = server.browser()
    assert raw.get("/api/status", headers={"cookie": f"{SESSION}={mine}"}).status_code == 200
    assert raw.get("/api/status", headers={"cookie": f"pipeline_session_9999={mine}"}).status_code == 401
    for both in (f"{SESSION}={other}; {SESSION}={mine}", f"{SESSION}={mine}; {SESSION}={other}"):
        assert raw.get("/api/status", headers={"cookie": both}).status_code == 401, "another port has set one of them"
    header = sign_in(server.browser(), "Ada").headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(header.split("; "))
    assert "Domain" not in header


def test_forms_and_changes_of_other_sites_are_refused_and_links_to_pages_work(server: PeopleServer) -> None:
    ada = server.invited("Ada", "admin")
    token = server.accounts.people.invite("Eve", "read")
    for headers in ({"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        for url in ("/sign-in", "/sign-out", "/people/invite", f"/invitation/{token}", "/account", "/api/states"):
            assert ada.post(url, headers=headers, data={"name": "Mallory", "role": "admin"}).status_code == 403, (url, headers)
    no_origin = TestClient(server.app, base_url=ORIGIN, cookies=dict(ada.cookies))
    for url in ("/people/invite", "/sign-out", "/account", "/sign-in"):
        assert no_origin.post(url, data={"name": "Mallory", "role": "admin"}).status_code == 403
    stranger = TestClient(server.app, base_url=ORIGIN)
    assert stranger.post("/sign-in", data={"name": "Ada", "password": PHRASE}).status_code == 403, "nobody is signed in unasked"
    assert [one.name for one in server.accounts.people.invitations()] == ["Eve"]
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    followed = TestClient(server.app, base_url=ORIGIN, cookies=dict(ada.cookies), headers=link)
    assert followed.get("/documents").status_code == 200, "a link in a mail"
    for dest in ("iframe", "image", "script", "empty"):
        assert followed.get("/documents", headers={"sec-fetch-dest": dest}).status_code == 403


def test_guessing_passwords_is_slowed_down_over_restarts_and_locks_nobody_out_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.web.accounts.throttle.FIRST_PAUSE_SECONDS", 600.0)
    with people_server(tmp_path) as server:
        server.invited("Ada", "correct")
        attacker = server.browser("198.51.100.7")
        statuses = [sign_in(attacker, "Ada", f"guess {n}").status_code for n in range(FREE_ATTEMPTS["both"] + 1)]
        assert statuses == [401] * FREE_ATTEMPTS["both"] + [429]
    with people_server(tmp_path) as server:
        attacker = server.browser("198.51.100.7")
        assert sign_in(attacker, "ADA ").status_code == 429, "also the right one, in other letters, after a restart"
        assert sign_in(server.browser("203.0.113.5"), "Ada").status_code == 303, "she signs in elsewhere"


def test_pauses_grow_to_a_quarter_of_an_hour_and_are_forgotten(tmp_path: Path) -> None:
    with people_server(tmp_path) as server:
        server.accounts.people.invite("Ada", "read")
        throttle: SignInThrottle = server.accounts.throttle
        now, waits = 1_000_000.0, []
        for _ in range(20):
            while wait := throttle.attempt("Ada", "2001:db8::1", now):
                now += wait
                waits.append(wait)
        assert waits[0] == 5.0
        assert max(waits) == 900.0
        assert throttle.attempt("Ada", "2001:db8::2", now) > 0, "another address of the same network"
        assert throttle.attempt("Ada", "2001:db8:1::1", now) == 0.0
        assert throttle.attempt("Ada", "2001:db8::1", now + 90_000) == 0.0


def test_what_the_file_holds_signs_nobody_in_and_is_for_its_owner(server: PeopleServer, tmp_path: Path) -> None:
    ada = server.invited("Ada", "correct")
    token = server.accounts.people.invite("Eve", "read")
    path = tmp_path / "outbox" / ".pipeline" / "accounts.sqlite"
    assert path.stat().st_mode & 0o777 == 0o600
    content = path.read_bytes()
    for secret in (PHRASE, ada.cookies[SESSION], token):
        assert secret.encode() not in content
    assert b"$argon2id$" in content


def test_a_damaged_file_lets_nobody_in(server: PeopleServer, tmp_path: Path) -> None:
    browser = server.invited("Ada", "correct")
    (tmp_path / "outbox" / ".pipeline" / "accounts.sqlite").write_bytes(b"not a database at all" * 100)
    for headers in ({}, {"cookie": f"pipeline_8420={TOKEN}"}):
        assert browser.get("/api/status", headers=headers).status_code == 503


def test_a_header_names_a_person_only_from_a_proxy_that_is_configured(tmp_path: Path) -> None:
    settings = ServeSettings(proxies=("10.0.0.0/30",), user_header="X-Forwarded-User", new_people="read")
    with people_server(tmp_path, settings) as server:
        named = {"X-Forwarded-User": "Ada", "x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.9"}
        behind = server.browser("10.0.0.2", "http://documents.example", **named)
        assert behind.get("/api/status").status_code == 200
        assert "Ada" in behind.get("/", headers=HTML).text
        assert behind.put("/api/files/a.pdf", content=b"x").status_code == 403, "a new person reads"
        server.accounts.people.set_role("ada", "admin")
        assert behind.get("/people").status_code == 200
        assert (
            server.browser("10.0.0.2", "http://documents.example", **{**named, "origin": "https://evil.example"})
            .post("/people/invite", data={"name": "Mallory", "role": "admin"})
            .status_code
            == 403
        )

        direct = server.browser("10.0.0.9", **named)
        assert direct.get("/api/status").status_code == 401, "not from a proxy"
        twice = [("x-forwarded-user", "Ada"), ("x-forwarded-user", "Mallory")]
        assert server.browser("10.0.0.2").get("/api/status", headers=twice).status_code == 403
        assert server.browser("10.0.0.2").get("/api/status").status_code == 401, "the proxy names nobody"
        secure = server.invited(
            "Grace", "read", address="10.0.0.2", base="http://documents.example", **{"x-forwarded-proto": "https"}
        )
        assert any(cookie.name.startswith("__Host-") and cookie.secure for cookie in secure.cookies.jar)
    refused = ServeSettings(proxies=("10.0.0.2",), user_header="X-Forwarded-User")
    with people_server(tmp_path, refused) as server:
        answer = server.browser("10.0.0.2", **{"x-forwarded-user": "Mallory"}).get("/api/status")
        assert (answer.status_code, "invitation" in answer.text) == (403, True)
    (tmp_path / "other").mkdir()
    with people_server(tmp_path / "other") as server:
        assert server.browser("127.0.0.1", **named).get("/api/status").status_code == 401, "never by default"
    with pytest.raises(ValueError, match="user_header"):
        ServeSettings(user_header="X-Forwarded-User")


def test_tricks_with_uploads_and_paths_of_a_reader_change_nothing(server: PeopleServer, tmp_path: Path) -> None:
    reader = server.invited("Rita", "read")
    tricks = [
        ("PUT", "//api/files/a.pdf", {}),
        ("PUT", "/API/files/a.pdf", {}),
        ("PUT", "/api/files/..%2f..%2fa.pdf", {}),
        ("POST", "/api/files/a.pdf", {"x-http-method-override": "PUT"}),
        ("PATCH", "/api/files/a.pdf", {}),
        ("PUT", "/sign-out/../api/files/a.pdf", {}),
        ("PUT", "/account/../api/files/a.pdf", {}),
    ]
    for method, url, headers in tricks:
        assert reader.request(method, url, content=b"%PDF-", headers=headers).status_code in (403, 404, 405), url
    assert reader.get("/api/files/a.pdf", headers={"x-http-method-override": "PUT"}).status_code in (404, 405)
    corrector = server.invited("Cora", "correct")
    inbox = tmp_path / "inbox"
    assert list(inbox.iterdir()) == []
    for name in ("..%2f..%2fescape.pdf", "%2e%2e/escape.pdf", "a%00b.pdf", "CON", ".hidden", "x.html"):
        corrector.put(f"/api/files/{name}", content=b"<script>alert(1)</script>")
    outside = [path for path in tmp_path.rglob("*") if "escape" in path.name and not path.is_relative_to(inbox)]
    assert outside == []
    cross = {"content-type": "text/plain", "origin": "https://evil.example"}
    assert corrector.post("/api/read", content=b"x", headers=cross).status_code == 403


def test_pages_are_in_the_language_of_the_browser_or_of_the_persons_choice(server: PeopleServer) -> None:
    german = {**HTML, "accept-language": "de-DE,de;q=0.9"}
    ada = server.invited("Ada <b>", "admin")
    page = server.browser().get("/documents", headers=german)
    assert (page.status_code, page.headers["content-language"]) == (401, "de")
    assert '<html lang="de">' in page.text
    assert "Anmelden" in page.text
    wrong = server.browser().post("/sign-in", data={"name": "Ada", "password": "wrong"}, headers=german)
    assert "stimmt nicht" in wrong.text
    assert "Passwort ändern" in ada.get("/account", headers=german).text
    assert ada.post("/account", data={"language": "pl"}).status_code == 303
    chosen = ada.get("/people", headers=german).text
    assert "Zaproś" in chosen
    assert "Rola: Ada &lt;b&gt;" in chosen, "names are escaped in translated texts, too"
    refused = ada.post("/people/remove", data={"name": "<i>nobody</i>"}).text
    assert "nie ma konta „&lt;i&gt;nobody&lt;/i&gt;”" in refused.replace("`", "")
    ada.post("/account", data={"language": "../x"})
    assert "Einladen" in ada.get("/people", headers=german).text, "no choice: the browser's"


def test_downloads_of_chosen_documents_need_no_more_than_reading() -> None:
    assert [required_role("POST", path) for path in ("/api/exports", "/api/originals")] == ["read", "read"]
    assert [required_role("POST", path) for path in ("/api/readings", "/api/exports/x")] == ["correct", "correct"]
    assert required_role("PUT", "/api/views/mine") == "correct"
