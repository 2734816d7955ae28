"""A run that leaves a file unread says so, also with ``--quiet``, and does not exit 0. Patience counts only idle time."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.intake.scan import Inbox, InboxFile, scan_inbox
from pipeline.intake.settle import SettleTracker, settled_files
from tests.drawing import text_pdf
from tests.run.processes import Workspace, wait_for


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@contextmanager
def growing(path: Path) -> Iterator[None]:
    """A file to which another program writes without end."""
    end = threading.Event()

    def write() -> None:
        while not end.wait(0.05):
            with path.open("ab") as file:
                file.write(b" ")

    path.write_bytes(text_pdf(["Growing"]))
    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        end.set()
        writer.join()


QUICK = {"INTAKE__WAIT_SECONDS": "0.5", "INTAKE__UNCHANGED_SECONDS": "0.5"}


@pytest.mark.parametrize("options", [[], ["--quiet"], ["--json"], ["--quiet", "--log-json"]])
def test_a_file_that_still_grows_is_named_and_the_exit_code_is_1(workspace: Workspace, options: list[str]) -> None:
    workspace.put("done.pdf")
    with growing(workspace.inbox / "growing.pdf"):
        code, out, err = workspace.run("run", *options, **QUICK)
    assert code == 1
    assert "growing.pdf" in err
    assert "still being written" in err
    if options == ["--json"]:
        left = json.loads(out)["left_for_later"]
        assert left == [{"file": "growing.pdf", "why": "still being written"}]


def test_waiting_for_less_than_a_file_must_be_unchanged_reads_it_all_the_same(workspace: Workspace) -> None:
    os.utime(workspace.put("young.pdf"), None)
    code, _, err = workspace.run("run", "--quiet", INTAKE__WAIT_SECONDS="0", INTAKE__UNCHANGED_SECONDS="1")
    assert (code, err) == (0, "")
    assert (workspace.outbox / "young.pdf.json").is_file()


def test_the_time_in_which_other_files_are_read_does_not_count_as_waiting(tmp_path: Path) -> None:
    for name in ("a.pdf", "b.pdf"):
        (tmp_path / name).write_bytes(b"x")
    os.utime(tmp_path / "b.pdf", (1, 1))
    unsettled: list[InboxFile] = []
    gone: list[InboxFile] = []
    busy = True
    files = scan_inbox(Inbox(tmp_path, ()), lambda _, preferred: preferred, lambda *_: None)
    settled = settled_files(files, SettleTracker(0.3), 0.3, unsettled, gone, lambda: busy)
    read = [next(settled)]
    until = time.monotonic() + 1  # b.pdf is read now, and a.pdf grows all this time
    while time.monotonic() < until:
        assert next(settled) is None
        (tmp_path / "a.pdf").write_bytes(b"x" * int(1000 * time.monotonic() % 1_000_000))
        time.sleep(0.05)
    busy = False
    for file in settled:
        read.append(file)
        time.sleep(0.02)
    assert [file.source.name for file in read if file] == ["b.pdf", "a.pdf"]
    assert (unsettled, gone) == ([], [])


def test_a_file_that_is_renamed_while_the_run_waits_for_it_is_named(workspace: Workspace) -> None:
    workspace.inbox.mkdir()
    path = workspace.inbox / "scan.pdf"
    path.write_bytes(text_pdf(["A"]))
    process = workspace.start("run", "--quiet", INTAKE__UNCHANGED_SECONDS="6")
    progress = workspace.outbox / ".pipeline" / "progress.json"
    wait_for(lambda: progress.is_file() and json.loads(progress.read_bytes())["waiting"] == 1)  # the inbox is listed
    path.rename(workspace.inbox / "renamed.pdf")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "left for later: scan.pdf: no longer where it was listed" in err


def test_files_above_the_limit_and_out_of_time_are_counted(workspace: Workspace) -> None:
    for number in range(4):
        workspace.put(f"{number}.pdf")
    code, _, err = workspace.run("run", "--quiet", "--limit", "1")
    assert code == 1
    assert "left for later: 3 files: above --limit" in err
    code, _, err = workspace.run("run", "--quiet", "--max-minutes", "0.0001")
    assert code == 1
    assert "left for later: 3 files: out of time (--max-minutes)" in err
    assert workspace.run("run", "--quiet")[0] == 0
    assert workspace.run("run", "--quiet", "--limit", "1")[0] == 0, "nothing is left"


def test_a_pipe_named_on_the_command_line_is_left(workspace: Workspace) -> None:
    workspace.put("a.pdf")
    os.mkfifo(workspace.folder / "pipe.pdf")
    code, _, err = workspace.run("run", "--quiet", str(workspace.inbox / "a.pdf"), str(workspace.folder / "pipe.pdf"))
    assert code == 1
    assert "pipe.pdf: no regular file" in err


def test_a_file_without_permission_and_a_folder_that_cannot_be_listed_are_left(workspace: Workspace) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    workspace.put("a.pdf").chmod(0)
    workspace.put("locked/b.pdf")
    (workspace.inbox / "locked").chmod(0)
    code, out, err = workspace.run("run", "--quiet")
    (workspace.inbox / "locked").chmod(0o700)
    assert code == 1
    assert "a.pdf: cannot be read" in err
    assert "locked: cannot be listed" in err
    assert out == ""


def test_reprocess_names_a_file_that_is_gone(workspace: Workspace) -> None:
    workspace.put("a.pdf").unlink()
    workspace.put("b.pdf")
    workspace.put("c.pdf")
    assert workspace.run("run", "--quiet")[0] == 0
    (workspace.inbox / "b.pdf").unlink()
    code, _, err = workspace.run("reprocess", "--all", "--quiet")
    assert code == 1
    assert "left for later: b.pdf: is no longer at" in err
