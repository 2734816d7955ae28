"""Passwords of attachments: tried on the message, which is fetched for that, and read with the one that is right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi")

from click.testing import CliRunner, Result
from fastapi.testclient import TestClient

from pipeline.cli.unlock import command
from pipeline.ledger.document_passwords import DocumentPasswords
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.orders import open_readings
from pipeline.monitoring.events import RunCounts
from pipeline.remote import message_store
from pipeline.run.job import all_templates, open_job
from pipeline.run.loop import Loop
from pipeline.run.unlocking import PasswordTrial
from pipeline.run.unlocking import unlock as place_unlock
from pipeline.settings import Settings
from pipeline.web.app import make_app, with_access_control
from pipeline.web.context import ServerContext, document_id
from pipeline.web.image_cache import PageImageCache
from pipeline.web.supervisor import Supervisor
from pipeline.web.task_store import TaskStore
from tests.drawing import encrypted_pdf, text_pdf
from tests.drawn_containers import locked_zip_of
from tests.mailbox.conftest import MailRuns
from tests.mailbox.dovecot import mail

WORD = "open sesame"


def locked_mails(runs: MailRuns) -> tuple[str, str]:
    """Two messages that were read: one with a PDF, one with an archive, both with a password. Returns the names of these parts."""
    archive = locked_zip_of([("x.pdf", text_pdf(["Inside"]))], WORD)
    runs.server.put(mail(1, attachment=encrypted_pdf("Sealed", WORD)), mail(2, attachment=archive), mail(3))
    runs.run()
    return tuple(name for name in runs.results() if name.endswith(("invoice-1.pdf", "invoice-2.pdf")))  # type: ignore[return-value]


def kept(runs: MailRuns) -> list[str]:
    return DocumentPasswords(runs.outbox / ".pipeline").documents()


def unlock(runs: MailRuns, monkeypatch: pytest.MonkeyPatch, *names: str, word: str = WORD) -> Result:
    """The command with the settings of these runs."""
    for key, value in runs.environment.items():
        monkeypatch.setenv(key, value)
    return CliRunner().invoke(command, list(names), input=f"{word}\n")


def test_attachments_are_unlocked_and_a_wrong_password_changes_nothing(runs: MailRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    runs.changes, runs.mailbox = {"after": "move"}, {"failed": "Unreadable"}
    monkeypatch.setenv("PIPELINE_AFTER", "move")
    monkeypatch.setenv("PIPELINE_MAILBOX__FAILED", "Unreadable")
    names = locked_mails(runs)
    before = {path: path.read_bytes() for path in runs.outbox.rglob("*.json") if ".pipeline" not in path.parts}
    assert sorted(unlock(runs, monkeypatch).stdout.splitlines()) == sorted(names)

    wrong = unlock(runs, monkeypatch, *names, word="a wrong one")
    assert wrong.exit_code == 1, wrong.output
    assert wrong.stderr.count("this password does not open it; nothing was changed") == 2
    assert before == {path: path.read_bytes() for path in runs.outbox.rglob("*.json") if ".pipeline" not in path.parts}
    assert not kept(runs)
    assert runs.server.subjects("Unreadable") == ["Invoice 1", "Invoice 2"]

    right = unlock(runs, monkeypatch, "*.eml/*")
    assert right.exit_code == 0, right.output
    assert runs.json(names[0])["status"] == runs.json(f"{names[1]}/x.pdf")["status"] == "done"
    assert len(kept(runs)) == 2
    assert (runs.server.subjects(), runs.server.subjects("Unreadable")) == ([], [])
    assert runs.server.subjects("Archive") == ["Invoice 1", "Invoice 2", "Invoice 3"]
    assert not [path for path in (runs.outbox / ".pipeline").rglob("*") if path.is_file() and path.read_bytes()[:5] == b"%PDF-"]
    assert runs.run().to_read == 0


def test_an_order_waits_for_a_run_that_reads_the_mailbox(
    runs: MailRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder and a mailbox may be read into one outbox, one after the other."""
    name, _ = locked_mails(runs)
    (tmp_path / "folder").mkdir()
    other = Settings(inbox=tmp_path / "folder", outbox=runs.outbox)
    refused = unlock(runs, monkeypatch, name, "--inbox", str(other.inbox))
    assert refused.exit_code == 1
    assert "it is in a mailbox that is not this inbox" in refused.stderr
    assert not kept(runs)

    message_store.open_mailbox.cache_clear()
    with Ledger(runs.outbox / ".pipeline") as ledger, PasswordTrial(runs.settings) as trial:
        record = ledger.file_by_name(name)
        assert record
        assert trial.opens(ledger, record, WORD)
        place_unlock(ledger, runs.settings, record, WORD, "Ada")
    with open_job(other, engine=runs.engine) as job, Loop(job, RunCounts()) as loop:
        loop.answer_questions()
    with Ledger(runs.outbox / ".pipeline") as ledger:
        assert len(open_readings(ledger, unlocking=True)) == 1, "it is neither carried out nor given up"
    runs.run()
    assert runs.json(name)["status"] == "done"


@pytest.fixture
def client(runs: MailRuns) -> Iterator[TestClient]:
    settings = runs.settings
    (runs.outbox / ".pipeline").mkdir(parents=True)
    with PageImageCache(settings) as images:
        context = ServerContext(
            settings, all_templates(settings), images, Supervisor([], runs.outbox), TaskStore(runs.outbox / ".pipeline")
        )
        app = with_access_control(make_app(context), "token", frozenset({"testserver"}), 1, 1_000_000)
        yield TestClient(app, headers={"authorization": "Bearer token"})


def test_the_api_tries_the_password_on_the_message_and_draws_the_page(runs: MailRuns, client: TestClient) -> None:
    names = locked_mails(runs)
    for name in names:
        url = f"/api/documents/{document_id(name)}/password"
        wrong = client.post(url, json={"password": "a wrong one"})
        assert (wrong.status_code, wrong.json()["detail"]) == (409, "this password does not open it; nothing was changed")
        assert json.loads((runs.outbox / f"{name}.json").read_text())["document"]["sha256"] not in kept(runs)
        assert client.post(url, json={"password": WORD}).status_code == 202
    runs.run()
    assert runs.texts() == ["Inside", "Page of mail 3", "Sealed"]
    assert client.get(f"/api/documents/{document_id(names[0])}/pages/1.webp").status_code == 200
