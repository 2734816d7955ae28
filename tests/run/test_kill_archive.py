"""``kill -9`` while files are moved or deleted loses no original, no result, and doubles none."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.run.kills import KillFolders, kill_when, share

pytestmark = pytest.mark.kills
proof = pytest.mark.proof
CASES = [
    pytest.param("keep", False, marks=proof),
    pytest.param("move", False, marks=proof),
    ("move", True),
    pytest.param("delete", False, marks=proof),
    pytest.param("delete", True, marks=proof),
]
"""What happens to files that are read, and whether the archive is on another file system. ``make proof`` runs all."""


def folders_of(tmp_path: Path, after: str, other_file_system: Path, *, across: bool) -> KillFolders:
    return KillFolders(tmp_path, other_file_system if across else tmp_path / "elsewhere", after)


def progress_of(folders: KillFolders) -> Callable[[], int]:
    """Counts the files that have left the inbox from now on; with ``keep`` the units that are committed."""
    if folders.after == "keep":
        units = len(folders.units())
        return lambda: len(folders.units()) - units
    documents = folders.in_inbox()
    return lambda: documents - folders.in_inbox()


def kill_at_work(process: subprocess.Popen[bytes], folders: KillFolders, chance: random.Random, seconds: float) -> bool:
    """Kill a process when by chance some of the files of the inbox have left it. Returns whether it was still alive."""
    progress, goal = progress_of(folders), chance.randint(1, 8)
    return kill_when(process, lambda: progress() >= goal, chance, seconds)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("after", "across"), CASES)
def test_kills_of_runs_lose_no_file(tmp_path: Path, other_file_system: Path, after: str, across: bool) -> None:
    folders = folders_of(tmp_path, after, other_file_system, across=across)
    chance, hits = random.Random(f"{after} {across}"), 0
    for number in range(share(0.06)):
        folders.put_batch(number)
        before, process = folders.units(), folders.start("run")
        hits += kill_at_work(process, folders, chance, 60 if number % 3 else chance.random() * 2)  # some die while they start
        assert before.items() <= folders.units().items(), "a finished unit was lost or done again"
        folders.check_originals()
    survivors = folders.units()
    folders.end_well("run")
    folders.end_well("run")
    assert survivors.items() <= folders.units().items(), "a finished unit was done again"
    assert hits, "a run must be killed while it works"
    folders.check_all()


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("after", "across"), [pytest.param("move", True, marks=proof), ("delete", False)])
def test_kills_of_watchers_lose_no_file(tmp_path: Path, other_file_system: Path, after: str, across: bool) -> None:
    folders = folders_of(tmp_path, after, other_file_system, across=across)
    chance = random.Random(f"watch {after}")
    for number in range(share(0.06)):
        folders.put_batch(number, documents=3)
        before, process = folders.units(), folders.start("watch")
        time.sleep(chance.random() * 1.5)
        folders.put_batch(1000 + number, documents=3)
        kill_at_work(process, folders, chance, 20 * chance.random())
        assert before.items() <= folders.units().items(), "a finished unit was lost or done again"
        folders.check_originals()
    folders.put("last.pdf")
    process = folders.start("watch")
    until = time.monotonic() + 240
    while folders.in_inbox():
        assert time.monotonic() < until, "the watcher has not archived all files"
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    folders.check_all()
