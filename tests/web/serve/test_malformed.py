"""Malformed requests over real sockets: each gets a JSON error of the right kind, before and after the token is checked."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import time
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.drawing import text_pdf
from tests.web.serve.conftest import Served, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def connect(served: Served, seconds: float = 30) -> socket.socket:
    address = urlsplit(served.base)
    client = socket.create_connection((address.hostname or "", address.port or 0), timeout=seconds)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def exchange(served: Served, request: bytes, *, half_closed: bool = False) -> bytes:
    """What the server sends until it closes the connection, or until nothing comes for a moment."""
    with closing(connect(served)) as client:
        answer = b""
        try:
            client.sendall(request)
            if half_closed:
                client.shutdown(socket.SHUT_WR)
            client.settimeout(3)
            while part := client.recv(65_536):
                answer += part
                head, separator, body = answer.partition(b"\r\n\r\n")
                length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b"")
                if separator and request.startswith(b"HEAD"):
                    break
                if separator and length and len(body) >= int(length.split(b":")[1]):
                    break
        except (TimeoutError, ConnectionError):
            pass
        return answer


def split(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a response."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(first.split()[1]), headers, body


def head_of(served: Served, target: bytes, *headers: bytes, method: bytes = b"GET", token: bool = True) -> bytes:
    lines = [method + b" " + target + b" HTTP/1.1", b"Host: " + urlsplit(served.base).netloc.encode(), *headers]
    if token:
        lines.append(b"Authorization: Bearer " + served.token.encode())
    return b"\r\n".join([*lines, b"", b""])


def with_body(served: Served, target: str, body: bytes, method: str = "POST") -> bytes:
    length = f"Content-Length: {len(body)}".encode()
    return head_of(served, target.encode(), b"Content-Type: application/json", length, method=method.encode()) + body


@pytest.fixture(scope="module", autouse=True)
def _works(served: Served) -> None:
    """The reading process has started: on a busy machine that takes longer than the first tests."""
    with served.client() as client:
        wait_for(lambda: client.get("/api/status").json()["reader"]["state"] == "working")


def is_well(served: Served) -> None:
    """A usual request is answered within a second, and the reading process works."""
    started = time.monotonic()
    with served.client() as client:
        assert client.get("/api/status").json()["reader"]["state"] == "working"
    assert time.monotonic() - started < 10


def assert_refused(answer: bytes, *codes: int) -> None:
    status, headers, body = split(answer)
    assert status in codes, answer[:300]
    assert headers["content-type"] == "application/json", answer[:300]
    assert json.loads(body)["detail"], answer[:300]


MANY_FIELDS = b"&".join(b"field%d=1" % number for number in range(4_000))
STRANGE_TARGETS = {
    "fifty fields": b"/?" + b"&".join(b"a=b" for _ in range(51)),
    "thousands of fields": b"/api/documents?" + MANY_FIELDS,
    "a surrogate in a token": b"/?token=%ED%A0%80",
    "many tokens": b"/?" + b"&".join(b"token=x" for _ in range(2_000)),
    "a surrogate in a path": b"/api/documents/%ED%A0%80",
    "NUL in a path": b"/api/documents/%00",
    "a path without end": b"/api/documents/" + b"a" * 60_000,
    "dots": b"/static/../../../../etc/passwd",
    "encoded dots": b"/sheets/%2e%2e%2f%2e%2e%2fetc%2fpasswd.csv",
    "an absolute target": b"http://elsewhere.example/api/status",
    "a star": b"*",
    "two slashes": b"//elsewhere.example/",
    "a broken escape": b"/api/documents/%zz%",
    "a query of escapes": b"/?q=" + b"%FF" * 5_000,
}


@pytest.mark.parametrize("name", STRANGE_TARGETS)
def test_a_stranger_gets_401_whatever_the_target(served: Served, name: str) -> None:
    assert_refused(exchange(served, head_of(served, STRANGE_TARGETS[name], token=False)), 400, 401)


@pytest.mark.parametrize("name", STRANGE_TARGETS)
def test_the_owner_gets_an_answer_or_a_client_error_whatever_the_target(served: Served, name: str) -> None:
    status, _, _ = split(exchange(served, head_of(served, STRANGE_TARGETS[name])))
    assert status in (200, 400, 404, 422), name


HEADERS = {
    "a cookie of quotes": b'Cookie: "' + b"\\" * 20_000 + b'"',
    "a cookie that is no text": b"Cookie: \xff\xfe=\xed\xa0\x80",
    "an authorization that is no text": b"Authorization: Bearer \xff\xed\xa0\x80",
    "an origin that is no URL": b"Origin: http://[",
    "no length": b"Content-Length: x",
    "two lengths": b"Content-Length: 1\r\nContent-Length: 2",
    "a length beyond all bounds": b"Content-Length: " + b"9" * 40,
    "chunks and a length": b"Transfer-Encoding: chunked\r\nContent-Length: 5",
    "an unknown encoding": b"Transfer-Encoding: gzip",
    "a folded header": b"X: a\r\n b",
    "a header without a colon": b"nonsense",
    "many headers": b"\r\n".join(b"X-%d: 1" % number for number in range(2_000)),
    "a large header": b"X: " + b"x" * 200_000,
    "an upgrade": b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13",
    "an expectation": b"Expect: 100-continue",
}


@pytest.mark.parametrize("name", HEADERS)
def test_strange_headers_of_a_stranger_are_refused(served: Served, name: str) -> None:
    answer = exchange(served, head_of(served, b"/api/status", HEADERS[name], token=False))
    assert_refused(answer, 400, 401, 403)


NO_HTTP = {
    "HTTP/0.9": b"GET /\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500) + b"\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "NUL": bytes(1_000) + b"\r\n\r\n",
    "a lone line": b"\r\n\r\n\r\n",
    "a head that does not end": b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000,
    "a space in the target": b"GET / / HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("name", NO_HTTP)
@pytest.mark.parametrize("half_closed", [False, True])
def test_what_is_no_http_is_refused(served: Served, name: str, half_closed: bool) -> None:
    answer = exchange(served, NO_HTTP[name], half_closed=half_closed)
    if answer:
        assert_refused(answer, 400, 421)
    is_well(served)


def bodies(document: dict[str, Any]) -> dict[str, tuple[str, bytes, str]]:
    questions, field = f"/api/documents/{document['id']}/questions", f"/api/documents/{document['id']}/fields/invoice/total"
    question, value = b'{"page": 1, "question": "%s"}', b'{"value": %s, "version": 0}'
    return {
        "a surrogate in a question": (questions, question % rb"\ud800", "POST"),
        "a surrogate in a name": (field, rb'{"value": "1", "version": 0, "by": "\udfff"}', "PUT"),
        "a surrogate in a value": (field, value % rb'"\ud83d"', "PUT"),
        "a surrogate in a key": (field, rb'{"value": "1", "version": 0, "\ud800": 1}', "PUT"),
        "a surrogate in a template": (f"/api/documents/{document['id']}/readings", rb'{"template": "\ud800"}', "POST"),
        "deep lists": (field, value % (b"[" * 100_000), "PUT"),
        "deep lists that end": (field, value % (b"[" * 50_000 + b"]" * 50_000), "PUT"),
        "deep objects": (field, value % (b'{"a":' * 20_000 + b"1" + b"}" * 20_000), "PUT"),
        "a number beyond all bounds": (field, value % (b"9" * 100_000), "PUT"),
        "a number that is none": (field, value % b"NaN", "PUT"),
        "a power beyond all bounds": (field, value % b"1e999999999", "PUT"),
        "NUL": (questions, question % rb"\u0000", "POST"),
        "a version beyond all bounds": (field, b'{"value": "1", "version": 99999999999999999999999}', "PUT"),
        "no JSON": (questions, b"\xff\xfe\x00", "POST"),
        "nothing": (questions, b"", "POST"),
        "a list": (questions, b"[]", "POST"),
    }


def test_strange_bodies_are_client_errors(served: Served, document: dict[str, Any]) -> None:
    for name, (target, body, method) in bodies(document).items():
        status, headers, content = split(exchange(served, with_body(served, target, body, method)))
        assert status < 500, (name, status, content[:300])
        assert headers["content-type"] == "application/json", name
        json.loads(content)
    is_well(served)


def test_chunks_that_are_none_are_refused(served: Served) -> None:
    head = head_of(served, b"/api/files/a.pdf", b"Transfer-Encoding: chunked", method=b"PUT")
    for chunks in (b"zz\r\n", b"5\r\nabc\r\n0\r\n\r\n", b"-1\r\n\r\n", b"f" * 40 + b"\r\n", b"5;" + b"x" * 100_000):
        answer = exchange(served, head + chunks)
        assert not answer.startswith(b"HTTP/1.1 5"), answer[:200]
    assert not list(served.inbox.glob("a*.pdf"))
    is_well(served)


def test_pipelined_requests_without_a_token_get_one_answer(served: Served) -> None:
    answer = exchange(served, head_of(served, b"/api/status", token=False) * 200)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert_refused(answer, 401)


def test_a_file_whose_name_is_no_text_is_listed_and_shown(served: Served) -> None:
    (served.inbox / os.fsdecode(b"n\xffame.pdf")).write_bytes(content := text_pdf(["Strange"]))
    document = served.read(hashlib.sha256(content).hexdigest())
    with served.client() as client:
        for path in ("/", "/api/documents", f"/api/documents/{document['id']}", f"/documents/{document['id']}"):
            assert client.get(path).status_code == 200, path
        assert client.get("/api/exports/documents.jsonl").status_code == 200


METHODS = st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "BREW"])
TARGETS = st.binary(max_size=200).map(lambda raw: bytes(byte for byte in raw if 0x21 <= byte < 0x7F))
PREFIXES = st.sampled_from(
    [b"/", b"/api/documents/", b"/api/files/", b"/documents/", b"/?q=", b"/api/documents?q=", b"/sheets/"]
)


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(METHODS, PREFIXES, TARGETS, st.binary(max_size=300), st.booleans())
def test_no_generated_request_is_a_server_error(
    served: Served, method: str, prefix: bytes, target: bytes, body: bytes, token: bool
) -> None:
    length = b"Content-Length: %d" % len(body)
    head = head_of(served, prefix + target, length, b"Content-Type: application/json", method=method.encode(), token=token)
    status, headers, content = split(exchange(served, head + body))
    assert status < 500
    if not token:
        assert status in (400, 401, 403), content
    if status >= 400 and method != "HEAD":
        assert headers["content-type"] == "application/json"
        assert json.loads(content)["detail"]
