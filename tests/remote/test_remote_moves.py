"""Renamed objects and forgotten documents, where inbox and outbox lie in a store: old results go there, too."""

from __future__ import annotations

import pytest

from pipeline.ledger.removal_records import Removal, RemovalPlace
from pipeline.object_urls import local_path
from pipeline.run.job import open_job
from tests.drawing import text_pdf
from tests.remote.conftest import BUCKET, BucketRuns
from tests.run.conftest import EchoEngine


def rename(runs: BucketRuns, old: str, new: str) -> None:
    """Copy an object and delete it, as stores rename."""
    runs.s3.copy_object(Bucket=BUCKET, Key=f"in/{new}", CopySource=f"{BUCKET}/in/{old}")
    runs.s3.delete_object(Bucket=BUCKET, Key=f"in/{old}")


@pytest.mark.slow
def test_a_renamed_object_keeps_its_document_also_on_another_machine(runs: BucketRuns) -> None:
    for name in ("a.pdf", "march/b.pdf", "march/c.pdf"):
        runs.put(name)
    runs.run()
    rename(runs, "a.pdf", "x.pdf")
    runs.machine("second")
    rename(runs, "march/b.pdf", "april/b.pdf")
    runs.engine = EchoEngine()
    runs.run()
    assert runs.engine.units == []
    names = ["april/b.pdf", "march/c.pdf", "x.pdf"]
    assert runs.keys("out/") == sorted([*(f"{name}.json" for name in names), "documents.csv", "transcript.csv"])
    assert sorted(row["file"] for row in runs.rows("documents")) == names
    assert runs.json("x.pdf")["document"]["path"] == "x.pdf"
    assert runs.texts("x.pdf") == ["a.pdf"]


@pytest.mark.slow
def test_forgotten_documents_leave_the_store_and_come_back(runs: BucketRuns) -> None:
    for name in ("a.pdf", "march/b.pdf", "march/c.pdf"):
        runs.put(name)
    runs.run()
    before = runs.keys("out/")
    ended = runs.command("forget", *runs.places, f"{runs.inbox}/march", "--yes")
    assert ended.returncode == 0, ended.stderr
    assert runs.keys("out/") == ["a.pdf.json", "documents.csv", "transcript.csv"]
    assert [row["file"] for row in runs.rows("documents")] == ["a.pdf"]
    ended = runs.command("forget", *runs.places, "--undo")
    assert ended.returncode == 0, ended.stderr
    assert runs.keys("out/") == before
    assert len(runs.rows("transcript")) == 3
    runs.s3.delete_object(Bucket=BUCKET, Key="in/a.pdf")
    ended = runs.command("forget", *runs.places, "--prune", "--yes")
    assert ended.returncode == 0, ended.stderr
    assert [row["file"] for row in runs.rows("documents")] == ["march/b.pdf", "march/c.pdf"]


def begin(runs: BucketRuns, *, moved: bool) -> None:
    """Leave what a run leaves that is killed when it has recorded the removal of ``a.pdf``."""
    with open_job(runs.settings, engine=runs.engine) as job:
        assert job.objects
        record = next(record for record in job.ledger.published_files() if record.source.name == "a.pdf")
        target = local_path(job.objects.root, f"s3://{BUCKET}/archive/2026-01-01/a.pdf") if moved else None
        place: RemovalPlace = "archive" if moved else "deleted"
        identity = (record.size, record.mtime_ns, record.sha256)
        job.ledger.begin_removals([Removal(record.source.path, place, target, None, 0, 0, 0, *identity)])


def outcome(runs: BucketRuns) -> tuple[str, int]:
    """The place of ``a.pdf`` in the ledger, and the number of open removals."""
    with open_job(runs.settings, engine=runs.engine) as job:
        return next(record.place for record in job.ledger.published_files() if record.source.name == "a.pdf"), len(
            job.ledger.open_removals()
        )


@pytest.mark.parametrize("moved", [True, False])
def test_objects_that_are_not_listed_are_neither_moved_nor_deleted(runs: BucketRuns, moved: bool) -> None:
    """A store that lists nothing may be another one."""
    for key in ("a.pdf", "b.pdf"):
        runs.put(key)
    runs.run()
    begin(runs, moved=moved)
    for key in ("a.pdf", "b.pdf"):
        runs.s3.delete_object(Bucket=BUCKET, Key=f"in/{key}")
    runs.run()
    assert outcome(runs) == ("original", 1)
    for key in ("a.pdf", "b.pdf"):
        runs.put(key)
    runs.run()
    assert outcome(runs) == ("original", 0)
    assert sorted(row["file"] for row in runs.rows("documents")) == ["a.pdf", "b.pdf"]


@pytest.mark.parametrize("moved", [True, False])
def test_objects_that_were_moved_or_deleted_before_a_crash(runs: BucketRuns, moved: bool) -> None:
    for key in ("a.pdf", "b.pdf"):
        runs.put(key)
    runs.run()
    begin(runs, moved=moved)
    if moved:
        runs.s3.copy_object(Bucket=BUCKET, Key="archive/2026-01-01/a.pdf", CopySource=f"{BUCKET}/in/a.pdf")
    runs.s3.delete_object(Bucket=BUCKET, Key="in/a.pdf")
    runs.run()
    assert outcome(runs) == ("archive" if moved else "deleted", 0)


def test_an_object_that_takes_the_place_of_one_that_may_have_left_has_a_result_of_its_own(runs: BucketRuns) -> None:
    runs.put("a.pdf")
    runs.run()
    begin(runs, moved=False)
    runs.s3.delete_object(Bucket=BUCKET, Key="in/a.pdf")
    runs.run()
    runs.put("a.pdf", text_pdf(["Another one"]))
    runs.run()
    assert (runs.texts("a.pdf"), runs.texts("a.pdf~2")) == (["a.pdf"], ["Another one"])
    assert sorted(row["file"] for row in runs.rows("documents")) == ["a.pdf", "a.pdf~2"]
