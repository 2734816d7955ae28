"""Access control, limits of what clients may send, and safe names of uploaded files."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

import httpx
import pytest
from fastapi import FastAPI

from pipeline.web import server
from pipeline.web.app import with_access_control
from pipeline.web.uploads import FOLDER, safe_name
from tests.drawing import text_pdf
from tests.web.serve.conftest import Served

pytestmark = pytest.mark.slow


def test_a_request_without_the_right_token_is_refused(served: Served) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {served.token}"}, {"cookie": "x=y"}):
        for path in ("/", "/api/status", "/api/openapi.json", "/static/list.js", "/?token=wrong", "/nowhere"):
            answer = httpx.get(f"{served.base}{path}", headers=headers)
            assert answer.status_code == 401
            assert "set-cookie" not in answer.headers


def test_the_token_in_the_url_becomes_a_cookie_that_no_script_and_no_other_site_can_read(served: Served) -> None:
    with httpx.Client(base_url=served.base) as browser:
        answer = browser.get("/", params={"token": served.token, "q": "a&b"})
        assert answer.status_code == 303
        assert answer.headers["location"] == "/?q=a%26b"
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        page = browser.get("/")
        assert page.status_code == 200
        assert served.token not in page.text


def test_pages_allow_nothing_but_their_own_script(served: Served) -> None:
    with served.client() as client:
        first, second = client.get("/"), client.get("/")
    policy = first.headers["content-security-policy"]
    nonce = policy.partition("script-src 'nonce-")[2].partition("'")[0]
    assert len(nonce) > 16
    assert nonce not in second.text, "a nonce is used once"
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    scripts = first.text.replace('<script type="application/json"', "")
    assert scripts.count("<script") == first.text.count(f'defer nonce="{nonce}"'), "every script has the nonce; data is none"
    assert f'nonce="{nonce}"' in first.text
    assert " onclick=" not in first.text
    assert " style=" not in first.text
    assert first.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1:1"}, 421),
        ({"host": "localhost.evil.example:80"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_other_origins_and_host_names_are_refused_even_with_the_token(
    served: Served, headers: dict[str, str], status: int
) -> None:
    with served.client(**headers) as client:
        assert client.get("/api/status").status_code == status
        assert client.put("/api/files/evil.pdf", content=b"x").status_code == status
    assert not list(served.inbox.glob("evil*"))


def test_a_change_by_cookie_needs_the_own_origin(served: Served) -> None:
    with httpx.Client(base_url=served.base) as browser:
        browser.get("/", params={"token": served.token})
        refused = browser.put("/api/files/forged.pdf", content=b"x")
        assert refused.status_code == 403
        assert not list(served.inbox.glob("forged*"))
        accepted = browser.put("/api/files/mine.pdf", content=text_pdf(["mine"]), headers={"origin": served.base})
        assert accepted.status_code == 201


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/absolute.pdf", "absolute.pdf"),
        ("..", "document"),
        (".hidden.pdf", "hidden.pdf"),
        ("a\x00b\n.pdf", "a_b_.pdf"),
        ("C:evil.pdf", "C_evil.pdf"),
        ("unfinished.part", "unfinished.part.file"),
        ("Thumbs.db", "Thumbs.db.file"),
        ("  spaces .pdf ", "spaces .pdf"),
        ("e\u0301.pdf", "é.pdf"),
    ],
)
def test_names_become_safe_file_names(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_long_names_keep_their_extension() -> None:
    name = safe_name("ü" * 400 + ".pdf")
    assert name.endswith("ü.pdf")
    assert len(name.encode()) <= 200


def test_no_name_leaves_the_inbox_and_no_file_is_overwritten(served: Served) -> None:
    outside = sorted(path.name for path in served.folder.iterdir())
    first = served.submit(quote("../../twice.pdf", safe=""), text_pdf(["first"]))
    second = served.submit("twice.pdf", text_pdf(["second"]))
    third = served.submit(quote("..\\twice.pdf", safe=""), text_pdf(["third"]))
    assert [item["file"] for item in (first, second, third)] == ["twice.pdf", "twice (2).pdf", "twice (3).pdf"]
    assert (served.inbox / "twice.pdf").read_bytes() == text_pdf(["first"])
    assert sorted(path.name for path in served.folder.iterdir()) == outside


def test_a_template_is_selected_by_its_name_only(served: Served) -> None:
    upload = served.submit("as.pdf", text_pdf(["As a receipt"]), template="receipt")
    assert upload["file"] == "receipt/as.pdf"
    with served.client() as client:
        answer = client.put("/api/files/as.pdf", content=b"x", params={"template": "../evil"})
    assert answer.status_code == 400
    assert served.read(upload["sha256"])["templates"] == ["receipt"]


def test_a_template_folder_that_links_out_of_the_inbox_is_refused(served: Served) -> None:
    (served.folder / "elsewhere").mkdir()
    (served.inbox / "chart").symlink_to(served.folder / "elsewhere")
    with served.client() as client:
        assert client.put("/api/files/a.pdf", content=b"x", params={"template": "chart"}).status_code == 503
    assert not list((served.folder / "elsewhere").iterdir())


@pytest.mark.parametrize("with_length", [True, False])
def test_a_file_that_is_too_large_is_refused_and_leaves_nothing(served: Served, with_length: bool) -> None:
    content = b"x" * 1_000_001

    def in_pieces() -> object:
        for start in range(0, len(content), 100_000):
            yield content[start : start + 100_000]

    with served.client() as client:
        try:
            answer = client.put("/api/files/large.bin", content=content if with_length else in_pieces())  # type: ignore[arg-type]
        except httpx.TransportError:  # the server closed the connection before everything was sent
            answer = None
    assert answer is None or answer.status_code == 413
    assert not list(served.inbox.glob("large*"))
    assert not list((served.inbox / FOLDER).iterdir())


def _request_head(served: Served, name: str) -> bytes:
    """The beginning of an upload of 500 bytes."""
    lines = [
        f"PUT /api/files/{name} HTTP/1.1",
        f"Host: {urlsplit(served.base).netloc}",
        f"Authorization: Bearer {served.token}",
    ]
    return "\r\n".join([*lines, "Content-Length: 500", "", ""]).encode()


def test_an_interrupted_upload_leaves_nothing(served: Served) -> None:
    address = urlsplit(served.base)
    with socket.create_connection((address.hostname or "", address.port or 0)) as client:
        head = _request_head(served, "half.pdf")
        client.sendall(head + b"half of it")
        time.sleep(1)
    until = time.monotonic() + 60
    while list((served.inbox / FOLDER).iterdir()) and time.monotonic() < until:
        time.sleep(0.1)
    assert not list((served.inbox / FOLDER).iterdir())
    assert not list(served.inbox.glob("half*"))


@pytest.mark.parametrize("request_bytes", [b"GET / HT", b""])
def test_a_connection_without_a_complete_request_head_is_closed_while_others_are_served(
    served: Served, request_bytes: bytes
) -> None:
    address = urlsplit(served.base)
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(socket.create_connection((address.hostname or "", address.port or 0))) for _ in range(20)]
        for client in idle:
            client.sendall(request_bytes)
            client.settimeout(60)
        with served.client() as other:
            assert other.get("/api/status").status_code == 200
        assert all(client.recv(1) == b"" for client in idle)


@contextmanager
def empty_server() -> Iterator[int]:
    """A server without pages in a thread of this process; its port."""
    listener = server.listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    web = server.WebServer(with_access_control(FastAPI(), "secret", frozenset({f"127.0.0.1:{port}"}), port, 1))
    thread = threading.Thread(target=web.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield port
    finally:
        web.should_exit = True
        thread.join(30)


def test_a_connection_may_be_idle_between_requests_but_not_within_a_request_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(server, "KEEP_ALIVE_SECONDS", 4)
    with empty_server() as port, socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(30)
        for _ in range(2):
            head = f"GET /missing HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer secret\r\n\r\n"
            client.sendall(head.encode())
            response = b""
            while b'"Not Found"}' not in response:
                received = client.recv(4096)
                assert received, "the connection was closed between two requests"
                response += received
            time.sleep(1)
        client.sendall(b"GET / HT")  # the first byte ends uvicorn's own timer for silent connections
        assert client.recv(1) == b""


def test_a_client_that_sends_on_after_it_was_refused_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.5)
    with empty_server() as port, socket.create_connection(("127.0.0.1", port)) as client:
        head = f"PUT /missing HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer secret\r\n"
        client.sendall(f"{head}Content-Length: 1000000\r\n\r\n".encode())
        client.settimeout(0.2)
        received, sent, ended = b"", 0, False
        while not ended:
            assert sent < 100, "the server still takes what it has refused"
            sent += 1
            try:
                client.sendall(b"a")
                part = client.recv(4096)
                ended, received = not part, received + part
            except TimeoutError:
                continue
            except ConnectionError:
                ended = True
        assert received.startswith(b"HTTP/1.1 4"), "the refusal can be read before"


def test_a_body_that_is_sent_too_slowly_is_refused(served: Served) -> None:
    address = urlsplit(served.base)
    with socket.create_connection((address.hostname or "", address.port or 0)) as client:
        head = _request_head(served, "slow.pdf")
        client.sendall(head + b"a")
        client.settimeout(90)
        assert client.recv(4096).startswith(b"HTTP/1.1 408")
    assert not list(served.inbox.glob("slow*"))
