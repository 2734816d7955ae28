"""A ledger that was rebuilt from the outbox recognises what was read by path and from archives."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Pipeline
from tests.drawing import text_pdf


def rows(folder: Path) -> list[str]:
    with (folder / "outbox/documents.csv").open(encoding="utf-8", newline="") as file:
        return sorted(row["file"] for row in csv.DictReader(file))


def text(folder: Path, name: str) -> list[str]:
    published = json.loads((folder / f"outbox/{name}.json").read_text(encoding="utf-8"))
    return list(published["results"]["transcript"]["fields"]["text"]["value"])


def damage(folder: Path) -> None:
    for path in (folder / "outbox/.pipeline").glob("ledger.sqlite*"):
        path.write_bytes(b"no database at all" * 1000)


def read(pipeline: Pipeline, *paths: Path, command: str = "run") -> None:
    outcome = pipeline(command, *paths, "--template", "transcript", "--quiet")
    assert outcome.code == 0, outcome.err


def read_both(pipeline: Pipeline, elsewhere: Path) -> None:
    read(pipeline, elsewhere / "a.pdf")
    read(pipeline, elsewhere / "post.zip", command="reprocess")


@pytest.fixture
def elsewhere(folder: Path) -> Path:
    """A folder outside of the inbox, with a document and an archive."""
    (folder / "inbox").mkdir()
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere/a.pdf").write_bytes(text_pdf(["Read by path"]))
    with zipfile.ZipFile(folder / "elsewhere/post.zip", "w") as archive:
        archive.writestr("b.pdf", text_pdf(["Packed"]))
        archive.writestr("in/c.pdf", text_pdf(["Packed in a folder"]))
    return folder / "elsewhere"


MEMBERS = ["post.zip/b.pdf", "post.zip/in/c.pdf"]


def test_what_was_read_by_path_and_from_an_archive_is_recognised(folder: Path, elsewhere: Path, pipeline: Pipeline) -> None:
    read_both(pipeline, elsewhere)
    assert rows(folder) == ["a.pdf", "post.zip", *MEMBERS]
    damage(folder)
    read_both(pipeline, elsewhere)
    assert rows(folder) == ["a.pdf", "post.zip", *MEMBERS]
    read_both(pipeline, elsewhere)
    assert rows(folder) == ["a.pdf", "post.zip", *MEMBERS]


@pytest.mark.parametrize("after", ["keep", "move", "delete"])
def test_a_file_of_the_inbox_with_the_name_of_one_that_was_read_by_path(
    folder: Path, elsewhere: Path, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    monkeypatch.setenv("PIPELINE_AFTER", after)
    read(pipeline, elsewhere / "a.pdf")
    damage(folder)
    (folder / "inbox/a.pdf").write_bytes(text_pdf(["Of the inbox"]))
    read(pipeline)
    assert text(folder, "a.pdf") == ["Read by path"], "the result of another document is overwritten"
    assert text(folder, "a.pdf~2") == ["Of the inbox"]
    read(pipeline, elsewhere / "a.pdf")
    read(pipeline)
    assert rows(folder) == ["a.pdf", "a.pdf~2"]
    assert text(folder, "a.pdf") == ["Read by path"]


def test_a_renamed_file_does_not_replace_the_result_of_one_that_was_read_by_path(
    folder: Path, elsewhere: Path, pipeline: Pipeline
) -> None:
    read(pipeline, elsewhere / "a.pdf")
    damage(folder)
    other = folder / "inbox/other.pdf"
    other.write_bytes(text_pdf(["Of the inbox"]))
    read(pipeline)
    other.rename(folder / "inbox/a.pdf")
    read(pipeline)
    assert text(folder, "a.pdf") == ["Read by path"]
    assert rows(folder) == ["a.pdf", "a.pdf~2"]
    assert text(folder, "a.pdf~2") == ["Of the inbox"]


def test_two_files_of_one_name_and_of_equal_contents_stay_two_documents(
    folder: Path, elsewhere: Path, pipeline: Pipeline
) -> None:
    (folder / "inbox/a.pdf").write_bytes((elsewhere / "a.pdf").read_bytes())
    read(pipeline)
    read(pipeline, elsewhere / "a.pdf")
    assert rows(folder) == ["a.pdf", "a.pdf~2"]
    damage(folder)
    read(pipeline, elsewhere / "a.pdf")
    read(pipeline)
    read(pipeline, elsewhere / "a.pdf")
    assert rows(folder) == ["a.pdf", "a.pdf~2"]


def test_a_changed_file_replaces_its_result(folder: Path, elsewhere: Path, pipeline: Pipeline) -> None:
    (folder / "inbox/sub").mkdir()
    for name in ("b.pdf", "sub/c.pdf"):
        (folder / "inbox" / name).write_bytes(text_pdf([f"First {name}"]))
    read(pipeline)
    read(pipeline, elsewhere / "a.pdf")
    assert pipeline("export", "--format", "json").code == 0  # it writes the results anew
    damage(folder)
    (elsewhere / "a.pdf").write_bytes(text_pdf(["Changed a.pdf"]))
    for name in ("b.pdf", "sub/c.pdf"):
        (folder / "inbox" / name).write_bytes(text_pdf([f"Changed {name}"]))
    read(pipeline)
    read(pipeline, elsewhere / "a.pdf")
    assert rows(folder) == ["a.pdf", "b.pdf", "sub/c.pdf"]
    assert [text(folder, name) for name in rows(folder)] == [["Changed a.pdf"], ["Changed b.pdf"], ["Changed sub/c.pdf"]]


def test_a_file_that_was_renamed_over_another_replaces_its_result(folder: Path, elsewhere: Path, pipeline: Pipeline) -> None:
    del elsewhere
    (folder / "inbox/a.pdf").write_bytes(text_pdf(["First"]))
    (folder / "inbox/b.pdf").write_bytes(text_pdf(["Another"]))
    read(pipeline)
    damage(folder)
    (folder / "inbox/b.pdf").rename(folder / "inbox/a.pdf")
    read(pipeline)
    assert rows(folder) == ["a.pdf"]
    assert text(folder, "a.pdf") == ["Another"]


@pytest.mark.parametrize("before", ["keep", "move", "delete"])
def test_where_it_is_not_known_whether_a_file_is_a_new_version_it_is_said(
    folder: Path, elsewhere: Path, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    del elsewhere
    (folder / "inbox/a.pdf").write_bytes(text_pdf(["First"]))
    monkeypatch.setenv("PIPELINE_AFTER", before)
    read(pipeline)
    damage(folder)
    monkeypatch.setenv("PIPELINE_AFTER", "delete" if before == "keep" else "keep")
    (folder / "inbox/a.pdf").write_bytes(text_pdf(["Second"]))
    outcome = pipeline("run", "--template", "transcript", "--quiet")
    assert outcome.code == 0
    assert rows(folder) == ["a.pdf", "a.pdf~2"]
    assert text(folder, "a.pdf") == ["First"], "the result of a document that may be another one is overwritten"
    assert "a.pdf~2.json" in outcome.err
    assert "pipeline forget a.pdf" in outcome.err


def test_a_namesake_of_an_archived_file_does_not_replace_its_result(
    folder: Path, elsewhere: Path, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    del elsewhere
    path = folder / "inbox/a.pdf"
    path.write_bytes(text_pdf(["First"]))
    for after in ("keep", "move", "keep"):
        monkeypatch.setenv("PIPELINE_AFTER", after)
        read(pipeline)
    assert not path.exists()
    damage(folder)
    path.write_bytes(text_pdf(["Second"]))
    read(pipeline)
    assert [text(folder, name) for name in rows(folder)] == [["First"], ["Second"]]
