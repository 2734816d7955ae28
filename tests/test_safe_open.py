"""A file is opened as the one that was listed, or not at all."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.errors import FileChangedError
from pipeline.safe_open import (
    FileState,
    contents,
    descriptor_path,
    file_status,
    link_target,
    open_file,
    open_folder,
    open_listed_file,
    open_named_file,
)

OLD = 1_000_000_000
REFUSED = "no regular file|Not a directory|No such file"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An inbox with ``sub/a.pdf``, beside a folder with a private file of the same name, size and time."""
    for name, content in (("inbox/sub/a.pdf", b"listed"), ("outside/a.pdf", b"secret")):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        os.utime(path, (OLD, OLD))
    return tmp_path


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """A test that waits for another program fails."""
    signal.alarm(20)
    yield
    signal.alarm(0)


def open_descriptors() -> set[str]:
    """What this process has open. Files of earlier tests may be closed meanwhile by the collector, so only new ones count."""
    return {entry.name for entry in Path("/dev/fd").iterdir() if entry.exists()}


def listed(path: Path) -> FileState:
    status = path.stat()
    return FileState(status.st_size, status.st_mtime_ns, (status.st_dev, status.st_ino))


def replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def replace_by_socket(path: Path) -> None:
    path.unlink()
    here = Path.cwd()
    os.chdir(path.parent)  # the address of a socket is at most 107 bytes long
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(path.name)
    os.chdir(here)


def replace_by_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("../../outside/a.pdf")


def replace_folder_by_link(path: Path) -> None:
    path.parent.rename(path.parent.with_name("old"))
    path.parent.symlink_to("../outside")


def replace_upper_folder_by_link(path: Path) -> None:
    inbox = path.parent.parent
    inbox.rename(inbox.with_name("old"))
    inbox.symlink_to("old")


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replace_by_equal_file(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"secret")
    os.utime(other, (OLD, OLD))
    other.replace(path)


SWAPS = [
    replace_by_pipe,
    replace_by_socket,
    replace_by_link,
    replace_folder_by_link,
    replace_upper_folder_by_link,
    replace_by_folder,
    replace_by_equal_file,
    Path.unlink,
]


@pytest.mark.parametrize("swap", SWAPS, ids=lambda swap: swap.__name__)
def test_what_takes_the_place_of_a_listed_file_is_not_opened(folder: Path, swap: Callable[[Path], None]) -> None:
    path = folder / "inbox" / "sub" / "a.pdf"
    state = listed(path)
    with open_listed_file(path, state) as file:
        assert file.read() == b"listed"
    swap(path)
    before = open_descriptors()
    with pytest.raises(FileChangedError):
        open_listed_file(path, state)
    assert open_descriptors() <= before, "descriptors stay open"


@pytest.mark.parametrize("swap", [swap for swap in SWAPS if swap is not replace_by_equal_file], ids=lambda swap: swap.__name__)
def test_only_regular_files_without_links_on_the_way_are_opened(folder: Path, swap: Callable[[Path], None]) -> None:
    path = folder / "inbox" / "sub" / "a.pdf"
    swap(path)
    with pytest.raises(OSError, match=REFUSED):
        open_file(path)


def test_a_file_that_was_written_to_is_another_one(folder: Path) -> None:
    path = folder / "inbox" / "sub" / "a.pdf"
    state = listed(path)
    path.write_bytes(b"longer than before")
    os.utime(path, (OLD, OLD))
    with pytest.raises(FileChangedError):
        open_listed_file(path, state)


def test_an_open_file_stays_the_same_when_its_path_gets_another_one(folder: Path) -> None:
    path = folder / "inbox" / "sub" / "a.pdf"
    with open_listed_file(path, listed(path)) as file:
        replace_by_equal_file(path)
        assert contents(file) == b"listed"
        assert Path(descriptor_path(file)).read_bytes() == b"listed"
        assert file.tell() == 0
        assert file.read() == b"listed"


def test_links_are_followed_inside_of_a_folder_only(folder: Path) -> None:
    inbox = folder / "inbox"
    for name, target in (("in", "sub/a.pdf"), ("chain", "in"), ("out", "../outside/a.pdf"), ("loop", "loop"), ("none", "gone")):
        (inbox / name).symlink_to(target)
    targets = {name: link_target(inbox / name, inbox) for name in ("in", "chain", "out", "loop", "none")}
    real = inbox / "sub" / "a.pdf"
    assert targets == {"in": real, "chain": real, "out": None, "loop": None, "none": None}
    with open_named_file(inbox / "out") as file:
        assert file.read() == b"secret", "a path that the user named may be a link"


def test_the_status_of_a_link_is_its_own_and_nothing_is_found_behind_a_linked_folder(folder: Path) -> None:
    path = folder / "inbox" / "sub" / "a.pdf"
    replace_by_link(path)
    assert stat.S_ISLNK(file_status(path).st_mode)
    (folder / "inbox" / "up").symlink_to(folder)
    with pytest.raises(OSError, match="Not a directory"):
        file_status(folder / "inbox" / "up" / "outside" / "a.pdf")
    with pytest.raises(OSError, match="Not a directory"):
        open_folder(folder / "inbox" / "up")


def test_a_folder_deeper_than_any_path_is_opened_part_by_part(tmp_path: Path) -> None:
    descriptor, path = os.open(tmp_path, os.O_RDONLY), tmp_path
    for _ in range(2_100):  # 4,200 bytes of path
        os.mkdir("d", dir_fd=descriptor)
        above, descriptor = descriptor, os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(above)
        path = path / "d"
    os.close(os.open("a.pdf", os.O_WRONLY | os.O_CREAT, dir_fd=descriptor))
    os.close(descriptor)
    with open_file(path / "a.pdf") as file:
        assert file.read() == b""
    subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)


def test_a_folder_that_may_be_passed_and_not_listed_is_passed(folder: Path) -> None:
    (folder / "inbox").chmod(0o111)
    try:
        if os.access(folder / "inbox", os.R_OK):
            pytest.skip("this user may list every folder")
        with open_file(folder / "inbox" / "sub" / "a.pdf") as file:
            assert file.read() == b"listed"
    finally:
        (folder / "inbox").chmod(0o755)


_SWAPPER = """
import os, sys
os.chdir(sys.argv[1])
while True:
    for name in ("pipe", "link", "b", "a"):
        os.link(name, "next", follow_symlinks=False)
        os.rename("next", "target")
"""


def test_against_a_process_that_swaps_files_nothing_but_the_listed_file_is_read(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for path, content in ((inbox / "a", b"listed"), (inbox / "b", b"others"), (tmp_path / "private", b"secret")):
        path.write_bytes(content)
        os.utime(path, (OLD, OLD))
    os.mkfifo(inbox / "pipe")
    (inbox / "link").symlink_to("../private")
    os.link(inbox / "a", inbox / "target")
    state = listed(inbox / "a")
    read, refused, until = 0, 0, time.monotonic() + 10
    with subprocess.Popen([sys.executable, "-c", _SWAPPER, str(inbox)]) as swapper:
        try:
            while (read < 200 or refused < 200) and time.monotonic() < until:
                try:
                    with open_listed_file(inbox / "target", state) as file:
                        assert file.read() == b"listed"
                    read += 1
                except FileChangedError:
                    refused += 1
        finally:
            swapper.kill()
    assert read, "the swapper never let the file be there"
    assert refused, "the swapper never swapped it"
