"""The password of a document in the browser: the field on its page, what the API answers, and where the password is not."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytest.importorskip("fastapi")

from fastapi.testclient import TestClient

from pipeline.ledger.ledger import Ledger
from pipeline.monitoring.events import RunCounts
from pipeline.run.job import all_templates, open_job
from pipeline.run.loop import Loop
from pipeline.settings import Settings
from pipeline.web.app import make_app, with_access_control
from pipeline.web.context import ServerContext, document_id
from pipeline.web.image_cache import PageImageCache
from pipeline.web.supervisor import Supervisor
from pipeline.web.task_store import TaskStore
from tests.drawing import encrypted_pdf, text_pdf
from tests.drawn_containers import locked_zip_of, mail
from tests.run.conftest import RunFolders

WORD = "open sesame"
PDF, ARCHIVE, OPEN = (document_id(name) for name in ("a.pdf", "m.eml/b.zip", "c.pdf"))


@pytest.fixture
def folders(tmp_path: Path) -> RunFolders:
    (tmp_path / "inbox").mkdir()
    folders = RunFolders(tmp_path / "inbox", tmp_path / "outbox")
    folders.put("a.pdf", encrypted_pdf("Sealed", WORD))
    folders.put("m.eml", mail([("b.zip", locked_zip_of([("x.pdf", text_pdf(["Inside"]))], WORD))], text=None))
    folders.put("c.pdf", text_pdf(["Open"]))
    folders.run()
    return folders


@pytest.fixture
def client(folders: RunFolders) -> Iterator[TestClient]:
    settings = Settings(inbox=folders.inbox, outbox=folders.outbox, workers=1)
    with PageImageCache(settings) as images:
        context = ServerContext(
            settings, all_templates(settings), images, Supervisor([], folders.outbox), TaskStore(folders.outbox / ".pipeline")
        )
        app = with_access_control(make_app(context), "token", frozenset({"testserver"}), 1, 1_000_000)
        yield TestClient(app, headers={"authorization": "Bearer token"})


def test_the_password_of_a_document_and_of_an_archive_in_a_mail(
    folders: RunFolders, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for document in (PDF, ARCHIVE):
        assert client.get(f"/api/documents/{document}/view").json()["lock"] is not None, "a field for the password is shown"
        assert "pipeline unlock" in client.get(f"/documents/{document}").text
    assert client.get(f"/api/documents/{OPEN}/view").json()["lock"] is None
    inside = client.get(f"/api/documents/{document_id('m.eml')}/view").json()["locked"]
    assert inside == [{"id": ARCHIVE, "file": "m.eml/b.zip"}]

    wrong = client.post(f"/api/documents/{PDF}/password", json={"password": "a wrong one"})
    assert (wrong.status_code, wrong.json()["detail"]) == (409, "this password does not open it; nothing was changed")
    in_french = client.post(
        f"/api/documents/{PDF}/password", json={"password": "a wrong one"}, headers={"accept-language": "fr"}
    )
    assert in_french.json()["detail"] == "ce mot de passe ne l'ouvre pas ; rien n'a changé"
    pages = client.get(f"/api/documents/{PDF}/view", headers={"accept-language": "nl"}).json()
    assert pages["detail"] == "het bestand is versleuteld; `pipeline unlock` neemt het wachtwoord aan"
    assert not (folders.outbox / ".pipeline" / "passwords").exists()
    assert client.post(f"/api/documents/{OPEN}/password", json={"password": WORD}).status_code == 409

    answers = [client.post(f"/api/documents/{item}/password", json={"password": WORD, "by": "Ada"}) for item in (PDF, ARCHIVE)]
    assert [answer.status_code for answer in answers] == [202, 202]
    number = answers[0].json()["id"]
    told = [
        client.get(f"/api/orders/{number}").text,
        client.get(f"/api/documents/{PDF}/view").text,
        *(item.text for item in answers),
    ]
    assert client.get(f"/api/documents/{PDF}/view").json()["reread"] == {"error": ""}, "it is being read"
    listed = {item["file"]: item for item in client.get("/api/documents").json()["documents"]}
    assert (listed["a.pdf"]["status"], listed["a.pdf"]["reason"]) == ("waiting", None), "the list asks for no password any more"
    assert not [text for text in [*told, caplog.text] if WORD in text or "a wrong one" in text]

    settings = Settings(inbox=folders.inbox, outbox=folders.outbox, workers=1)
    with open_job(settings, engine=folders.engine) as job, Loop(job, RunCounts()) as loop:
        loop.answer_questions()
        loop.publisher.tidy()
    assert (folders.texts("a.pdf"), folders.texts("m.eml/b.zip/x.pdf")) == (["Sealed"], ["Inside"])
    assert client.get(f"/api/documents/{PDF}/view").json()["lock"] is None
    assert client.get(f"/api/documents/{PDF}/pages/1.webp").status_code == 200, "its page is drawn with the password"
    with Ledger(folders.outbox / ".pipeline") as ledger:
        outcomes = [row["outcome"] for row in ledger.rows("SELECT outcome FROM orders")]
    assert all('"done"' in outcome for outcome in outcomes), outcomes


def test_strangers_and_other_sites_give_no_password_and_mistakes_do_not_repeat_it(client: TestClient) -> None:
    url = f"/api/documents/{PDF}/password"
    assert client.post(url, json={"password": WORD}, headers={"authorization": ""}).status_code == 401
    assert client.post(url, json={"password": WORD}, headers={"origin": "http://evil.example"}).status_code == 403
    browser = TestClient(client.app, headers={"cookie": "pipeline_1=token"})
    assert browser.post(url, json={"password": WORD}).status_code == 403, "a change by cookie needs the header Origin"
    for body in ({"password": WORD, "other": 1}, {"password": [WORD]}, {"word": WORD}, {"password": WORD + "\n"}):
        refused = client.post(url, json=body)
        assert refused.status_code in (400, 422)
        assert WORD not in refused.text
    assert client.post(url, data={"password": WORD}).status_code == 422


def test_many_requests_to_unlock_leave_threads_for_others(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    released, refused = threading.Event(), threading.Event()

    def opens(*_: object) -> bool:
        assert released.wait(60)
        return False

    monkeypatch.setattr("pipeline.run.unlocking.PasswordTrial.opens", opens)

    def give(_: int) -> int:
        answer = client.post(f"/api/documents/{PDF}/password", json={"password": WORD})
        if answer.status_code == 429:
            assert answer.headers["retry-after"]
            refused.set()
        return answer.status_code

    with client, ThreadPoolExecutor(50) as pool:  # more than the server has threads
        given = [pool.submit(give, n) for n in range(50)]
        try:
            assert refused.wait(30)
            assert pool.submit(client.get, "/api/status").result(30).status_code == 200
        finally:
            released.set()
        statuses = [item.result() for item in given]
    assert set(statuses) == {409, 429}
    assert statuses.count(409) < 10
