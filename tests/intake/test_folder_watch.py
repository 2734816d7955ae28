"""How the watcher detects files, and when it gives them to the caller."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from watchdog.observers import Observer

from pipeline.ignored_names import IgnoredNames
from pipeline.intake import folder_watch
from pipeline.intake.folder_watch import FolderWatcher, is_network
from pipeline.intake.scan import Inbox, InboxFile, scan_inbox


class Watcher(FolderWatcher):
    """Remembers the files that it gave, as a ledger does."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.given: set[InboxFile] = set()

    def pending(self, busy: Callable[[], bool] = lambda: False) -> Iterator[InboxFile | None]:
        for file in super().pending(busy):
            if file:
                self.given.add(file)
            yield file


@contextmanager
def watching(folder: Path, patterns: tuple[str, ...] = (), **changes: Any) -> Iterator[FolderWatcher]:
    """A watcher of a folder. Without other settings it scans at the start only."""
    inbox = Inbox(folder, (), ignored=IgnoredNames(patterns))

    def name(path: Path, preferred: str) -> str:
        del path
        return preferred

    settings: dict[str, Any] = {"quiet": 0.2, "rescan": 3600.0, "poll": 0.1, **changes}

    def scan() -> list[InboxFile]:
        return [file for file in scan_inbox(inbox, name, lambda *_: None) if file not in watcher.given]

    watcher = Watcher(inbox, name, scan, **settings)
    with watcher:
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
    class Exhausted(Observer):  # type: ignore[misc, valid-type]
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


@pytest.mark.parametrize("observer", ["native", "polling"])
def test_nothing_behind_a_linked_folder_is_given(tmp_path: Path, observer: str) -> None:
    inbox, outside = tmp_path / "inbox", tmp_path / "outside"
    for folder in (inbox / "real", outside):
        folder.mkdir(parents=True)
    (inbox / "out").symlink_to(outside)
    (inbox / "in").symlink_to("real")
    with watching(inbox, observer=observer) as watcher:
        (inbox / "later").symlink_to(outside)
        (outside / "private.pdf").write_bytes(b"1")
        (inbox / "real" / "a.pdf").write_bytes(b"2")
        assert collect(watcher, bool) == ["real/a.pdf"]
        (outside / "private2.pdf").write_bytes(b"3")
        (inbox / "real").rename(inbox / "moved")
        (inbox / "real").symlink_to(outside)
        (inbox / "z.pdf").write_bytes(b"4")
        names = collect(watcher, lambda names: "z.pdf" in names)
        assert set(names) <= {"z.pdf", "moved/a.pdf"}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("how", ["native", "polling"])
def test_folders_that_link_to_themselves_take_neither_memory_nor_time(tmp_path: Path, how: str) -> None:
    inbox = tmp_path / "inbox"
    (inbox / "sub").mkdir(parents=True)
    for name in ("one", "two", "sub/one", "sub/two"):
        (inbox / name).symlink_to(".")
    script = f"""
import resource, sys, time
from pathlib import Path
import psutil
from tests.intake.test_folder_watch import collect, watching
resource.setrlimit(resource.RLIMIT_AS, (2_000_000_000,) * 2)
inbox = Path({str(inbox)!r})
with watching(inbox, observer={how!r}) as watcher:
    (inbox / "sub" / "a.pdf").write_bytes(b"1")
    assert collect(watcher, bool) == ["sub/a.pdf"]
    time.sleep(2)  # polls go on
print(psutil.Process().memory_info().rss)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 500_000_000, "bytes of memory"


def test_polling_goes_on_when_the_folder_was_away(tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "old.pdf").write_bytes(b"1")
    with watching(folder, observer="polling") as watcher:
        assert collect(watcher, bool) == ["old.pdf"]
        folder.rename(tmp_path / "away")
        time.sleep(0.5)
        (tmp_path / "away").rename(folder)
        (folder / "new.pdf").write_bytes(b"2")
        assert collect(watcher, bool) == ["new.pdf"], "a file that was there before is not new"


@pytest.mark.parametrize("observer", ["native", "polling"])
def test_housekeeping_and_names_of_the_users_patterns_are_not_given(tmp_path: Path, observer: str) -> None:
    for folder in ("@eaDir", "sub/#recycle", "drafts"):
        (tmp_path / folder).mkdir(parents=True)
    with watching(tmp_path, observer=observer, patterns=("drafts/", "*.bak")) as watcher:
        for name in ("@eaDir/a.pdf", "sub/#recycle/b.pdf", "drafts/c.pdf", "d.bak", "~$e.docx", "f.crdownload"):
            (tmp_path / name).write_bytes(b"1")
        (tmp_path / "z.pdf").write_bytes(b"2")
        assert collect(watcher, lambda names: "z.pdf" in names) == ["z.pdf"]
