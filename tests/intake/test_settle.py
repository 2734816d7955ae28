"""A file that is still being written is never read half."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.intake.scan import Inbox, InboxFile, scan_inbox
from pipeline.intake.settle import SettleTracker, settled_files


def found(inbox: Path) -> list[InboxFile]:
    return list(scan_inbox(Inbox(inbox, ()), lambda _, wanted: wanted, lambda *_: None))


def patiently(files: Iterable[InboxFile | None]) -> Iterator[InboxFile]:
    """Wait a moment where there is no file just now, as the loop does."""
    for item in files:
        if item is None:
            time.sleep(0.05)
        else:
            yield item


def test_old_files_are_settled_at_once_and_growing_ones_when_they_stop(tmp_path: Path) -> None:
    old, slow = tmp_path / "old.pdf", tmp_path / "slow.pdf"
    old.write_bytes(b"x")
    os.utime(old, (1, 1))
    slow.write_bytes(b"x")

    def write_slowly() -> None:
        for _ in range(6):
            time.sleep(0.1)
            with slow.open("ab") as file:
                file.write(b"x")

    writer = threading.Thread(target=write_slowly)
    writer.start()
    left: list[InboxFile] = []
    done = [(item.source.name, item.size) for item in patiently(settled_files(found(tmp_path), SettleTracker(0.35), 20, left))]
    writer.join()
    assert done == [("old.pdf", 1), ("slow.pdf", 7)]
    assert left == []


def test_a_file_that_does_not_stop_growing_is_left_for_later(tmp_path: Path) -> None:
    path = tmp_path / "endless.pdf"
    path.write_bytes(b"x")
    stop = threading.Event()

    def write_on() -> None:
        while not stop.wait(0.05):
            with path.open("ab") as file:
                file.write(b"x")

    writer = threading.Thread(target=write_on)
    writer.start()
    left: list[InboxFile] = []
    assert list(patiently(settled_files(found(tmp_path), SettleTracker(0.3), 0.8, left))) == []
    stop.set()
    writer.join()
    assert [item.source.name for item in left] == ["endless.pdf"]


def test_a_file_from_the_future_settles_by_being_watched(tmp_path: Path) -> None:
    path = tmp_path / "future.pdf"
    path.write_bytes(b"x")
    os.utime(path, (time.time() + 9_000, time.time() + 9_000))
    settler = SettleTracker(0.2)
    assert not settler.settled(found(tmp_path)[0])
    time.sleep(0.25)
    assert settler.settled(found(tmp_path)[0])
    assert settler.settled(found(tmp_path)[0]), "asking twice changes nothing"
