"""Archives are opened in a process with limits: what is packed in them takes neither this process's memory nor its time."""

from __future__ import annotations

import bz2
import io
import lzma
import os
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
import zlib
from pathlib import Path

import psutil
import pytest

from pipeline.errors import OutboxError
from pipeline.intake.container_worker import ContainerWorker
from pipeline.intake.containers import SkippedMember, UnpackedMember

MB = 1_000_000
GIGABYTE = 1 << 30


def tar_of(size: int) -> bytes:
    """A tar file with one member of zeros."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("zeros.pdf")
        info.size = size
        archive.addfile(info, io.BytesIO(bytes(size)))
    return buffer.getvalue()


def xz_with_dictionary(content: bytes, code: int = 36) -> bytes:
    """An xz stream that asks for a dictionary of 1 GiB (code 36) or of 4 GiB (code 40)."""
    packed = bytearray(lzma.compress(content, format=lzma.FORMAT_XZ, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}]))
    length = (packed[12] + 1) * 4
    at = packed.index(b"\x21\x01", 12, 12 + length)
    packed[at + 2] = code
    packed[12 + length - 4 : 12 + length] = struct.pack("<I", zlib.crc32(packed[12 : 12 + length - 4]))
    return bytes(packed)


def lzma_with_dictionary(content: bytes) -> bytes:
    """An old LZMA stream that asks for a dictionary of 1 GiB."""
    packed = bytearray(lzma.compress(content, format=lzma.FORMAT_ALONE))
    packed[1:5] = struct.pack("<I", GIGABYTE)
    return bytes(packed)


def zip_with_dictionary(content: bytes) -> bytes:
    """A zip file whose LZMA member asks for a dictionary of 1 GiB."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("zeros.pdf", content)
    packed = bytearray(buffer.getvalue())
    at = 30 + len("zeros.pdf") + 4  # behind version and length of the properties
    packed[at + 1 : at + 5] = struct.pack("<I", GIGABYTE)
    return bytes(packed)


BOMBS = {
    "a.tar.xz": lambda: xz_with_dictionary(tar_of(400 * MB)),
    "a.tar.lzma": lambda: lzma_with_dictionary(tar_of(400 * MB)),
    "a.zip": lambda: zip_with_dictionary(bytes(400 * MB)),
}
REPROCESS = """
import pathlib, sys
from pipeline.cli.main import main
sys.argv = ["pipeline", "reprocess", sys.argv[1], "--template", "transcript"]
try:
    main()
finally:
    print("peak", pathlib.Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0], file=sys.stderr)
"""


@pytest.mark.parametrize("name", BOMBS)
def test_a_dictionary_of_a_gigabyte_does_not_reach_this_process(tmp_path: Path, name: str) -> None:
    bomb = tmp_path / name
    bomb.write_bytes(BOMBS[name]())
    ran = subprocess.run(
        [sys.executable, "-c", REPROCESS, str(bomb)], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    peak = int(ran.stderr.rpartition("peak ")[2].split()[0]) * 1024
    assert peak < 300 * MB, ran.stderr
    assert ran.returncode == 1, ran.stderr
    assert f"{name}: cannot be unpacked" in ran.stderr or "needs more memory than an archive may" in ran.stderr, ran.stderr


@pytest.mark.parametrize("code", [36, 40])
def test_a_dictionary_that_is_too_large_is_a_reason(tmp_path: Path, code: int) -> None:
    (tmp_path / "a.tar.xz").write_bytes(xz_with_dictionary(tar_of(10), code))
    with ContainerWorker() as worker:
        assert worker.is_archive(tmp_path / "a.tar.xz")
        (item,) = worker.unpack(tmp_path / "a.tar.xz", tmp_path / "into", max_bytes=MB)
    assert isinstance(item, SkippedMember)
    assert item.document_lost
    assert "needs more memory than an archive may" in item.reason


def test_archives_as_people_make_them_are_unpacked(tmp_path: Path) -> None:
    content = os.urandom(MB)
    with tarfile.open(tmp_path / "a.tar.xz", "w:xz", preset=9) as archive:
        info = tarfile.TarInfo("sub/ä.pdf")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_LZMA) as pack:
        for number in range(1_200):  # more than a worker of the readers answers
            pack.writestr(f"{number}.pdf", str(number))
        pack.write(tmp_path / "a.tar.xz", "a.tar.xz")
    with ContainerWorker() as worker:
        assert worker.is_archive(tmp_path / "b.zip")
        items = list(worker.unpack(tmp_path / "b.zip", tmp_path / "into", max_bytes=2 * MB))
        assert all(isinstance(item, UnpackedMember) for item in items)
        assert len(items) == 1_201
        last = items[-1]
        assert isinstance(last, UnpackedMember)
        assert (last.name, last.path.read_bytes()) == ("a.tar.xz/sub/ä.pdf", content)
        again = list(worker.unpack(tmp_path / "b.zip", tmp_path / "into", max_bytes=2 * MB, needed=[last.path.name]))
        assert again == [last]
        assert not worker.is_archive(tmp_path)
        assert not worker.is_archive(tmp_path / "missing")


def test_a_member_that_takes_too_long_ends_its_archive_and_the_worker(tmp_path: Path) -> None:
    info = tarfile.TarInfo("zeros.pdf")
    info.size = 20_000_000_000
    zeros = bz2.compress(bytes(20 * MB)) * 1_000
    (tmp_path / "a.tar.bz2").write_bytes(bz2.compress(info.tobuf(tarfile.GNU_FORMAT)) + zeros)
    began = time.monotonic()
    with ContainerWorker(seconds=5) as worker:  # starting it counts
        item, *_ = worker.unpack(tmp_path / "a.tar.bz2", tmp_path / "into", max_bytes=1 << 40)
        assert isinstance(item, SkippedMember)
        assert "takes too long" in item.reason
        assert time.monotonic() - began < 60
        (tmp_path / "b.zip").write_bytes(_zip({"b.pdf": b"b"}))
        (unpacked,) = worker.unpack(tmp_path / "b.zip", tmp_path / "into", max_bytes=MB)
        assert isinstance(unpacked, UnpackedMember)
    assert not [child for child in psutil.Process().children() if _is_worker(child)]


def _is_worker(process: psutil.Process) -> bool:
    """A browser that other tests have left open is none, and neither is a process that has ended."""
    try:
        return any("container" in part for part in process.cmdline())
    except psutil.Error:
        return False


def _zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_a_full_disk_stays_an_error_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(_zip({"a.pdf": b"a"}))
    (tmp_path / "into").write_text("a file in the place of the folder")
    with ContainerWorker() as worker, pytest.raises(OutboxError):
        list(worker.unpack(tmp_path / "a.zip", tmp_path / "into", max_bytes=MB))


def test_names_of_the_users_patterns_are_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("a.pdf", "drafts/b.pdf", "@eaDir/c.pdf"):
            archive.writestr(name, b"x")
    with ContainerWorker() as worker:
        items = list(worker.unpack(tmp_path / "a.zip", tmp_path / "into", max_bytes=MB, ignore=["drafts/"]))
    assert [item.name for item in items if isinstance(item, UnpackedMember)] == ["a.pdf"]
