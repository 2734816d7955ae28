"""Whatever the loop writes beside the ledger: where the machine cannot write, start or open more, the watcher waits and goes on."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli.service_retry import is_temporary
from pipeline.errors import EngineUnavailableError, OutboxError
from pipeline.ledger.journal import append_entry, read_entries
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.orders import find_order, place_order
from pipeline.records import UnitKey
from pipeline.run.in_flight import InFlightFile, interrupted_units
from pipeline.run.page_requests import HANDLER
from pipeline.runtime.worker_pool import WorkerPool
from tests.run.processes import Workspace, wait_for
from tests.run.test_faults import fill, small_disk  # noqa: F401 - a fixture

FULL = Path("/dev/full")
"""Opens like a file; every write fails as on a full disk."""


def key(page: int) -> UnitKey:
    return UnitKey("f" * 64, page, "transcript", "recipe")


def test_units_in_flight_are_recorded_where_the_disk_allows_it_and_no_run_ends_over_them(tmp_path: Path) -> None:
    (tmp_path / "in_flight").symlink_to(FULL)
    with InFlightFile(tmp_path) as file:
        for page in range(3):
            file.add(key(page))
        file.discard(key(0))


def test_units_in_flight_are_complete_again_once_there_is_room(small_disk: Path) -> None:  # noqa: F811
    with InFlightFile(small_disk) as file:
        file.add(key(1))
        ballast = fill(small_disk)
        for page in range(2, 200):
            file.add(key(page))
        assert len(interrupted_units(small_disk)) < 199, "the disk was full"
        ballast.unlink()
        file.add(key(200))
        assert interrupted_units(small_disk) == [key(page) for page in range(1, 201)]
        file.discard(key(7))
        assert len(interrupted_units(small_disk)) == 199


def test_an_entry_of_the_journal_that_does_not_fit_is_a_temporary_error_and_spoils_no_later_one(
    small_disk: Path,  # noqa: F811
) -> None:
    (small_disk / "said.jsonl").symlink_to(FULL)
    with pytest.raises(OutboxError):
        append_entry(small_disk, {"a": 1})
    (small_disk / "said.jsonl").unlink()
    append_entry(small_disk, {"a": 0})
    ballast = fill(small_disk)
    with pytest.raises(OutboxError):
        append_entry(small_disk, {"a": "x" * 10_000})
    ballast.unlink()
    append_entry(small_disk, {"a": 2})
    assert list(read_entries(small_disk)) == [{"a": 0}, {"a": 2}]


def test_a_machine_without_open_files_cannot_start_readers_for_now() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(int(name) for name in os.listdir("/proc/self/fd"))  # noqa: PTH208
    with WorkerPool(HANDLER, size=1, seconds=30, memory_mb=4_000) as pool:
        held = [os.dup(0) for _ in range(used + 2 - len(os.listdir("/proc/self/fd")))]  # noqa: PTH208
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + 1, before[1]))
        try:
            with pytest.raises(EngineUnavailableError, match="readers cannot start"):
                pool.call(b"")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
            for descriptor in held:
                os.close(descriptor)
        assert pool.call(b"").error is not None, "a reader has started and refused the request"


@pytest.mark.parametrize("name", ["ENOSPC", "EDQUOT", "EIO", "EROFS", "EMFILE", "ENFILE", "EAGAIN", "ENOMEM"])
def test_faults_of_the_machine_are_temporary(name: str) -> None:
    number = getattr(errno, name)
    assert is_temporary(OSError(number, os.strerror(number)))
    assert not is_temporary(FileNotFoundError(errno.ENOENT, "no such file"))
    assert not is_temporary(ValueError())


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.mark.slow
def test_a_watcher_survives_a_full_disk_while_it_answers_a_question(
    workspace: Workspace,
    small_disk: Path,  # noqa: F811
) -> None:
    state = workspace.outbox / ".pipeline"
    workspace.put("a.pdf")
    assert workspace.run("run", "--quiet", ENGINE="embedded")[0] == 0
    with Ledger(state) as ledger:
        (record,) = ledger.files_by_path().values()
        order = place_order(ledger, "question", record.sha256, {"page": 1, "question": "Which file?"}, by="test")
    for name in ("in_flight", "said.jsonl"):
        shutil.move(state / name, small_disk / name)
        (state / name).symlink_to(small_disk / name)
    with (small_disk / "said.jsonl").open("ab") as journal:
        journal.write(b"\n" * (-journal.tell() % resource.getpagesize()))  # no room is left in its last page
    ballast = fill(small_disk)
    with workspace.start("watch", "--quiet", ENGINE="embedded", INTAKE__UNCHANGED_SECONDS="0.1") as watcher:
        assert watcher.stderr
        line = watcher.stderr.readline()
        while "trying again" not in line:
            assert watcher.poll() is None, "the watcher has ended"
            line = watcher.stderr.readline()
        assert "said.jsonl" in line
        ballast.unlink()
        with Ledger(state) as ledger:
            wait_for(lambda: (found := find_order(ledger, order.id)) and found.outcome is not None)
        workspace.put("b.pdf")
        wait_for(lambda: (workspace.outbox / "b.pdf.json").is_file())
        watcher.send_signal(signal.SIGTERM)
        assert watcher.wait(60) == 0


@pytest.mark.slow
def test_output_that_cannot_be_written_is_no_defect_and_ends_no_watcher(workspace: Workspace) -> None:
    workspace.put("a.pdf")
    folders = ["--inbox", str(workspace.inbox), "--outbox", str(workspace.outbox), "--engine", "embedded"]
    command = [sys.executable, "-m", "pipeline", "watch", "--template", "transcript", *folders]
    with FULL.open("w") as full, subprocess.Popen(command, stdout=full, stderr=full) as process:
        wait_for(lambda: (workspace.outbox / "a.pdf.json").is_file())
        workspace.put("b.pdf")
        wait_for(lambda: (workspace.outbox / "b.pdf.json").is_file())
        process.kill()
    command[3] = "run"
    with FULL.open("w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 2
    assert "No space left on device" in ended.stderr
    assert "defect" not in ended.stderr
