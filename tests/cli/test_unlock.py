"""``pipeline unlock``: what it takes, what it refuses, and that the process which is at work reads what it unlocks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline.cli.commands import cli
from pipeline.cli.unlock import command
from pipeline.ledger.document_passwords import DocumentPasswords
from pipeline.monitoring.events import RunCounts
from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from pipeline.settings import Settings
from tests.drawing import encrypted_pdf, text_pdf
from tests.drawn_containers import locked_zip_of, mail
from tests.run.conftest import RunFolders

WORD = "open sesame"


@pytest.fixture
def folders(tmp_path: Path) -> RunFolders:
    (tmp_path / "inbox").mkdir()
    return RunFolders(tmp_path / "inbox", tmp_path / "outbox")


def unlock(folders: RunFolders, *arguments: str, word: str = WORD, options: Sequence[str] = ()) -> Result:
    base = ["--inbox", str(folders.inbox), "--outbox", str(folders.outbox)]
    return CliRunner().invoke(command, [*arguments, *base, *options], input=f"{word}\n")


def test_a_pattern_a_part_and_a_wrong_password_while_another_process_is_at_work(
    folders: RunFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders.put("bank/1.pdf", encrypted_pdf("One", WORD))
    folders.put("bank/2.pdf", encrypted_pdf("Two", WORD))
    folders.put("bank/3.pdf", encrypted_pdf("Three", "another"))
    folders.put("m.eml", mail([("s.zip", locked_zip_of([("x.pdf", text_pdf(["Inside"]))], WORD))], text=None))
    folders.run()
    assert unlock(folders).stdout.split() == ["bank/1.pdf", "bank/2.pdf", "bank/3.pdf", "m.eml/s.zip"]

    settings = Settings(inbox=folders.inbox, outbox=folders.outbox, workers=1)
    with open_job(settings, engine=folders.engine) as job, Loop(job, RunCounts()) as loop:
        given = unlock(folders, "bank/*.pdf", "m.eml/s.zip/x.pdf", "m.eml")
        assert given.exit_code == 1, given.output
        assert "not unlocked: bank/3.pdf: this password does not open it; nothing was changed" in given.stderr
        assert "unlocked: bank/1.pdf, bank/2.pdf, m.eml/s.zip" in given.stdout
        monkeypatch.setenv("OTHER", "another")
        given = unlock(folders, str(folders.inbox / "bank" / "3.pdf"), "--password-env", "OTHER", word="")
        assert given.exit_code == 0, given.output
        loop.answer_questions()
        loop.publisher.tidy()
    texts = [folders.texts(name) for name in ("bank/1.pdf", "bank/2.pdf", "bank/3.pdf", "m.eml/s.zip/x.pdf")]
    assert texts == [["One"], ["Two"], ["Three"], ["Inside"]]
    assert "no document lacks a password" in unlock(folders).stdout
    assert len(DocumentPasswords(folders.outbox / ".pipeline").documents()) == 4

    assert "passwords of 1 document are deleted" in unlock(folders, "bank/1.pdf", "--remove").stdout
    assert len(DocumentPasswords(folders.outbox / ".pipeline").documents()) == 3


def test_what_is_no_locked_document_and_no_password_is_refused(folders: RunFolders) -> None:
    folders.put("a.pdf", encrypted_pdf("Sealed", WORD))
    folders.put("open.pdf", text_pdf(["Open"]))
    folders.run()

    def message(*arguments: str, word: str = WORD) -> str:
        result = unlock(folders, *arguments, word=word)
        assert result.exit_code != 0
        return str(result.exception)

    assert "needs no password" in message("open.pdf")
    assert "no document that was read" in message("absent.pdf")
    assert "there is no password" in message("a.pdf", word="")
    assert "this variable is not set" in message("a.pdf", "--password-env", "NOT_THERE")
    assert "--password " not in CliRunner().invoke(cli, ["unlock", "--help"]).output, "others see the arguments of a command"
    assert not (folders.outbox / ".pipeline" / "passwords").exists()


def test_json_says_what_was_unlocked_although_it_cannot_be_read(folders: RunFolders) -> None:
    folders.put("a.zip", locked_zip_of([("broken.pdf", b"%PDF-1.7 nothing else")], WORD))
    folders.run()
    given = unlock(folders, "a.zip", options=["--json", "--engine", "embedded"])
    assert given.exit_code == 1, given.output
    assert json.loads(given.stdout) == {"unlocked": ["a.zip"], "refused": {}, "read_by_other_run": False}
