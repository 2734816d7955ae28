"""Questions of requests: they are kept while they are used, and freed for new ones after a time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.errors import TemplateError
from pipeline.run import request_questions
from pipeline.run.inline_templates import UNUSED_SECONDS
from pipeline.run.job import open_job
from pipeline.run.request_questions import FOLDER, record_question
from pipeline.settings import Settings
from tests.drawing import text_pdf
from tests.run.conftest import RunFolders


def test_the_longest_unused_question_makes_room_and_its_results_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_questions, "MAX_QUESTIONS", 2)
    folders = RunFolders(tmp_path / "inbox", tmp_path / "outbox")
    folders.inbox.mkdir()
    settings = Settings(inbox=folders.inbox, outbox=folders.outbox, workers=1)
    with open_job(settings, engine=folders.engine) as job:
        first = record_question(job.ledger, folders.inbox, "Who sent it?").name
        record_question(job.ledger, folders.inbox, "When was it sent?")
        with pytest.raises(TemplateError, match="different questions"):
            record_question(job.ledger, folders.inbox, "Where was it sent?")
        record_question(job.ledger, folders.inbox, "Who sent it?")  # known ones need no room
    folders.put(f"{first}/a.pdf", text_pdf(["Sent by Harrow Lane"]))
    folders.run(template=None)
    result = (folders.outbox / first / "a.pdf.json").read_bytes()
    state = folders.outbox / ".pipeline" / FOLDER
    for path in state.iterdir():
        old = path.stat().st_mtime - UNUSED_SECONDS - (100 if path.name == first else 60)
        os.utime(path, (old, old))
    with open_job(settings, engine=folders.engine) as job:
        record_question(job.ledger, folders.inbox, "Where was it sent?")
        assert job.ledger.questions()
        assert "Who sent it?" not in job.ledger.questions()
    counts = folders.run(template=None)
    assert not counts.documents, "its documents are not read again"
    assert (folders.outbox / first / "a.pdf.json").read_bytes() == result


def test_a_question_with_a_document_that_waits_is_not_freed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_questions, "MAX_QUESTIONS", 1)
    folders = RunFolders(tmp_path / "inbox", tmp_path / "outbox")
    folders.inbox.mkdir()
    with open_job(Settings(inbox=folders.inbox, outbox=folders.outbox), engine=folders.engine) as job:
        name = record_question(job.ledger, folders.inbox, "Who sent it?").name
        folders.put(f"{name}/a.pdf", text_pdf(["It waits"]))
        os.utime(folders.outbox / ".pipeline" / FOLDER / name, (1, 1))
        with pytest.raises(TemplateError):
            record_question(job.ledger, folders.inbox, "When?")
