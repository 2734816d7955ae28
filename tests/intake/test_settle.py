"""A file is never read while another program still writes it."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.intake.scan import Inbox, InboxFile, scan_inbox
from pipeline.intake.settle import SettleTracker, settled_files


def scan(inbox: Path) -> list[InboxFile]:
    return list(scan_inbox(Inbox(inbox, ()), lambda _, preferred: preferred, lambda *_: None))


def wait_for(files: Iterable[InboxFile | None]) -> Iterator[InboxFile]:
    """The files, with a pause for each None, as in the loop."""
    for item in files:
        if item is None:
            time.sleep(0.05)
        else:
            yield item


def test_old_files_are_settled_at_once_and_growing_files_when_they_stop_growing(tmp_path: Path) -> None:
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
    unsettled: list[InboxFile] = []
    settled = [
        (item.source.name, item.size)
        for item in wait_for(settled_files(scan(tmp_path), SettleTracker(0.35), 20, unsettled, []))
    ]
    writer.join()
    assert settled == [("old.pdf", 1), ("slow.pdf", 7)]
    assert unsettled == []


def test_a_file_that_does_not_stop_growing_stays_unsettled(tmp_path: Path) -> None:
    path = tmp_path / "endless.pdf"
    path.write_bytes(b"x")
    stop = threading.Event()

    def write_on() -> None:
        while not stop.wait(0.05):
            with path.open("ab") as file:
                file.write(b"x")

    writer = threading.Thread(target=write_on)
    writer.start()
    unsettled: list[InboxFile] = []
    assert list(wait_for(settled_files(scan(tmp_path), SettleTracker(0.3), 0.8, unsettled, []))) == []
    stop.set()
    writer.join()
    assert [item.source.name for item in unsettled] == ["endless.pdf"]


class TrackerOfTwoFiles(SettleTracker):
    """``b.pdf`` is settled at the second check and ``a.pdf`` at the third, as when they are copied one after the other."""

    def __init__(self) -> None:
        super().__init__(0.1)
        self.checks: Counter[str] = Counter()

    def is_settled(self, file: InboxFile) -> bool:
        self.checks[file.source.name] += 1
        return self.checks[file.source.name] >= {"b.pdf": 2, "a.pdf": 3}[file.source.name]


def test_reading_one_file_for_longer_than_the_timeout_does_not_leave_the_others_unread(tmp_path: Path) -> None:
    for name in ("a.pdf", "b.pdf"):
        (tmp_path / name).write_bytes(b"x")
    unsettled: list[InboxFile] = []
    files = []
    for file in wait_for(settled_files(scan(tmp_path), TrackerOfTwoFiles(), 0.3, unsettled, [])):
        files.append(file.source.name)
        time.sleep(0.5)  # reading takes longer than the timeout
    assert (files, unsettled) == (["b.pdf", "a.pdf"], [])


def test_a_file_with_a_future_time_settles_when_it_is_observed_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "future.pdf"
    path.write_bytes(b"x")
    os.utime(path, (time.time() + 9_000, time.time() + 9_000))
    tracker = SettleTracker(0.2)
    assert not tracker.is_settled(scan(tmp_path)[0])
    time.sleep(0.25)
    assert tracker.is_settled(scan(tmp_path)[0])
    assert tracker.is_settled(scan(tmp_path)[0]), "a second call changes nothing"
