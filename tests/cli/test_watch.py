"""``pipeline watch`` as a real process: files there before, dropped in, copied slowly; a clean end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.ledger.counts import unit_counts
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.orders import find_order, place_order
from tests.drawing import encrypted_pdf, page_image, text_pdf, tiff


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[tuple[Path, Path, subprocess.Popen[bytes]]]:
    inbox, outbox = tmp_path / "inbox", tmp_path / "outbox"
    inbox.mkdir()
    (inbox / "before.pdf").write_bytes(text_pdf(["There before"]))
    environment = {**os.environ, "PIPELINE_WORKERS": "1", "PIPELINE_INTAKE__UNCHANGED_SECONDS": "0.5"}
    command = [sys.executable, "-m", "pipeline", "watch", "--template", "transcript"]
    process = subprocess.Popen([*command, "--inbox", str(inbox), "--outbox", str(outbox)], env=environment)
    yield inbox, outbox, process
    process.kill()
    process.wait()


def text(outbox: Path, name: str) -> str | None:
    path = outbox / f"{name}.json"
    if not path.exists():
        return None
    results = json.loads(path.read_text(encoding="utf-8"))["results"]
    return str(results["transcript"]["fields"]["text"]["value"][0]) if results else ""


@pytest.mark.slow
def test_files_there_before_dropped_in_renamed_and_copied_slowly(
    watching: tuple[Path, Path, subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    inbox, outbox, process = watching
    wait_for(lambda: text(outbox, "before.pdf") == "There before")
    (inbox / "dropped.pdf").write_bytes(text_pdf(["Dropped in"]))
    (inbox / "locked.pdf").write_bytes(encrypted_pdf("x", "secret word"))
    (inbox / "moving.part").write_bytes(text_pdf(["Renamed"]))
    (inbox / "moving.part").rename(inbox / "moved.pdf")
    folder = tmp_path / "folder" / "deep"
    folder.mkdir(parents=True)
    (folder / "inside.pdf").write_bytes(text_pdf(["Inside a folder"]))
    shutil.move(tmp_path / "folder", inbox / "folder")
    content = text_pdf(["Copied slowly"] * 3)
    with (inbox / "slow.pdf").open("wb") as file:
        for start in range(0, len(content), len(content) // 8):
            file.write(content[start : start + len(content) // 8])
            file.flush()
            time.sleep(0.2)
            assert text(outbox, "slow.pdf") is None, "read while it was being written"
    wait_for(lambda: text(outbox, "slow.pdf") == "Copied slowly")
    wait_for(lambda: text(outbox, "dropped.pdf") == "Dropped in")
    wait_for(lambda: text(outbox, "moved.pdf") == "Renamed")
    wait_for(lambda: text(outbox, "folder/deep/inside.pdf") == "Inside a folder")
    wait_for(lambda: text(outbox, "locked.pdf") == "")
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


@pytest.mark.slow
def test_a_second_run_beside_it_says_that_it_is_locked(watching: tuple[Path, Path, subprocess.Popen[bytes]]) -> None:
    inbox, outbox, _ = watching
    wait_for(lambda: text(outbox, "before.pdf") == "There before")
    command = [sys.executable, "-m", "pipeline", "run", "--inbox", str(inbox), "--outbox", str(outbox)]
    assert subprocess.run(command, check=False).returncode == 3


@pytest.mark.slow
def test_from_a_files_last_byte_to_its_result_are_two_seconds(tmp_path: Path) -> None:
    """With the settings that everybody has; the reading of such a page takes a hundredth of a second."""
    inbox, outbox = tmp_path / "inbox", tmp_path / "outbox"
    inbox.mkdir()
    (inbox / "before.pdf").write_bytes(text_pdf(["There before"]))
    command = [
        sys.executable,
        "-m",
        "pipeline",
        "watch",
        "--template",
        "transcript",
        "--inbox",
        str(inbox),
        "--outbox",
        str(outbox),
    ]
    with subprocess.Popen(command) as process:
        wait_for(lambda: text(outbox, "before.pdf") is not None)
        waited = []
        for number in range(5):
            (inbox / f"{number}.pdf").write_bytes(text_pdf([f"Number {number}"]))
            start = time.monotonic()
            wait_for(lambda number=number: (outbox / f"{number}.pdf.json").exists())  # type: ignore[misc]
            waited.append(time.monotonic() - start)
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    print(waited)
    assert min(waited) < 2


@pytest.mark.slow
def test_a_file_that_arrives_while_a_long_scan_is_read_is_published_before_it(
    watching: tuple[Path, Path, subprocess.Popen[bytes]],
) -> None:
    inbox, outbox, _ = watching
    wait_for(lambda: text(outbox, "before.pdf") == "There before")
    pages = [page_image(text_pdf([f"Scanned page {number}"])) for number in range(60)]
    (inbox / "long.tiff").write_bytes(tiff(pages))
    with sqlite3.connect(outbox / ".pipeline" / "ledger.sqlite") as ledger:
        wait_for(lambda: ledger.execute("SELECT count(*) FROM units").fetchone()[0] > 2)
    (inbox / "late.pdf").write_bytes(text_pdf(["Late"]))
    wait_for(lambda: text(outbox, "late.pdf") == "Late")
    assert not (outbox / "long.tiff.json").exists()


def is_closed(ledger: Ledger, number: int) -> bool:
    order = find_order(ledger, number)
    return order is not None and order.outcome is not None


@pytest.mark.slow
def test_an_order_is_carried_out_while_a_long_scan_is_read_and_the_scan_is_read_on(
    watching: tuple[Path, Path, subprocess.Popen[bytes]],
) -> None:
    inbox, outbox, _ = watching
    wait_for(lambda: text(outbox, "before.pdf") == "There before")
    (inbox / "long.tiff").write_bytes(tiff([page_image(text_pdf([f"Scanned page {number}"])) for number in range(20)]))
    with Ledger(outbox / ".pipeline") as ledger:
        wait_for(lambda: sum(unit_counts(ledger).values()) > 3)
        record = ledger.file_by_name("before.pdf")
        assert record
        order = place_order(ledger, "reading", record.sha256, {"name": "before.pdf", "template": "transcript"}, by="test")
        wait_for(lambda: is_closed(ledger, order.id))
        assert not (outbox / "long.tiff.json").exists()
    wait_for(lambda: (outbox / "long.tiff.json").exists(), 120)
    assert {page["status"] for page in json.loads((outbox / "long.tiff.json").read_bytes())["pages"]} == {"done"}
