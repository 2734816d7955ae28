"""``kill -9`` at any moment loses no result, doubles none, and no finished unit is done again."""

from __future__ import annotations

import contextlib
import random
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.run.kills import KillFolders, kill, share

pytestmark = pytest.mark.kills
DOCUMENTS, PAGES = 60, 2
UNITS = DOCUMENTS * PAGES


def put(folders: KillFolders, number: int) -> None:
    folders.put(f"{number:02}.pdf", PAGES)


@pytest.fixture
def folders(tmp_path: Path) -> KillFolders:
    return KillFolders(tmp_path, tmp_path / "elsewhere")


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_kills_lose_no_result_and_double_none(folders: KillFolders) -> None:
    for number in range(DOCUMENTS):
        put(folders, number)
    chance, kills = random.Random(20), share(0.25)
    for number in range(kills):
        before = folders.units()
        process = folders.start("run")
        goal = len(before) + chance.randint(0, max(1, 180 // kills))
        deadline = time.monotonic() + (60 if number % 4 else chance.random())  # every fourth dies while starting
        while process.poll() is None and len(folders.units()) <= goal and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(chance.random() * 0.02)
        kill(process)
        assert before.items() <= folders.units().items(), "a finished unit was lost or done again"
    survivors = folders.units()
    assert len(survivors) > UNITS / 4, "the kills must fall into the work"
    folders.end_well("run")
    assert survivors.items() <= folders.units().items(), "a finished unit was lost or done again"
    assert len(folders.units()) == UNITS
    folders.check_all()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_kills_of_readers_lose_no_page(folders: KillFolders) -> None:
    for number in range(DOCUMENTS):
        put(folders, number)
    chance, kills, killed = random.Random(5), share(0.08), 0
    folders.settings["RETRY__READER_ATTEMPTS"] = "10"
    process = folders.start("run")
    while process.poll() is None and killed < kills:
        goal, until = len(folders.units()) + 2, time.monotonic() + 60  # a killed page is read again after the next one
        while process.poll() is None and len(folders.units()) < goal and time.monotonic() < until:
            time.sleep(0.002)  # the reader is at work
        time.sleep(chance.random() * 0.03)
        for reader in psutil.Process(process.pid).children() if process.poll() is None else []:
            with contextlib.suppress(psutil.Error):
                if "worker_pool" in " ".join(reader.cmdline()):
                    reader.kill()
                    killed += 1
    assert process.wait(200) == 0, folders.problems()
    assert killed >= kills, "the readers must be killed while there is work"
    assert len(folders.units()) == UNITS
    folders.check_all()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_kills_of_watchers_lose_no_new_file(folders: KillFolders) -> None:
    chance, came = random.Random(7), iter(range(DOCUMENTS))
    for _ in range(share(0.08)):
        watcher = folders.start("watch")
        until = time.monotonic() + 1.5 + chance.random() * 1.5
        while time.monotonic() < until:
            if (number := next(came, None)) is not None:
                put(folders, number)
            time.sleep(chance.random() * 0.5)
        kill(watcher)
    for number in came:
        put(folders, number)
    watcher = folders.start("watch")
    until = time.monotonic() + 240
    while len(folders.units()) < UNITS and time.monotonic() < until:
        time.sleep(0.1)
    watcher.send_signal(signal.SIGTERM)
    if watcher.wait(60) == -signal.SIGTERM:  # the killed ones had read everything, and this one was only starting
        assert folders.start("run").wait(60) == 0
    else:
        assert watcher.returncode == 0
    assert len(folders.units()) == UNITS
    folders.check_all()
