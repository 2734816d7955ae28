"""Renamed objects and forgotten documents, where inbox and outbox lie in a store: old results go there, too."""

from __future__ import annotations

import pytest

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
