"""Something else takes the place of a listed file before a run opens it: nothing of it is read, and the run goes on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import FILE_CHANGED
from pipeline.intake.scan import scan_inbox
from pipeline.monitoring.events import RunCounts
from pipeline.records import Source
from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from pipeline.settings import Settings
from tests.drawing import text_pdf
from tests.run.conftest import OLD, RunFolders
from tests.run.processes import Workspace, wait_for

PRIVATE = "PRIVATE CONTENT"


class SwappingCounts(RunCounts):
    """Calls ``swap`` once a file is hashed and before a reader opens it."""

    swap: Callable[[], None] | None = None

    def __init__(self) -> None:
        super().__init__()
        self.skipped: dict[str, str] = {}

    def file_started(self, source: Source, sha256: str) -> None:
        super().file_started(source, sha256)
        if self.swap and source.name == "sub/a.pdf":
            self.swap()
            self.swap = None

    def file_skipped(self, name: str, reason: str) -> None:
        super().file_skipped(name, reason)
        self.skipped[name] = reason


def pipe(path: Path, private: Path) -> None:
    del private
    path.unlink()
    os.mkfifo(path)


def link(path: Path, private: Path) -> None:
    path.unlink()
    path.symlink_to(private)


def linked_folder(path: Path, private: Path) -> None:
    path.parent.rename(path.parent.parent.parent / "moved")
    path.parent.symlink_to(private.parent)


def equal_file(path: Path, private: Path) -> None:
    other = path.parent.parent / ".other"
    shutil.copy2(private, other)
    other.replace(path)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("swap", [pipe, link, linked_folder, equal_file], ids=lambda swap: swap.__name__)
@pytest.mark.parametrize("moment", ["before it is hashed", "before a reader opens it"])
@pytest.mark.parametrize("after", ["keep", "delete"])
def test_what_takes_the_place_of_a_file_is_left(
    folders: RunFolders, tmp_path: Path, swap: Callable[[Path, Path], None], moment: str, after: str
) -> None:
    page = text_pdf(["public content."])
    path, other = folders.put("sub/a.pdf", page), folders.put("z.pdf", text_pdf(["another document"]))
    private = tmp_path / "outside" / "a.pdf"
    private.parent.mkdir()
    content = text_pdf([PRIVATE])
    size = max(len(page), len(content))
    for file, written in ((path, page), (private, content)):  # blank space at the end of a PDF changes nothing
        file.write_bytes(written.ljust(size))
        os.utime(file, (OLD, OLD))
    private.chmod(0o600)
    settings, counts = Settings(inbox=folders.inbox, outbox=folders.outbox, workers=1, after=after), SwappingCounts()
    with (
        open_job(settings, template="transcript", engine=folders.engine) as job,
        Loop(job, counts, archive_files=True) as loop,
    ):
        files = list(scan_inbox(job.inbox, job.outbox_names, counts.file_skipped))
        if moment == "before it is hashed":
            swap(path, private)
        else:
            counts.swap = lambda: swap(path, private)
        loop.round(iter(files))
        loop.publisher.tidy()
    assert counts.skipped == {"sub/a.pdf": FILE_CHANGED}
    assert dict(counts.documents) == {"done": 1}
    results = "".join(found.read_text() for found in folders.outbox.rglob("*.json"))
    assert PRIVATE not in results
    assert "another document" in results
    assert private.read_bytes() == content.ljust(size)
    assert os.path.lexists(path)
    assert other.exists() == (after == "keep")


_SWAPPER = """
import os, sys
os.chdir(sys.argv[1])
while True:
    for number in range(6):
        name = f"target{number}.pdf"
        for source in (".pipe", ".link", ".document"):
            os.link(source, ".next", follow_symlinks=False)
            os.rename(".next", name)
"""


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("after", ["keep", "delete"])
def test_a_run_beside_a_process_that_swaps_files_ends_and_reads_no_private_file(tmp_path: Path, after: str) -> None:
    space = Workspace(tmp_path)
    space.put(".document", text_pdf(["public content."]))
    space.put("z.pdf")
    private = tmp_path / "private.pdf"
    private.write_bytes(text_pdf([PRIVATE]))
    private.chmod(0o600)
    os.utime(private, (OLD, OLD))
    os.mkfifo(space.inbox / ".pipe")
    (space.inbox / ".link").symlink_to(private)
    with subprocess.Popen([sys.executable, "-c", _SWAPPER, str(space.inbox)]) as swapper:
        try:
            for _ in range(2):
                process = space.start("run", "--json", AFTER=after, INTAKE__WAIT_SECONDS="0")
                out, err = process.communicate(timeout=80)
                assert process.returncode in (0, 1), err
                assert json.loads(out)["documents"].get("failed", 0) == 0, out
        finally:
            swapper.kill()
    assert (space.outbox / "z.pdf.json").is_file()
    assert PRIVATE not in "".join(found.read_text() for found in space.outbox.rglob("*.json"))
    assert private.is_file()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("how", ["native", "polling"])
def test_a_watcher_that_deletes_leaves_files_behind_linked_folders(tmp_path: Path, how: str) -> None:
    space = Workspace(tmp_path)
    space.put("a.pdf")
    outside = tmp_path / "outside"
    outside.mkdir()
    (space.inbox / "out").symlink_to(outside)
    (space.inbox / "loop").symlink_to(".")
    settings = {
        "AFTER": "delete",
        "INTAKE__CHANGE_DETECTION": how,
        "INTAKE__UNCHANGED_SECONDS": "0.2",
        "INTAKE__POLL_SECONDS": "0.3",
    }
    process = space.start("watch", **settings)
    try:
        wait_for(lambda: (space.outbox / "a.pdf.json").exists() and not (space.inbox / "a.pdf").exists())
        (outside / "private.pdf").write_bytes(text_pdf([PRIVATE]))
        space.put("b.pdf")
        wait_for(lambda: (space.outbox / "b.pdf.json").exists() and not (space.inbox / "b.pdf").exists())
        space.put("c.pdf")
        wait_for(lambda: (space.outbox / "c.pdf.json").exists() and not (space.inbox / "c.pdf").exists())
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert (outside / "private.pdf").exists()
    assert len(list(space.outbox.rglob("*.pdf.json"))) == 3


@pytest.mark.timeout(120)
@pytest.mark.parametrize("after", ["keep", "move", "delete"])
def test_a_link_to_a_file_inside_of_the_inbox_is_read_and_shown(tmp_path: Path, after: str) -> None:
    space = Workspace(tmp_path)
    real = space.put(".store/real.bin", text_pdf(["linked content"]))
    (space.inbox / "sub").mkdir()
    link = space.inbox / "sub" / "a.pdf"
    link.symlink_to("../.store/real.bin")
    code, out, err = space.run("run", "--json", AFTER=after)
    assert (code, json.loads(out)["documents"]) == (0, {"done": 1}), err
    assert real.is_file(), "the link is moved or deleted, not the file"
    assert os.path.lexists(link) == (after == "keep")
    if after == "keep":
        command = [sys.executable, "-m", "pipeline", "review", "--outbox", str(space.outbox)]
        environment = {**os.environ, "PIPELINE_INBOX": str(space.inbox)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "data:image/webp" in (space.outbox / "review.html").read_text(encoding="utf-8")
