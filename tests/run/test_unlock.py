"""Documents whose password is given after they were read: by an order in the ledger, for every kind, wherever the file is then."""

from __future__ import annotations

import errno
import io
import json
import os
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from msoffcrypto.format.ooxml import OOXMLFile

from pipeline.ledger.document_passwords import DocumentPasswords
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.orders import open_readings
from pipeline.monitoring.events import RunCounts
from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from pipeline.run.unlocking import PasswordTrial, is_locked, unlock
from pipeline.settings import Settings
from tests.drawing import encrypted_pdf, text_pdf
from tests.drawn_containers import locked_zip_of, mail, seven_zip_of, zip_of
from tests.office_files import docx, word_paragraph
from tests.run.conftest import RunFolders

WORD = "open sesame"


def locked_docx(text: str) -> bytes:
    out = io.BytesIO()
    plain = docx(
        word_paragraph(text), {"word/media/noise.bin": random.Random(1).randbytes(8_000)}
    )  # msoffcrypto writes no small files
    OOXMLFile(io.BytesIO(plain)).encrypt(WORD, out)
    return out.getvalue()


def settings_of(folders: RunFolders) -> Settings:
    return Settings(inbox=folders.inbox, outbox=folders.outbox, workers=1, **folders.changes)


@contextmanager
def ledger_of(folders: RunFolders) -> Iterator[Ledger]:
    with Ledger(folders.outbox / ".pipeline") as ledger:
        yield ledger


def give(folders: RunFolders, *names: str, word: str = WORD) -> list[str]:
    """Give the password of documents; returns what it opens."""
    opened = []
    with ledger_of(folders) as ledger, PasswordTrial(settings_of(folders)) as trial:
        for name in names:
            record = ledger.file_by_name(name)
            assert record
            assert is_locked(ledger, record)
            if trial.opens(ledger, record, word):
                unlock(ledger, settings_of(folders), record, word, "Ada")
                opened.append(name)
    return opened


def carry_out(folders: RunFolders) -> RunCounts:
    """What a process does that is at work on the outbox."""
    counts = RunCounts()
    with (
        open_job(settings_of(folders), engine=folders.engine) as job,
        Loop(job, counts, archive_files=True) as loop,
    ):
        loop.answer_questions()
        loop.publisher.tidy()
    return counts


def statuses(folders: RunFolders) -> dict[str, str]:
    return {row["file"]: row["status"] for row in folders.csv("documents")}


def test_every_kind_is_read_with_its_password_and_a_wrong_one_changes_nothing(folders: RunFolders) -> None:
    folders.put("a.pdf", encrypted_pdf("Sealed page", WORD))
    folders.put("b.docx", locked_docx("Sealed letter"))
    folders.put("c.zip", locked_zip_of([("one.pdf", text_pdf(["First"])), ("two.pdf", text_pdf(["Second"]))], WORD))
    folders.put("d.zip", zip_of([("open.pdf", text_pdf(["Open"]))]))
    inner = zip_of([("deep.pdf", encrypted_pdf("Deep", WORD))])
    folders.put(
        "e.eml", mail([("f.zip", locked_zip_of([("g.pdf", text_pdf(["Old cipher"]))], WORD, aes=False)), ("i.zip", inner)])
    )
    folders.run()
    before = {path: path.read_bytes() for path in folders.outbox.rglob("*.json") if ".pipeline" not in path.parts}
    locked = ["a.pdf", "b.docx", "c.zip", "e.eml/f.zip", "e.eml/i.zip/deep.pdf"]
    assert {name for name, status in statuses(folders).items() if status == "failed"} >= set(locked)

    assert give(folders, *locked, word="wrong") == []
    assert carry_out(folders).documents.total() == 0
    assert before == {path: path.read_bytes() for path in folders.outbox.rglob("*.json") if ".pipeline" not in path.parts}
    assert not (folders.outbox / ".pipeline" / "passwords").exists()

    folders.engine.units.clear()
    assert give(folders, *locked) == locked
    carry_out(folders)
    assert folders.texts("a.pdf") == ["Sealed page"]
    assert folders.texts("b.docx") == ["Sealed letter"]
    assert folders.texts("c.zip/one.pdf") == ["First"]
    assert folders.texts("e.eml/f.zip/g.pdf") == ["Old cipher"]
    assert folders.texts("e.eml/i.zip/deep.pdf") == ["Deep"]
    assert set(statuses(folders).values()) == {"done"}
    assert len(folders.engine.units) == 6, "what was read is not read again"
    with ledger_of(folders) as ledger:
        assert open_readings(ledger, unlocking=True) == []
        outcomes = {row["outcome"] for row in ledger.rows("SELECT outcome FROM orders")}
    assert outcomes == {'{"status": "done", "reason": null}'}


