"""Several drivers share one inbox, each with an outbox of its own; `export` puts the outboxes together."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from pipeline.intake.scan import Inbox
from tests.cli.conftest import Pipeline
from tests.drawing import text_pdf

FILES = 9


def put(folder: Path) -> set[str]:
    for number in range(FILES):
        path = folder / "inbox" / f"{number % 2}" / f"{number}.pdf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text_pdf([f"Note {number}"]))
        os.utime(path, (1_000_000, 1_000_000))
    return {f"{number % 2}/{number}.pdf" for number in range(FILES)}


def file_names(outbox: Path) -> list[str]:
    with (outbox / "documents.csv").open(encoding="utf-8", newline="") as file:
        return [row["file"] for row in csv.DictReader(file)]


def test_parts_of_an_inbox_are_read_each_once_and_put_together(folder: Path, pipeline: Pipeline) -> None:
    names = put(folder)
    for number in (1, 2):
        outcome = pipeline(
            "run", "--shard", f"{number}/2", "--outbox", f"out{number}", "--engine", "embedded", "--template", "transcript"
        )
        assert outcome.code == 0, outcome.err
    first, second = file_names(folder / "out1"), file_names(folder / "out2")
    assert first
    assert second
    assert sorted(first + second) == sorted(names)

    refused = pipeline("export", "--outbox", "out1", "--with", "out2")
    assert refused.code == 2
    assert "--to" in refused.err
    outcome = pipeline("export", "--outbox", "out1", "--with", "out2", "--to", "all")
    assert outcome.code == 0, outcome.err
    assert file_names(folder / "all") == sorted(names)
    assert {path.relative_to(folder / "all").as_posix() for path in (folder / "all").rglob("*.json")} == {
        f"{name}.json" for name in names
    }


def test_two_outboxes_with_the_same_result_are_not_put_together(folder: Path, pipeline: Pipeline) -> None:
    put(folder)
    for name in ("out1", "out2"):
        pipeline("run", "--limit", "1", "--outbox", name, "--engine", "embedded", "--template", "transcript")
    outcome = pipeline("export", "--outbox", "out1", "--with", "out2", "--to", "all")
    assert outcome.code == 2
    assert "0/0.pdf" in outcome.err


def test_parts_that_are_none_are_refused(folder: Path, pipeline: Pipeline) -> None:
    put(folder)
    for shard in ("3/2", "0/2", "half"):
        outcome = pipeline("run", "--shard", shard)
        assert outcome.code == 2
        assert "shard" in outcome.err


def test_every_path_belongs_to_exactly_one_part_and_to_the_same_for_ever(tmp_path: Path) -> None:
    """Another split would read everything again, into other outboxes."""
    parts = [Inbox(tmp_path, (), (number, 16)) for number in range(1, 17)]
    names = [f"{number}/scan.pdf" for number in range(1_000)]
    counts = [sum(part.is_in_shard(name) for name in names) for part in parts]
    assert sum(counts) == len(names)
    assert min(counts) > 30
    assert [number for number, part in enumerate(parts, 1) if part.is_in_shard("2024/letters/0001.pdf")] == [2]
    assert [number for number, part in enumerate(parts, 1) if part.is_in_shard(os.fsdecode(b"\xff.pdf"))] == [16]
