"""Programs send files to be read: three forms of request, templates of their own, tasks, webhooks, events."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("python_multipart")

from pipeline.run.refresh import split_up_to_date
from pipeline.settings_sections import WebhookSettings
from pipeline.web.task_store import TaskStore
from pipeline.web.webhook_call import WebhookRefusedError, check_url, public_address
from pipeline.web.webhook_sender import WebhookSender
from tests.drawing import invoice, invoice_pdf
from tests.web.serve.in_process import InProcess, in_process

KEY = "a-key-of-this-test-0123"
PARCEL = """\
name: parcel
prompt: Read.
fields:
  parcel_number:
    type: identifier
    labels: {en: [parcel number]}
"""
NUMBER = {"type": "object", "properties": {"number": {"type": "string"}}}
SHIPMENT = {"title": "Shipment", "type": "object", "properties": {"parcel": NUMBER}}


class Receiver:
    """A webhook that refuses its first call."""

    def __init__(self) -> None:
        self.calls: list[tuple[dict[str, str], bytes]] = []
        calls = self.calls

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                calls.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(500 if len(calls) == 1 else 204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?a=b"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    hooks = WebhookSettings(hosts=("127.0.0.1",), private_addresses=True)
    with in_process(tmp_path_factory.mktemp("read"), webhooks=hooks) as served:
        yield served


@pytest.fixture(scope="module")
def sent(served: InProcess, receiver: Receiver) -> dict[str, dict[str, Any]]:
    """Tasks by what was sent: before they are read, and after."""
    pdf, text = invoice_pdf(invoice("en")), b"Parcel number: PX-77120\nSent on 3 May 2026\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIPELINE_WEBHOOK_KEY", KEY)
        in_json = {
            "document": base64.b64encode(pdf).decode(),
            "template": "invoice",
            "name": "a/b.pdf",
            "webhook": receiver.url,
        }
        data_url = f"data:text/plain;base64,{base64.b64encode(text).decode()}"
        answers = {
            "json": served.client.post("/api/read", json=in_json),
            "form": served.client.post("/api/read", data={"template": PARCEL}, files={"file": ("label.txt", text)}),
            "schema": served.client.post("/api/read", json={"document": data_url, "schema": SHIPMENT}),
            "raw": served.client.post("/api/read?question=What is the parcel number?", content=text),
        }
    tasks = {}
    for name, answer in answers.items():
        assert answer.status_code == 202, answer.text
        assert answer.json()["status"] == "waiting"
        tasks[name] = answer.json()
    served.read()
    return {name: served.client.get(f"/api/tasks/{task['id']}?wait=1").json() for name, task in tasks.items()}


def values(task: dict[str, Any]) -> dict[str, Any]:
    (result,) = task["result"]["results"].values()
    return {name: field["value"] for name, field in result["fields"].items()}


def test_a_file_in_json_is_read_with_the_template_that_is_named(sent: dict[str, dict[str, Any]]) -> None:
    task = sent["json"]
    assert (task["status"], task["file"]) == ("done", "invoice/b.pdf")
    assert values(task)["total"] == str(invoice("en").total)


def test_a_file_in_a_form_is_read_with_a_template_of_its_own_that_the_run_learns(sent: dict[str, dict[str, Any]]) -> None:
    task = sent["form"]
    assert values(task) == {"parcel_number": "PX-77120"}
    (template,) = task["result"]["results"]
    assert template.startswith("parcel_")
    assert task["file"] == f"{template}/label.txt"


def test_a_json_schema_is_filled_in_its_own_shape(sent: dict[str, dict[str, Any]]) -> None:
    ((name, result),) = sent["schema"]["result"]["results"].items()
    assert name.startswith("shipment_")
    assert result["data"] == {"parcel": {"number": "PX-77120"}}


def test_a_body_that_is_the_file_is_read_for_a_question(sent: dict[str, dict[str, Any]]) -> None:
    assert values(sent["raw"]) == {"answer": "PX-77120"}


def test_the_same_file_again_is_answered_at_once(served: InProcess, sent: dict[str, dict[str, Any]]) -> None:
    pdf = invoice_pdf(invoice("en"))
    answer = served.client.post("/api/read?template=invoice&name=other.pdf", content=pdf)
    assert answer.status_code == 200
    assert answer.json()["file"] == sent["json"]["file"]
    assert answer.json()["result"] == sent["json"]["result"]


def test_a_file_that_was_read_with_a_schema_is_read_anew_without_one(
    served: InProcess, sent: dict[str, dict[str, Any]]
) -> None:
    text = b"Parcel number: PX-77120\nSent on 3 May 2026\n"
    task = served.client.post("/api/read?name=label.txt", content=text).json()
    served.read()
    (template,) = served.client.get(f"/api/tasks/{task['id']}?wait=1").json()["result"]["results"]
    assert template in served.context.templates, "its pages decide, and not what another program asked for"
    again = served.client.post("/api/read?name=again.txt", content=text)
    assert (again.status_code, again.json()["file"]) == (200, task["file"])


def test_templates_that_no_request_names_any_more_make_room_and_their_results_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.run.inline_templates.MAX_TEMPLATES", 2)
    with in_process(tmp_path) as served:

        def send(title: str) -> Any:
            body = {
                "document": base64.b64encode(f"Number: {title}-1".encode()).decode(),
                "schema": {**SHIPMENT, "title": title},
            }
            return served.client.post("/api/read", json=body)

        first, second = send("First"), send("Second")
        assert [first.status_code, second.status_code] == [202, 202]
        refused = send("Third")
        assert (refused.status_code, "different templates" in refused.text) == (400, True), (
            "both wait for their files to be read"
        )
        served.read()
        refused = send("Third")
        assert refused.status_code == 400, "both were named just now"
        task = served.client.get(f"/api/tasks/{first.json()['id']}").json()
        written = (served.settings.outbox / f"{task['file']}.json").read_bytes()
        folder = served.settings.outbox / ".pipeline" / "templates"
        for path in folder.iterdir():
            os.utime(path, (1, 1 if path.name.startswith("first") else 2))
        assert send("Third").status_code == 202
        assert sorted(path.name.partition("_")[0] for path in folder.iterdir()) == ["second", "third"]
    with in_process(tmp_path) as served:
        todo, known = split_up_to_date(served.job, served.job.scan(lambda *_: None), served.job.file_records)
        assert (len(todo), len(known)) == (1, 2), "only what was sent with the third one"
        served.loop.round(iter(todo))
        served.loop.publisher.tidy()
        assert (served.settings.outbox / f"{task['file']}.json").read_bytes() == written
        assert served.client.get(f"/documents/{task['document']}").status_code == 200
        assert served.client.get("/api/exports/documents.xlsx").status_code == 200


def test_a_client_that_comes_back_gets_all_events_also_more_than_one_query_gives(
    served: InProcess, sent: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.web.api.tasks.LATEST", 2)
    with served.client.stream("GET", "/api/events?seconds=0.5", headers={"last-event-id": "2000-01-01"}) as stream:
        events = stream.read().decode()
    assert all(f'"file": "{item["file"]}"' in events for item in sent.values())


def test_the_events_of_a_task_and_of_all_documents(served: InProcess, sent: dict[str, dict[str, Any]]) -> None:
    task = sent["json"]
    with served.client.stream("GET", f"/api/tasks/{task['id']}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        text = stream.read().decode()
    assert text.startswith("event: task\ndata: {")
    assert json.loads(text.splitlines()[1].removeprefix("data: "))["status"] == "done"
    with served.client.stream("GET", "/api/events?seconds=0.5", headers={"last-event-id": "2000-01-01"}) as stream:
        events = stream.read().decode()
    assert {f'"file": "{item["file"]}"' for item in sent.values()} <= {
        part for part in events.replace(", ", "\n").splitlines() if part.startswith('"file"')
    }
    with served.client.stream("GET", "/api/events?seconds=0.2") as stream:
        assert "document" not in stream.read().decode(), "a client without an event gets new ones only"


def test_a_webhook_is_signed_and_called_again_after_a_failure_and_a_restart(
    served: InProcess, sent: dict[str, dict[str, Any]], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_WEBHOOK_KEY", KEY)
    monkeypatch.setattr("pipeline.web.webhook_sender.POLL_SECONDS", 0.05)
    monkeypatch.setattr("pipeline.web.webhook_sender.FIRST_PAUSE_SECONDS", 0.05)
    for calls in (1, 2):  # a new sender each time, as after a restart
        with WebhookSender(served.context):
            until = time.monotonic() + 60
            while len(receiver.calls) < calls and time.monotonic() < until:
                time.sleep(0.02)
    assert len(receiver.calls) == 2
    headers, body = receiver.calls[1]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(KEY.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    task = json.loads(body)["task"]
    assert (task["id"], task["status"], task["result"]) == (sent["json"]["id"], "done", sent["json"]["result"])
    state = served.client.get(f"/api/tasks/{task['id']}").json()["webhook"]
    assert state == {"url": receiver.url, "state": "delivered", "attempts": 2, "error": None}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"document": "%%%"}, "base64"),
        ({"document": ""}, "document"),
        ({"document": "YQ==", "template": "invoce"}, "there is no template `invoce`, did you mean `invoice`?"),
        ({"document": "YQ==", "template": "invoice", "question": "Who?"}, "give one"),
        ({"document": "YQ==", "template": {"name": "x", "prompt": "{{ 1 ", "fields": {}}}, "template:1"),
        ({"document": "YQ==", "webhook": "https://elsewhere.example/"}, "elsewhere.example"),
        ({"document": "YQ==", "webhook": "file:///etc/passwd"}, "webhook"),
        ({"document": "YQ==", "webhook": "https://127.0.0.1/"}, "PIPELINE_WEBHOOK_KEY"),
        ({"document": "YQ==", "path": "/etc/passwd"}, "the keys are document, name, question, schema, template, webhook"),
        (["x"], "the body"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(served: InProcess, body: Any, message: str) -> None:
    before = sorted(path.name for path in served.settings.inbox.rglob("*") if path.is_file())
    answer = served.client.post("/api/read", json=body)
    assert answer.status_code == 400
    assert message in answer.json()["detail"]
    assert sorted(path.name for path in served.settings.inbox.rglob("*") if path.is_file()) == before


def test_the_templates_that_a_request_may_name_are_listed_with_their_fields(served: InProcess) -> None:
    listed = {item["name"]: item for item in served.client.get("/api/templates").json()}
    assert served.client.get("/api/documents", params={"template": "no-such"}).json()["total"] == 0
    assert set(listed) == set(served.context.templates)
    fields = {field["name"]: field for field in listed["invoice"]["fields"]}
    assert (fields["total"]["type"], fields["line_items"]["type"], fields["total"]["many"]) == ("money", "table", False)
    assert {"description", "quantity", "amount"} <= set(fields["line_items"]["columns"])
    assert listed["receipt"]["kinds"] == ["receipt"]


def test_json_that_does_not_say_so_is_no_file_to_read(served: InProcess) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    refused = served.client.post("/api/read", content=b'{"name": "a.txt", "document": "YQ=="}', headers=headers)
    assert (refused.status_code, "application/json" in refused.json()["detail"]) == (400, True)
    taken = served.client.post("/api/read?name=plain.txt", content=b"{braces} are text", headers=headers)
    assert taken.status_code == 202


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("GET", "/api/documents?limit=many", None, "query.limit: "),
        ("POST", "/api/documents/YQ/questions", {"page": 0, "question": "What?"}, "body.page: "),
        ("POST", "/api/read?wait=1000", None, "query.wait: "),
        ("PUT", "/api/documents/YQ/state", {"state": "no such state"}, "body.state: "),
    ],
)
def test_a_wrong_parameter_is_refused_in_the_form_of_every_refusal(
    served: InProcess, method: str, path: str, body: Any, message: str
) -> None:
    content = None if body is None else json.dumps(body)
    refused = served.client.request(method, path, content=content, headers={"content-type": "application/json"})
    assert refused.status_code == 422
    assert list(refused.json()) == ["detail"]
    assert refused.json()["detail"].startswith(message)


def test_a_request_without_the_token_or_from_another_site_puts_nothing_into_the_inbox(served: InProcess) -> None:
    for headers, status in (
        ({"authorization": "Bearer wrong"}, 401),
        ({"origin": "http://elsewhere.example"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
    ):
        answer = served.client.post("/api/read?name=x.txt", content=b"x", headers=headers)
        assert answer.status_code == status
    assert not list(served.settings.inbox.rglob("x.txt"))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "::1", "::ffff:10.0.0.1", "10.1.2.3", "169.254.169.254", "0.0.0.0", "224.0.0.1", "localhost", "100.64.0.1"],
)
def test_a_webhook_never_leads_to_a_private_address(host: str) -> None:
    with pytest.raises(WebhookRefusedError, match="public"):
        public_address(host, 443, private=False)


def test_a_damaged_file_of_tasks_is_put_aside(tmp_path: Path) -> None:
    task = TaskStore(tmp_path).add("a.pdf", "0" * 64)
    assert TaskStore(tmp_path).find(task.id) == task
    (tmp_path / "tasks.sqlite").write_bytes(b"no database" * 1_000)
    store = TaskStore(tmp_path)
    assert store.find(task.id) is None
    assert store.find(store.add("b.pdf", "1" * 64).id)


def test_a_webhook_needs_a_permitted_host_and_https() -> None:
    settings = WebhookSettings(url="https://own.example/hook", hosts=("hooks.example",))
    assert check_url("https://HOOKS.example/a", settings).host == "hooks.example"
    assert check_url("https://own.example/hook", settings).port == 443
    for url in (
        "https://own.example/other",
        "http://hooks.example/",
        "https://hooks.example@evil.example/",
        "https://a:b@hooks.example/",
        "https://hooks.example.evil.example/",
        "https://hooks.example/\r\nx: y",
        "https:///",
        "ftp://hooks.example/",
    ):
        with pytest.raises(WebhookRefusedError):
            check_url(url, settings)
