"""``pipeline forget``: results are taken back everywhere, and brought back as they were."""

from __future__ import annotations

import csv
import json
import os
import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pipeline.ledger.corrections import correction_history, record_correction
from pipeline.ledger.forgotten import document_rows
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.orders import close_order, orders_for_document, place_order
from pipeline.ledger.removal_records import Removal
from pipeline.records import Correction
from pipeline.run.undo_log import write_undo_log
from pipeline.runtime.lock import locked
from tests.cli.conftest import Outcome, Pipeline
from tests.drawing import text_pdf
from tests.run.kills import share
from tests.run.processes import Workspace
from tests.run.test_archive_changes import removal

OLD = 1_000_000_000
NAMES = ("a.pdf", "copy of b.pdf", "sub/b.pdf", "sub/c.pdf")


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / "inbox" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text_pdf([text]))
    os.utime(path, (OLD, OLD))
    return path


def rows(folder: Path, sheet: str = "documents") -> list[str]:
    with (folder / "outbox" / f"{sheet}.csv").open(encoding="utf-8", newline="") as file:
        return sorted(row["file"] for row in csv.DictReader(file))


def results(folder: Path) -> dict[str, bytes]:
    outbox = folder / "outbox"
    files = [path for path in outbox.rglob("*.json") if ".pipeline" not in path.parts]
    return {path.relative_to(outbox).as_posix().removesuffix(".json"): path.read_bytes() for path in files}


