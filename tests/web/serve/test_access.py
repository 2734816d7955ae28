"""Who gets in and who does not; what clients may send; names that lead nowhere."""

from __future__ import annotations

import contextlib
import socket
import time
from urllib.parse import quote, urlsplit

import httpx
import pytest

from pipeline.web.uploads import FOLDER, safe_name
from tests.drawing import text_pdf
from tests.web.serve.conftest import Served

pytestmark = pytest.mark.slow


def test_without_the_right_token_nobody_gets_in(served: Served) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {served.token}"}, {"cookie": "x=y"}):
        for path in ("/", "/api/status", "/api/openapi.json", "/static/serve.js", "/?token=wrong", "/nowhere"):
            answer = httpx.get(f"{served.base}{path}", headers=headers)
            assert answer.status_code == 401
            assert "set-cookie" not in answer.headers


def test_the_token_in_the_address_becomes_a_cookie_that_no_script_and_no_other_site_gets(served: Served) -> None:
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
    assert first.text.count("<script") == 1
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
def test_other_sites_and_other_names_are_refused_whatever_they_carry(
    served: Served, headers: dict[str, str], status: int
) -> None:
    with served.client(**headers) as client:
        assert client.get("/api/status").status_code == status
        assert client.put("/api/files/evil.pdf", content=b"x").status_code == status
    assert not list(served.inbox.glob("evil*"))


def test_a_cookie_alone_changes_nothing_without_an_origin_of_ours(served: Served) -> None:
    with httpx.Client(base_url=served.base) as browser:
        browser.get("/", params={"token": served.token})
        refused = browser.put("/api/files/forged.pdf", content=b"x")
        assert refused.status_code == 403
        assert not list(served.inbox.glob("forged*"))
        taken = browser.put("/api/files/mine.pdf", content=text_pdf(["mine"]), headers={"origin": served.base})
        assert taken.status_code == 201


@pytest.mark.parametrize(
    ("said", "kept"),
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
def test_names_are_names_and_nothing_else(said: str, kept: str) -> None:
    assert safe_name(said) == kept


def test_long_names_keep_their_ending() -> None:
    name = safe_name("ü" * 400 + ".pdf")
    assert name.endswith("ü.pdf")
    assert len(name.encode()) <= 200


def test_no_name_leads_out_of_the_inbox_and_no_file_is_overwritten(served: Served) -> None:
    outside = sorted(path.name for path in served.folder.iterdir())
    first = served.submit(quote("../../twice.pdf", safe=""), text_pdf(["first"]))
    second = served.submit("twice.pdf", text_pdf(["second"]))
    third = served.submit(quote("..\\twice.pdf", safe=""), text_pdf(["third"]))
    assert [item["file"] for item in (first, second, third)] == ["twice.pdf", "twice (2).pdf", "twice (3).pdf"]
    assert (served.inbox / "twice.pdf").read_bytes() == text_pdf(["first"])
    assert sorted(path.name for path in served.folder.iterdir()) == outside


def test_a_template_is_chosen_by_name_and_by_nothing_else(served: Served) -> None:
    sent = served.submit("as.pdf", text_pdf(["As a receipt"]), template="receipt")
    assert sent["file"] == "receipt/as.pdf"
    with served.client() as client:
        answer = client.put("/api/files/as.pdf", content=b"x", params={"template": "../evil"})
    assert answer.status_code == 400
    assert served.read(sent["sha256"])["templates"] == ["receipt"]


def test_a_template_folder_that_is_a_link_out_of_the_inbox_is_refused(served: Served) -> None:
    (served.folder / "elsewhere").mkdir()
    (served.inbox / "chart").symlink_to(served.folder / "elsewhere")
    with served.client() as client:
        assert client.put("/api/files/a.pdf", content=b"x", params={"template": "chart"}).status_code == 503
    assert not list((served.folder / "elsewhere").iterdir())


@pytest.mark.parametrize("told", [True, False])
def test_what_is_too_large_is_refused_and_leaves_nothing(served: Served, told: bool) -> None:
    content = b"x" * 1_000_001

    def in_pieces() -> object:
        for start in range(0, len(content), 100_000):
            yield content[start : start + 100_000]

    with served.client() as client:
        try:
            answer = client.put("/api/files/large.bin", content=content if told else in_pieces())  # type: ignore[arg-type]
        except httpx.TransportError:  # it hung up before everything was sent
            answer = None
    assert answer is None or answer.status_code == 413
    assert not list(served.inbox.glob("large*"))
    assert not list((served.inbox / FOLDER).iterdir())


def _head(served: Served, name: str) -> bytes:
    """The beginning of an upload of 500 bytes."""
    lines = [
        f"PUT /api/files/{name} HTTP/1.1",
        f"Host: {urlsplit(served.base).netloc}",
        f"Authorization: Bearer {served.token}",
    ]
    return "\r\n".join([*lines, "Content-Length: 500", "", ""]).encode()


def test_a_client_that_stops_in_the_middle_leaves_nothing(served: Served) -> None:
    where = urlsplit(served.base)
    with socket.create_connection((where.hostname or "", where.port or 0)) as client:
        head = _head(served, "half.pdf")
        client.sendall(head + b"half of it")
        time.sleep(1)
    until = time.monotonic() + 60
    while list((served.inbox / FOLDER).iterdir()) and time.monotonic() < until:
        time.sleep(0.1)
    assert not list((served.inbox / FOLDER).iterdir())
    assert not list(served.inbox.glob("half*"))


@pytest.mark.parametrize("sent", [b"GET / HT", b""])
def test_a_client_that_says_nothing_is_hung_up_on_while_others_are_served(served: Served, sent: bytes) -> None:
    where = urlsplit(served.base)
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(socket.create_connection((where.hostname or "", where.port or 0))) for _ in range(20)]
        for client in idle:
            client.sendall(sent)
            client.settimeout(60)
        with served.client() as other:
            assert other.get("/api/status").status_code == 200
        assert all(client.recv(1) == b"" for client in idle)


def test_a_body_that_comes_too_slowly_is_refused(served: Served) -> None:
    where = urlsplit(served.base)
    with socket.create_connection((where.hostname or "", where.port or 0)) as client:
        head = _head(served, "slow.pdf")
        client.sendall(head + b"a")
        client.settimeout(90)
        assert client.recv(4096).startswith(b"HTTP/1.1 408")
    assert not list(served.inbox.glob("slow*"))