def test_the_password_is_nowhere_in_the_clear_and_only_for_its_owner(folders: RunFolders) -> None:
    folders.put("a.pdf", encrypted_pdf("Sealed page", WORD))
    folders.run()
    assert give(folders, "a.pdf")
    carry_out(folders)
    state = folders.outbox / ".pipeline"
    for path in folders.outbox.rglob("*"):
        if path.is_file():
            assert WORD.encode() not in path.read_bytes(), path
    kept = list((state / "passwords").iterdir())
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    assert (state / "passwords").stat().st_mode & 0o777 == 0o700

    passwords = DocumentPasswords(state)
    (sha256,) = passwords.documents()
    assert passwords.of(sha256) == (WORD,)
    other = sha256[::-1]
    os.link(state / "passwords" / sha256, state / "passwords" / other)
    assert passwords.of(other) == (), "it is of use for no other document"
    (state / "passwords" / "key").write_bytes(bytes(32))
    assert passwords.of(sha256) == (), "another key opens nothing, and nothing is raised"


@pytest.mark.parametrize("kind", ["pdf", "container"])
def test_a_file_in_the_folder_of_failed_files_is_read_there_and_goes_to_the_archive(folders: RunFolders, kind: str) -> None:
    failed, archive = folders.inbox.parent / "failed", folders.inbox.parent / "archive"
    folders.changes = {"after": "move", "failed": failed, "archive": archive}
    name = "a.pdf" if kind == "pdf" else "a.eml"
    part = name if kind == "pdf" else "a.eml/x.pdf"
    sealed = encrypted_pdf("Sealed", WORD)
    folders.put(name, sealed if kind == "pdf" else mail([("x.pdf", sealed)]))
    folders.run()
    assert (failed / name).exists()
    reason = next(failed.glob("*.reason.txt")).read_text()
    if kind == "pdf":
        assert "pipeline unlock a.pdf" in reason
    assert give(folders, part)
    carry_out(folders)
    assert folders.texts(part) == ["Sealed"]
    assert [path.name for path in failed.rglob("*") if path.is_file()] == []
    assert len([path for path in archive.rglob("*") if path.is_file()]) == 1
    again = folders.run()
    assert again.documents.total() == 0


def test_an_order_outlives_the_process_that_dies_over_it(folders: RunFolders, monkeypatch: pytest.MonkeyPatch) -> None:
    folders.put("a.pdf", encrypted_pdf("Sealed", WORD))
    folders.run()
    assert give(folders, "a.pdf")

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "_publish", dies)
        with pytest.raises(KeyboardInterrupt):
            carry_out(folders)
    assert statuses(folders) == {"a.pdf": "failed"}
    carry_out(folders)
    assert folders.texts("a.pdf") == ["Sealed"]


def test_a_run_carries_the_order_out_and_reading_again_needs_no_new_password(folders: RunFolders) -> None:
    folders.put("a.zip", seven_zip_of([("x.pdf", text_pdf(["Seven"]))], WORD))
    folders.run()
    assert give(folders, "a.zip")
    folders.put("b.pdf", text_pdf(["New"]))
    folders.run()
    assert (folders.texts("a.zip/x.pdf"), folders.texts("b.pdf")) == (["Seven"], ["New"])
    with ledger_of(folders) as ledger:
        ledger.mark_for_rereading(ledger.files_by_path().values())
    folders.engine.units.clear()
    folders.run()
    assert len(folders.engine.units) == 2
    assert statuses(folders)["a.zip/x.pdf"] == "done"


def test_a_file_that_is_gone_ends_its_order_with_what_to_do(folders: RunFolders) -> None:
    path = folders.put("a.pdf", encrypted_pdf("Sealed", WORD))
    folders.run()
    assert give(folders, "a.pdf")
    path.unlink()
    carry_out(folders)
    with ledger_of(folders) as ledger:
        outcome = next(iter(ledger.rows("SELECT outcome FROM orders")))["outcome"]
    assert "put it into the inbox again" in json.loads(outcome)["error"]


def test_passwords_that_are_given_at_once_are_all_kept_also_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object, **__: object) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(os, "link", no_links)
    words, start = [f"password {n}" for n in range(16)], threading.Barrier(16)

    def add(word: str) -> None:
        passwords = DocumentPasswords(tmp_path)
        start.wait()
        passwords.add("0" * 64, word)

    with ThreadPoolExecutor(len(words)) as pool:
        list(pool.map(add, words))
    assert sorted(DocumentPasswords(tmp_path).of("0" * 64)) == sorted(words)
