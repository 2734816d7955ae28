"""Archives are unpacked inside their place; what is dangerous is refused and named."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from pipeline.errors import SettingsError
from pipeline.intake.archives import is_archive, unpack


def tar_of(path: Path, members: dict[str, bytes | tarfile.TarInfo], mode: str) -> None:
    with tarfile.open(path, mode) as tape:  # type: ignore[call-overload]
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                tape.addfile(content)
            else:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tape.addfile(info, io.BytesIO(content))


@pytest.mark.parametrize(("ending", "mode"), [("zip", ""), ("tar", "w"), ("tar.gz", "w:gz"), ("tar.xz", "w:xz")])
def test_members_keep_their_folders_and_traps_are_refused(tmp_path: Path, ending: str, mode: str) -> None:
    archive, into = tmp_path / f"scans.{ending}", tmp_path / "unpacked"
    good = {"2024/a.pdf": b"one", "b.pdf": b"two"}
    bad = {"../evil.pdf": b"x", "/abs.pdf": b"x", "2024/../../up.pdf": b"x"}
    if ending == "zip":
        with zipfile.ZipFile(archive, "w") as pack:
            for name, content in {**good, **bad}.items():
                pack.writestr(name, content)
    else:
        link = tarfile.TarInfo("link.pdf")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar_of(archive, {**good, **bad, "link.pdf": link}, mode)
    assert is_archive(archive)
    done = unpack(archive, into, max_bytes=1000)
    assert sorted(path.relative_to(into).as_posix() for path in done.files) == ["2024/a.pdf", "b.pdf"]
    assert {name for name, _ in done.refused} >= set(bad)
    assert not (tmp_path / "evil.pdf").exists()
    assert [path.name for path in tmp_path.iterdir()] in (["unpacked", archive.name], [archive.name, "unpacked"])


def test_a_bomb_is_stopped_while_it_unpacks(tmp_path: Path) -> None:
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("zeros.pdf", bytes(5_000_000))
        pack.writestr("good.pdf", b"x")
    done = unpack(archive, tmp_path / "unpacked", max_bytes=1_000_000)
    assert [path.name for path in done.files] == ["good.pdf"]
    assert done.refused[0][0] == "zeros.pdf"
    assert not (tmp_path / "unpacked" / "zeros.pdf").exists()


def test_a_damaged_archive_says_so(tmp_path: Path) -> None:
    archive = tmp_path / "cut.tar.gz"
    tar_of(archive, {"a.pdf": bytes(range(256)) * 500}, "w:gz")
    archive.write_bytes(archive.read_bytes()[:400])
    with pytest.raises(SettingsError, match=r"cut\.tar\.gz"):
        unpack(archive, tmp_path / "unpacked", max_bytes=1 << 30)


def test_members_of_the_same_name_are_both_kept_and_a_damaged_one_costs_only_itself(tmp_path: Path) -> None:
    archive = tmp_path / "odd.zip"
    with zipfile.ZipFile(archive, "w") as pack:
        for name, content in (("a.pdf", b"one"), ("A.pdf", b"two"), ("bad.pdf", b"BROKEN" * 9), ("c.pdf", b"three")):
            pack.writestr(name, content)
    archive.write_bytes(archive.read_bytes().replace(b"A.pdf", b"a.pdf"))
    archive.write_bytes(archive.read_bytes().replace(b"BROKEN", b"BRoKEN", 1))
    done = unpack(archive, tmp_path / "unpacked", max_bytes=1000)
    assert [path.read_bytes() for path in done.files] == [b"one", b"two", b"three"]
    assert [name for name, _ in done.damaged] == ["bad.pdf"]
