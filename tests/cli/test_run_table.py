"""The table at the end of a run: texts are in one line."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Pipeline
from tests.drawing import text_pdf


def test_a_transcript_is_a_line_of_words_and_leaves_the_other_columns_whole(pipeline: Pipeline, folder: Path) -> None:
    page = "A letter of many words about the weather, which goes on for a while and says nothing of importance at all"
    (folder / "letter.pdf").write_bytes(text_pdf([page, "second page"]))
    outcome = pipeline("run", folder / "letter.pdf", "--template", "transcript")
    (row,) = [line for line in outcome.out.splitlines() if line.startswith("letter.pdf")]
    assert row.split()[:3] == ["letter.pdf", "transcript", "done"]
    assert "A letter of many words" in row
    assert not any(sign in row for sign in "[]'")
