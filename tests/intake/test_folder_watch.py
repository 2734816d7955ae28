"""How the watcher detects files, and when it gives them to the caller."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from watchdog.observers.polling import PollingObserver

from pipeline.intake import folder_watch
from pipeline.intake.folder_watch import FolderWatcher, is_network
from pipeline.intake.scan import Inbox, InboxFile, scan_inbox


@contextmanager
def watching(folder: Path, **changes: Any) -> Iterator[FolderWatcher]:
    """A watcher of a folder. Without other settings it scans at the start only."""
    inbox = Inbox(folder, ())

    def name(path: Path, preferred: str) -> str:
        del path
        return preferred

    settings: dict[str, Any] = {"quiet": 0.2, "rescan": 3600.0, "poll": 0.1, **changes}
    with FolderWatcher(inbox, name, lambda: list(scan_inbox(inbox, name, lambda *_: None)), **settings) as watcher:
        watcher.wait()
        yield watcher


def collect(watcher: FolderWatcher, enough: Callable[[list[str]], bool], seconds: float = 20) -> list[str]:
    """Names of the files that the watcher gives, until there are enough."""
    names: list[str] = []
    until = time.monotonic() + seconds
    while not enough(names):
        assert time.monotonic() < until, names
        if watcher.wait():
            names += [file.source.name for file in watcher.pending() if file]
    return names


@pytest.mark.parametrize("observer", ["native", "polling"])
def test_new_files_are_given_complete_and_once(tmp_path: Path, observer: str) -> None:
    with watching(tmp_path, observer=observer) as watcher:
        (tmp_path / "a.pdf").write_bytes(b"1")
        (tmp_path / "later.pdf.part").write_bytes(b"2")
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "b.pdf").write_bytes(b"3")
        assert sorted(collect(watcher, lambda names: len(names) >= 2)) == ["a.pdf", "sub/b.pdf"]
        (tmp_path / "later.pdf.part").rename(tmp_path / "later.pdf")
        assert collect(watcher, bool) == ["later.pdf"]


def test_a_file_written_in_several_bursts_is_given_after_the_last(tmp_path: Path) -> None:
    with watching(tmp_path, quiet=0.6) as watcher:
        path = tmp_path / "scan.pdf"
        for burst in range(5):
            with path.open("ab") as file:
                file.write(b"x" * 100)
            time.sleep(0.2)
            assert not watcher.wait(), f"given after burst {burst}"
        sizes: list[int] = []
        while not sizes:
            if watcher.wait():
                sizes = [file.size for file in watcher.pending() if file]
        assert sizes == [500]


def test_an_inbox_that_is_created_anew_is_observed_again(tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    with watching(folder, rescan=0.3) as watcher:
        shutil.rmtree(folder)
        time.sleep(0.5)
        watcher.wait()
        folder.mkdir()
        time.sleep(0.5)
        watcher.wait()
        (folder / "a.pdf").write_bytes(b"1")
        assert collect(watcher, bool) == ["a.pdf"]


def test_without_kernel_watches_the_watcher_polls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Exhausted(PollingObserver):
        def start(self) -> None:
            raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(folder_watch, "Observer", Exhausted)
    with watching(tmp_path) as watcher:
        assert watcher.polling
        (tmp_path / "a.pdf").write_bytes(b"1")
        assert collect(watcher, bool) == ["a.pdf"]
    with pytest.raises(OSError, match="inotify"), watching(tmp_path, observer="native"):
        pass


def test_files_that_arrive_during_a_round_join_it(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"1")
    os.utime(tmp_path / "a.pdf", (1, 1))
    with watching(tmp_path) as watcher:
        files: list[InboxFile | None] = []
        for file in watcher.pending(lambda: len([one for one in files if one]) < 2):
            if file and file.source.name == "a.pdf":
                (tmp_path / "b.pdf").write_bytes(b"2")
            files.append(file)
            time.sleep(0.01)
        assert [one.source.name for one in files if one] == ["a.pdf", "b.pdf"]
        assert None in files


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("nfs4", True), ("cifs", True), ("fuse.sshfs", True), ("9p", True), ("ext4", False), ("tmpfs", False), ("btrfs", False)],
)
def test_network_shares_are_recognised_by_their_file_system(monkeypatch: pytest.MonkeyPatch, kind: str, expected: bool) -> None:
    class Partition:
        def __init__(self, mountpoint: str, fstype: str) -> None:
            self.mountpoint, self.fstype = mountpoint, fstype

    parts = [Partition("/", "ext4"), Partition("/mnt/share", kind), Partition("/mnt/share2", "nfs"), Partition("/mnt", "nfs")]
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: parts)
    assert is_network(Path("/mnt/share/inbox")) is expected
