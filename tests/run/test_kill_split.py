"""``kill -9`` while stacks are split and split in another way: every document is published once, and none of an earlier split is left."""

from __future__ import annotations

import csv
import json
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from pipeline.checks.split.page_list import parse_split
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.person_splits import place_split
from tests.drawing import text_pdf
from tests.run.kills import KillFolders, kill, share
from tests.run.test_split import separator, stack

pytestmark = [pytest.mark.kills, pytest.mark.proof]
STACKS = 12


def published(folders: KillFolders) -> dict[str, list[str]]:
    """Texts by name of the documents that ``documents.csv`` lists."""
    with (folders.outbox / "documents.csv").open(encoding="utf-8", newline="") as file:
        rows = Counter(row["file"] for row in csv.DictReader(file))
    assert set(rows.values()) == {1}, "a document has two rows"
    results = {name: json.loads((folders.outbox / f"{name}.json").read_text(encoding="utf-8")) for name in rows}
    return {name: result["results"]["transcript"]["fields"]["text"]["value"] for name, result in results.items()}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_kills_while_stacks_are_split_leave_each_document_once(tmp_path: Path) -> None:
    folders = KillFolders(tmp_path, tmp_path / "elsewhere", settings={"SPLIT": "barcode"})
    expected: dict[str, list[str]] = {}
    for number in range(STACKS):
        texts = [f"Stack {number} page {page}" for page in (1, 2, 4)]
        pages = stack(text_pdf(texts[:2]), separator(), text_pdf(texts[2:]))
        folders._write(f"{number:02}.pdf", pages)
        expected |= {f"{number:02}.pdf/1-2": texts[:2], f"{number:02}.pdf/4": texts[2:]}
    chance, kills = random.Random(3), share(0.1)
    for _ in range(kills):
        process = folders.start("run")
        time.sleep(1 + chance.random() * 4)
        kill(process)
    folders.end_well("run")
    assert published(folders) == expected

    with Ledger(folders.outbox / ".pipeline") as ledger:
        for file in list(ledger.files_by_path().values()):
            place_split(ledger, file.sha256, parse_split("1,2+4", 4), "Ada")
    changed: dict[str, list[str]] = {}
    for number in range(STACKS):
        texts = [f"Stack {number} page {page}" for page in (1, 2, 4)]
        changed |= {f"{number:02}.pdf/1": texts[:1], f"{number:02}.pdf/2+4": texts[1:]}
    for _ in range(kills):
        process = folders.start("run")
        time.sleep(1 + chance.random() * 2)
        kill(process)
    folders.end_well("run")
    assert published(folders) == changed
    left = {
        path.relative_to(folders.outbox).as_posix() for path in folders.outbox.glob("*/*.json") if ".pipeline" not in path.parts
    }
    assert left == {f"{name}.json" for name in changed}