def tables(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the ledger about documents."""
    with closing(sqlite3.connect(folder / "outbox/.pipeline/ledger.sqlite")) as db:
        names = ("files", "documents", "units", "corrections", "orders", "deaths", "obsolete_results", "renamed_results")
        return {name: sorted(db.execute(f"SELECT * FROM {name}"), key=repr) for name in names}


def forget(pipeline: Pipeline, *arguments: str | Path) -> Outcome:
    return pipeline("forget", *map(str, arguments), "--yes")


def check(pipeline: Pipeline, folder: Path, *names: str) -> None:
    """Check that ledger, results, rows, `status` and `export` agree on these documents."""
    assert sorted(results(folder)) == rows(folder) == rows(folder, "transcript") == sorted(names)
    assert sum(pipeline("status", "--json").json["documents"].values()) == len(names)
    assert pipeline("export", "--format", "jsonl", "--to", "other").code == 0
    lines = (folder / "other/documents.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["document"]["path"] for line in lines] == sorted(names)


@pytest.fixture
def read(folder: Path, pipeline: Pipeline) -> Path:
    """A folder whose inbox has four documents, two of equal contents; one has a correction, a conversation and a failed page."""
    put(folder, "a.pdf", "Alpha")
    put(folder, "sub/b.pdf", "Beta and more")
    put(folder, "copy of b.pdf", "Beta and more")
    put(folder, "sub/c.pdf", "Gamma or less")
    assert pipeline("run", "--template", "transcript", "--quiet").code == 0
    with Ledger(folder / "outbox/.pipeline") as ledger:
        sha256 = next(record.sha256 for record in ledger.published_files() if record.source.name == "a.pdf")
        record_correction(
            ledger, sha256, Correction("transcript", "text", 1, ["Corrected"], False, None, "Anna", "2026-01-01T00:00:00Z")
        )
        first = place_order(ledger, "question", sha256, {"page": 1, "question": "Who?", "follows": None}, "Anna")
        close_order(ledger, first.id, {"answer": "Alpha"})
        second = place_order(ledger, "question", sha256, {"page": 1, "question": "Where?", "follows": first.id}, "Ben")
        close_order(ledger, second.id, {"answer": "here"})
    assert pipeline("run", "--template", "transcript", "--quiet").code == 0
    assert b"Corrected" in results(folder)["a.pdf"]
    return folder


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (["inbox/a.pdf"], NAMES[1:]),
        (["inbox/sub"], NAMES[:2]),
        (["inbox/sub/"], NAMES[:2]),
        (["sub/c.pdf"], NAMES[:3]),
        (["outbox/sub/c.pdf.json", "a.pdf.json"], NAMES[1:3]),
        (["outbox/sub"], NAMES[:2]),
        (["copy of b.pdf"], ("a.pdf", *NAMES[2:])),
        (["inbox"], ()),
    ],
)
def test_what_is_named_is_taken_back_and_brought_back(
    read: Path, pipeline: Pipeline, arguments: list[str], left: tuple[str, ...]
) -> None:
    before, files = tables(read), results(read)
    outcome = forget(pipeline, *arguments)
    assert outcome.code == 0, outcome.err
    check(pipeline, read, *left)
    assert all((read / "inbox" / name).exists() for name in NAMES)
    known = {row[0] for row in tables(read)["documents"]}
    assert known == {json.loads(content)["document"]["sha256"] for name, content in files.items() if name in left}
    assert pipeline("forget", "--undo").code == 0
    check(pipeline, read, *NAMES)
    assert results(read) == files
    assert tables(read) == before


def test_corrections_and_conversations_come_back_and_do_not_come_back_by_themselves(read: Path, pipeline: Pipeline) -> None:
    state = read / "outbox/.pipeline"
    with Ledger(state) as ledger:
        sha256 = next(record.sha256 for record in ledger.published_files() if record.source.name == "a.pdf")
    (read / "inbox/a.pdf").rename(read / "a.pdf")
    assert forget(pipeline, "a.pdf").code == 0
    assert pipeline("run", "--quiet").code == 0
    with Ledger(state) as ledger:
        assert correction_history(ledger, sha256) == {}
        other = next(record.sha256 for record in ledger.published_files())
        new = place_order(ledger, "question", other, {"page": 1, "question": "Another?", "follows": None}, "Carl")
        close_order(ledger, new.id, {"answer": "yes"})
    assert pipeline("forget", "--undo").code == 0
    for path in state.glob("ledger.sqlite*"):  # also when the ledger is rebuilt from the outbox and the journal
        path.write_bytes(b"no database at all" * 1000)
    assert pipeline("run", "--quiet").code == 0
    with Ledger(state) as ledger:
        assert [item.value for item in correction_history(ledger, sha256)["transcript", "text"]] == [["Corrected"]]
        questions = orders_for_document(ledger, sha256, "question")
        assert [(item.details["question"], (item.outcome or {})["answer"]) for item in questions] == [
            ("Who?", "Alpha"),
            ("Where?", "here"),
        ]
        assert questions[1].details["follows"] == questions[0].id
        (one,) = orders_for_document(ledger, other, "question")
        assert (one.outcome or {})["answer"] == "yes"


def test_what_was_exported_is_written_again(read: Path, pipeline: Pipeline) -> None:
    formats = [part for kind in ("xlsx", "sqlite", "jsonl", "parquet") for part in ("--format", kind)]
    assert pipeline("export", *formats, "--truth").code == 0
    (read / "outbox/review.html").write_text("pictures of a.pdf")

    def exported() -> list[list[str]]:
        outbox = read / "outbox"
        sheet = openpyxl.load_workbook(outbox / "documents.xlsx")["documents"]
        with closing(sqlite3.connect(outbox / "documents.sqlite")) as db:
            in_database = [row[0] for row in db.execute("SELECT file FROM documents ORDER BY file")]
        lines = (outbox / "documents.jsonl").read_text(encoding="utf-8").splitlines()
        in_lines = [json.loads(line)["document"]["path"] for line in lines]
        return [sorted(str(row[0].value) for row in sheet.iter_rows(min_row=2)), in_database, in_lines]

    assert exported() == [list(NAMES)] * 3
    assert forget(pipeline, "a.pdf").code == 0
    assert exported() == [list(NAMES[1:])] * 3
    assert not (read / "outbox/review.html").exists()
    assert not (read / "outbox/transcript.truth.jsonl").exists()
    assert forget(pipeline, "inbox").code == 0
    assert exported() == [[]] * 3
    assert not (read / "outbox/transcript.parquet").exists()
    assert pipeline("forget", "--undo").code == 0
    assert pipeline("forget", "--undo").code == 0
    assert exported() == [list(NAMES)] * 3
    assert (read / "outbox/review.html").read_text() == "pictures of a.pdf"
    assert "Corrected" in (read / "outbox/transcript.truth.jsonl").read_text(encoding="utf-8")
    assert pipeline("forget", "--undo").code == 2


def test_it_asks_first(read: Path, monkeypatch: pytest.MonkeyPatch, pipeline: Pipeline) -> None:
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: "n")
    outcome = pipeline("forget", "a.pdf")
    assert (outcome.code, "nothing was changed" in outcome.out) == (1, True)
    assert "a.pdf" in outcome.out
    assert "1 document with corrections, 1 with conversations" in outcome.out
    assert "still in the inbox" in outcome.out
    check(pipeline, read, *NAMES)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: "y")
    assert pipeline("forget", "a.pdf").code == 0
    check(pipeline, read, *NAMES[1:])


EDITED = b"what somebody has written into a result"


def kept(folder: Path) -> list[bytes]:
    """The contents of changed results that are kept beside others."""
    return [path.read_bytes() for path in (folder / "outbox").rglob("*(changed *")]


def test_a_changed_result_that_is_forgotten_is_in_the_undo_log_only(read: Path, pipeline: Pipeline) -> None:
    (read / "outbox/a.pdf.json").write_bytes(EDITED)
    assert forget(pipeline, "a.pdf").code == 0
    assert not (read / "outbox/a.pdf.json").exists()
    assert kept(read) == []
    (copy,) = (read / "outbox/.pipeline/forgotten").glob("*/results/0.json")
    assert copy.read_bytes() == EDITED


def test_a_result_that_was_changed_after_it_was_copied_is_kept(read: Path, pipeline: Pipeline) -> None:
    with Ledger(read / "outbox/.pipeline") as ledger:  # as a command does that dies then
        write_undo_log(read / "outbox", ["a.pdf"], document_rows(ledger, ["a.pdf"]))
    (read / "outbox/a.pdf.json").write_bytes(EDITED)
    assert forget(pipeline, "sub/c.pdf").code == 0
    assert not (read / "outbox/a.pdf.json").exists()
    assert kept(read) == [EDITED]


def test_a_changed_result_of_a_document_that_has_another_name_is_kept(read: Path, pipeline: Pipeline) -> None:
    (read / "outbox/old.pdf.json").write_bytes(EDITED)
    with (
        closing(sqlite3.connect(read / "outbox/.pipeline/ledger.sqlite")) as db,
        db,
    ):  # as a run leaves it that cannot remove it
        db.execute("INSERT INTO obsolete_results VALUES ('old.pdf')")
    outcome = forget(pipeline, "a.pdf")
    assert outcome.code == 0
    assert kept(read) == [EDITED]
    assert "old.pdf.json was changed by another program" in outcome.err


def test_what_cannot_be_done_changes_nothing(read: Path, pipeline: Pipeline) -> None:
    before = tables(read)
    for arguments in (["nothing.pdf"], ["a.pdf", "nothing.pdf"], [], ["--prune", "a.pdf"], ["--undo", "20260101T000000-abcd"]):
        assert forget(pipeline, *arguments).code == 2
    with locked(read / "outbox"):
        assert forget(pipeline, "a.pdf").code == 3
    assert tables(read) == before
    check(pipeline, read, *NAMES)


def test_a_document_that_was_read_again_is_replaced_by_the_undo(read: Path, pipeline: Pipeline) -> None:
    files = results(read)
    assert forget(pipeline, "a.pdf").code == 0
    assert pipeline("run", "--template", "transcript", "--quiet").code == 0
    assert b"Corrected" not in results(read)["a.pdf"]
    assert pipeline("forget", "--undo").code == 0
    check(pipeline, read, *NAMES)
    assert results(read) == files


def test_an_undo_never_takes_the_name_of_another_document(read: Path, pipeline: Pipeline) -> None:
    (read / "inbox/a.pdf").rename(read / "a.pdf")
    assert forget(pipeline, "a.pdf").code == 0
    (read / "elsewhere").mkdir()
    (read / "a.pdf").rename(read / "elsewhere/a.pdf")
    assert pipeline("run", "elsewhere/a.pdf", "--template", "transcript", "--quiet").code == 0
    before = tables(read)
    outcome = pipeline("forget", "--undo")
    assert outcome.code == 2
    assert "another document has this name" in outcome.err
    assert tables(read) == before


# ---- --prune ------------------------------------------------------------------------------------


def test_documents_that_have_vanished_are_pruned(read: Path, pipeline: Pipeline) -> None:
    (read / "inbox/a.pdf").unlink()
    (read / "inbox/sub/c.pdf").rename(read / "inbox/renamed.pdf")  # not read under its new name yet
    outcome = pipeline("forget", "--prune", "--yes", "--json")
    assert (outcome.code, outcome.json["forgotten"]) == (0, ["a.pdf"]), outcome.err
    check(pipeline, read, *NAMES[1:])
    assert pipeline("forget", "--prune", "--yes", "--json").json == {"forgotten": [], "id": None}
    assert pipeline("run", "--quiet").code == 0
    check(pipeline, read, "copy of b.pdf", "renamed.pdf", "sub/b.pdf")


@pytest.mark.parametrize("after", ["move", "delete"])
def test_files_that_the_program_took_away_have_not_vanished(folder: Path, pipeline: Pipeline, after: str) -> None:
    (folder / "pipeline.yaml").write_text(f"after: {after}\n")
    put(folder, "a.pdf", "Alpha")
    assert pipeline("run", "--template", "transcript", "--quiet").code == 0
    put(folder, "b.pdf", "Beta and more")
    assert pipeline("run", "--template", "transcript", "--quiet").code == 0
    assert not list((folder / "inbox").glob("*.pdf"))
    assert pipeline("forget", "--prune", "--yes", "--json").json["forgotten"] == []
    for path in (folder / "outbox/.pipeline").glob("ledger.sqlite*"):
        path.write_bytes(b"no database at all" * 1000)
    assert pipeline("forget", "--prune", "--yes", "--json").json["forgotten"] == []
    check(pipeline, folder, "a.pdf", "b.pdf")


@pytest.mark.parametrize("inbox", ["empty", "another", "nearly empty", "gone"])
def test_an_inbox_that_looks_unmounted_prunes_nothing(read: Path, pipeline: Pipeline, inbox: str) -> None:
    before = tables(read)
    if inbox == "nearly empty":
        for name in NAMES[:3]:
            (read / "inbox" / name).unlink()
    else:
        (read / "inbox").rename(read / "away")
    if inbox in ("empty", "another"):
        (read / "inbox").mkdir()
    if inbox == "another":
        put(read, "new.pdf", "Of another share")
    outcome = pipeline("forget", "--prune", "--yes")
    assert (outcome.code == 2) == (inbox in ("nearly empty", "gone")), outcome
    assert "mounted" in outcome.out + outcome.err or inbox == "gone"
    assert tables(read)["files"] == before["files"]
    check(pipeline, read, *NAMES)


def test_a_share_below_the_inbox_that_is_not_mounted_is_left_alone(read: Path, pipeline: Pipeline) -> None:
    put(read, "d.pdf", "Delta")
    put(read, "e.pdf", "Epsilon")
    assert pipeline("run", "--template", "transcript", "--quiet").code == 0
    (read / "inbox/sub").rename(read / "away")
    (read / "inbox/sub").mkdir()
    (read / "inbox/e.pdf").unlink()
    outcome = pipeline("forget", "--prune", "--yes", "--json")
    assert outcome.json["forgotten"] == ["e.pdf"]
    check(pipeline, read, *NAMES, "d.pdf")


# ---- files that were being moved or deleted -----------------------------------------------------


def begin(folder: Path, name: str, to: Path | None) -> Removal:
    """Leave what a run leaves that is killed when it has given a file the name of its claim."""
    begun = removal(folder / "inbox" / name, to)
    with Ledger(folder / "outbox/.pipeline") as ledger:
        ledger.begin_removals([begun])
    assert begun.claim
    begun.path.rename(begun.claim)
    return begun


@pytest.mark.parametrize("name", ["a.pdf", "sub/b.pdf"])
def test_a_file_that_was_being_deleted_stays_when_its_document_is_forgotten(read: Path, pipeline: Pipeline, name: str) -> None:
    begun = begin(read, name, None)
    content = begun.claim.read_bytes() if begun.claim else b""
    outcome = forget(pipeline, name)
    assert outcome.code == 0, outcome.err
    assert "1 file still in the inbox" in outcome.out
    assert begun.path.read_bytes() == content
    assert pipeline("run", "--template", "transcript", "--quiet").code == 0
    assert begun.path.read_bytes() == content
    check(pipeline, read, *NAMES)


def test_a_file_that_was_being_moved_is_in_the_archive_when_its_document_is_forgotten(read: Path, pipeline: Pipeline) -> None:
    (read / "archive").mkdir()
    begun = begin(read, "a.pdf", read / "archive/a.pdf")
    assert forget(pipeline, "a.pdf").code == 0
    assert (read / "archive/a.pdf").exists()
    assert not (begun.claim and begun.claim.exists())
    assert pipeline("run", "--template", "transcript", "--quiet").code == 0
    check(pipeline, read, *NAMES[1:])


@pytest.mark.parametrize("moved", [True, False])
def test_a_file_on_a_share_that_is_not_there_stays_when_its_document_is_forgotten(
    read: Path, pipeline: Pipeline, moved: bool
) -> None:
    (read / "archive").mkdir()
    begun = begin(read, "sub/b.pdf", read / "archive/b.pdf" if moved else None)
    (read / "inbox/sub").rename(read / "share")
    (read / "inbox/sub").mkdir()
    assert forget(pipeline, "sub/b.pdf").code == 0
    assert "sub/b.pdf" not in results(read)
    (read / "inbox/sub").rmdir()
    (read / "share").rename(read / "inbox/sub")
    assert pipeline("run", "--template", "transcript", "--quiet").code == 0
    assert begun.path.exists(), "a file was moved or deleted of which no result is left"
    check(pipeline, read, *NAMES)


# ---- kill -9 ------------------------------------------------------------------------------------


@pytest.mark.kills
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_kills_of_forget_and_undo(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for number in range(120):
        workspace.put(f"{'go' if number % 2 else 'stay'}/{number:03}.pdf")
    assert workspace.run("run", "--quiet")[0] == 0
    files, ledger = results(tmp_path), tables(tmp_path)
    going = {name for name in files if name.startswith("go/")}
    chance = random.Random(8)
    began = time.monotonic()
    assert workspace.run("forget", str(workspace.inbox / "go"), "--yes")[0] == 0
    seconds = time.monotonic() - began
    assert results(tmp_path).keys() == files.keys() - going
    assert workspace.run("forget", "--undo")[0] == 0
    assert (results(tmp_path), tables(tmp_path)) == (files, ledger)
    for kill in range(max(8, share(0.04))):
        arguments = [str(workspace.inbox / "go"), "--yes"] if kill % 2 == 0 else ["--undo"]
        for _ in range(2):
            process = workspace.start("forget", *arguments)
            time.sleep(chance.uniform(0.3, 1) * seconds)
            process.kill()
            process.communicate()
        code, out, err = workspace.run("forget", *arguments)
        quicker = "nothing was forgotten" in err or "no document of" in err  # than the kill
        assert code == 0 or quicker, (code, out, err)
        if kill % 2 == 0:
            assert results(tmp_path).keys() == set(rows(tmp_path)) == files.keys() - going
        else:
            assert (results(tmp_path), tables(tmp_path)) == (files, ledger)
            assert rows(tmp_path) == sorted(files)
