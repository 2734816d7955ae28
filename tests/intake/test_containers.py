"""Archives are unpacked lazily into their folder; dangerous and damaged members are skipped with a reason."""

from __future__ import annotations

import io
import random
import struct
import tarfile
import tracemalloc
import unicodedata
import warnings
import zipfile
from pathlib import Path

import pytest

from pipeline.errors import OutboxError
from pipeline.ignored_names import IgnoredNames
from pipeline.intake.containers import MAX_DEPTH, SkippedMember, UnpackedFiles, UnpackedMember, is_archive, unpack
from pipeline.intake.zip import zip_members
from tests.drawing import text_pdf

MB = 1_000_000
MODES = {"tar": "w", "tar.gz": "w:gz", "tar.xz": "w:xz", "tar.bz2": "w:bz2"}
Members = list[tuple[str, bytes]]


def zip_of(path: Path, members: Members, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as pack, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the duplicate names are intended
        for name, content in members:
            pack.writestr(name, content)
    return path


def tar_of(path: Path, members: Members, *odd: tarfile.TarInfo) -> Path:
    mode = MODES[path.name.split(".", 1)[1]]
    with tarfile.open(path, mode, encoding="utf-8", errors="surrogateescape") as archive:  # type: ignore[call-overload]
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in odd:
            archive.addfile(info)
    return path


def archive_of(path: Path, members: Members) -> Path:
    return zip_of(path, members) if path.suffix == ".zip" else tar_of(path, members)


def outcome(archive: Path, max_bytes: int = MB) -> tuple[list[UnpackedMember], list[SkippedMember]]:
    items = list(unpack(archive, archive.parent / "unpacked", max_bytes=max_bytes))
    return [item for item in items if isinstance(item, UnpackedMember)], [
        item for item in items if isinstance(item, SkippedMember)
    ]


@pytest.mark.parametrize("ending", ["zip", *MODES])
def test_members_keep_their_folders_and_dangerous_names_are_refused(tmp_path: Path, ending: str) -> None:
    good = [("2024/a.pdf", b"one"), ("./b.pdf", b"two"), ("12:30.pdf", b"three")]
    bad = ["../evil.pdf", "/abs.pdf", "2024/../../up.pdf", "C:\\up.pdf", "..\\up.pdf", ".hidden.pdf", "a.pdf.part", "./"]
    archive = archive_of(tmp_path / f"scans.{ending}", [*good, *((name, b"x") for name in bad)])
    assert is_archive(archive)
    unpacked_members, skipped = outcome(archive)
    assert [(item.name, item.path.read_bytes()) for item in unpacked_members] == [
        ("2024/a.pdf", b"one"),
        ("b.pdf", b"two"),
        ("12:30.pdf", b"three"),
    ]
    assert len(skipped) == len(bad) - (ending == "zip")  # in a zip, "./" is a folder by its name
    assert not any(item.document_lost for item in skipped)
    assert {path.name for path in tmp_path.iterdir()} == {"unpacked", archive.name}
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == {archive, *(item.path for item in unpacked_members)}


def test_links_devices_and_encrypted_members_are_skipped_with_a_reason(tmp_path: Path) -> None:
    odd: list[tarfile.TarInfo] = []
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE):
        info = tarfile.TarInfo(f"odd{len(odd)}.pdf")
        info.type, info.linkname = kind, "good.pdf"
        odd.append(info)
    unpacked_members, skipped = outcome(tar_of(tmp_path / "odd.tar", [("good.pdf", b"x")], *odd))
    assert [item.name for item in unpacked_members] == ["good.pdf"]
    assert [(item.name, item.reason) for item in skipped] == [(f"odd{n}.pdf", "a link or device") for n in range(5)]

    link = zipfile.ZipInfo("link.pdf")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    archive = tmp_path / "odd.zip"
    with zipfile.ZipFile(archive, "w") as pack:
        pack.writestr(link, "/etc/passwd")
        pack.writestr("secret.pdf", b"x")
        pack.writestr("good.pdf", b"x")
    with zipfile.ZipFile(archive) as pack:
        at = pack.start_dir
    content = bytearray(archive.read_bytes())
    content[content.index(b"PK\1\2", at + 4) + 8] |= 1  # the second entry's flags
    archive.write_bytes(content)
    unpacked_members, skipped = outcome(archive)
    assert [item.name for item in unpacked_members] == ["good.pdf"]
    assert [(item.name, item.reason.split(";")[0], item.document_lost) for item in skipped] == [
        ("link.pdf", "a link or device", False),
        ("secret.pdf", "encrypted", True),
    ]


def test_a_member_that_is_too_large_is_stopped_while_it_unpacks(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "bomb.zip", [("zeros.pdf", bytes(3 * MB)), ("liar.pdf", bytes(3 * MB)), ("good.pdf", b"x")])
    content = archive.read_bytes()
    at = content.index(b"PK\1\2", content.index(b"PK\1\2") + 4)
    archive.write_bytes(content[: at + 24] + (10).to_bytes(4, "little") + content[at + 28 :])
    unpacked_members, skipped = outcome(archive)
    assert [item.name for item in unpacked_members] == ["good.pdf"]
    assert [(item.name, item.document_lost) for item in skipped] == [("zeros.pdf", True), ("liar.pdf", True)]
    assert skipped[0].reason == "larger than 1 MB (limits.megabytes)"
    assert [path.name for path in (tmp_path / "unpacked").iterdir()] == [unpacked_members[0].path.name]


@pytest.mark.parametrize("ending", ["zip", "tar.gz", "tar.xz"])
@pytest.mark.parametrize("size", [90_000, 2 * MB], ids=["unpacked", "skipped"])
def test_an_archive_that_unpacks_to_too_much_is_stopped(tmp_path: Path, ending: str, size: int) -> None:
    archive = archive_of(tmp_path / f"bomb.{ending}", [(f"{number}.pdf", bytes(size)) for number in range(20)])
    if ending == "zip" and size > MB:
        pytest.skip("skipping a member of a zip unpacks nothing")
    unpacked_members, skipped = outcome(archive, max_bytes=100_000)
    assert len(unpacked_members) < 10
    assert skipped[-1].document_lost
    assert "as a bomb does" in skipped[-1].reason


def test_headers_that_would_fill_the_memory_end_a_tar_file(tmp_path: Path) -> None:
    info = tarfile.TarInfo("a.pdf")
    info.pax_headers = {"comment": "x" * (64 * MB)}
    archive = tar_of(tmp_path / "a.tar.xz", [("first.pdf", b"x")], info)
    tracemalloc.start()
    unpacked_members, skipped = outcome(archive)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [item.name for item in unpacked_members] == ["first.pdf"]
    assert "too large" in skipped[0].reason
    assert peak < 30 * MB


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_is_never_unpacked_in_memory(tmp_path: Path, method: int) -> None:
    archive = zip_of(tmp_path / "a.zip", [("zeros.pdf", bytes(100 * MB))], method)
    tracemalloc.start()
    unpacked_members, _ = outcome(archive, max_bytes=1000 * MB)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert unpacked_members[0].size == 100 * MB
    assert peak < 90 * MB


def test_archives_in_archives_are_unpacked_to_a_depth(tmp_path: Path) -> None:
    content = b"deep"
    for depth in range(MAX_DEPTH + 1):
        inner = archive_of(
            tmp_path / f"{depth}.{'tar.gz' if depth % 2 else 'zip'}", [("a.pdf", b"%d" % depth), (f"in{depth}", content)]
        )
        content = inner.read_bytes()
    unpacked_members, skipped = outcome(inner)
    inside = ["/".join(f"in{level}" for level in range(MAX_DEPTH, last - 1, -1)) for last in range(MAX_DEPTH, 0, -1)]
    assert [item.name for item in unpacked_members] == ["a.pdf", *(f"{place}/a.pdf" for place in inside), f"{inside[-1]}/in0"]
    outer = zip_of(tmp_path / "outer.zip", [("deeper.zip", content), ("cut.zip", content[:-30]), ("b.pdf", b"x")])
    unpacked_members, skipped = outcome(outer)
    assert [item.name for item in unpacked_members][-1] == "b.pdf"
    assert [(item.name, item.document_lost) for item in skipped] == [(f"deeper.zip/{inside[-1]}", True), ("cut.zip", True)]
    assert {path for path in (tmp_path / "unpacked").iterdir() if path.stat().st_size > 20} == set()


def raw_zip(path: Path, names: list[bytes]) -> Path:
    """A zip with these bytes as names, without a mark of their encoding."""
    placeholders = [f"{number:02}".ljust(len(name), "x") for number, name in enumerate(names)]
    content = zip_of(path, [(name, name.encode()) for name in placeholders]).read_bytes()
    for placeholder, name in zip(placeholders, names, strict=True):
        content = content.replace(b"\x00" + placeholder.encode(), b"\x00" + name)
    path.write_bytes(content)
    return path


def test_every_member_gets_a_unique_name_and_the_same_one_every_time(tmp_path: Path) -> None:
    names = [
        "請求書.pdf".encode("shift-jis"),
        "表.pdf".encode("shift-jis"),
        "Müller.pdf".encode("cp850"),
        "Müller.pdf".encode(),
    ]
    packed = raw_zip(tmp_path / "odd.zip", names)
    assert [item.name for item in outcome(packed)[0]][2:] == ["Müller.pdf", "Müller.pdf~2"]
    odd = [
        b"\xff\xfe.pdf",
        b"a\x07b\n.pdf",
        b"n" * 300 + b".pdf",
        b"f/" * 900 + b"deep.pdf",
        b"x",
        b"x.json/y",
        b"y.json/z",
        b"y",
    ]
    decoded = [
        name.decode(errors="surrogateescape") for name in (*names, *odd, b"same.pdf", b"same.pdf", b"same.pdf~2", b"same.pdf")
    ]
    tar = tar_of(tmp_path / "odd.tar", [(name, b"x") for name in decoded])
    for archive, count in ((packed, 4), (tar, len(decoded))):
        unpacked_members, skipped = outcome(archive)
        assert not skipped
        assert len({item.name for item in unpacked_members}) == len({item.path for item in unpacked_members}) == count
        assert unpacked_members == outcome(archive)[0]
        for item in unpacked_members:
            assert item.name.isprintable()
            assert item.original_name.isprintable()
            result = tmp_path / "outbox" / f"{item.name}.json"
            result.parent.mkdir(parents=True, exist_ok=True)
            result.write_text("")


def test_thousands_of_members_with_one_name_do_not_take_long(tmp_path: Path) -> None:
    unpacked_members, _ = outcome(tar_of(tmp_path / "a.tar", [("a.pdf", b"x")] * 2000))
    assert unpacked_members[-1].name == "a.pdf~2000"


def test_a_damaged_member_of_a_zip_loses_only_itself(tmp_path: Path) -> None:
    archive = zip_of(
        tmp_path / "odd.zip", [("a.pdf", b"one"), ("bad.pdf", b"BROKEN" * 9), ("c.pdf", b"three")], zipfile.ZIP_STORED
    )
    archive.write_bytes(archive.read_bytes().replace(b"BROKEN", b"BRoKEN", 1))
    unpacked_members, skipped = outcome(archive)
    assert [item.path.read_bytes() for item in unpacked_members] == [b"one", b"three"]
    assert [(item.name, item.document_lost) for item in skipped] == [("bad.pdf", True)]


@pytest.mark.parametrize("ending", MODES)
def test_members_behind_a_damaged_place_of_a_tar_file_are_reported_as_lost(tmp_path: Path, ending: str) -> None:
    noise = bytes(hash((n, 7)) % 251 for n in range(100_000))
    archive = tar_of(tmp_path / f"a.{ending}", [("a.pdf", b"x"), ("b.pdf", noise), ("c.pdf", b"x")])
    archive.write_bytes(archive.read_bytes()[: 60_000 if ending == "tar" else 2000])
    unpacked_members, skipped = outcome(archive)
    assert [item.name for item in unpacked_members] in ([], ["a.pdf"])
    assert [item.document_lost for item in skipped] == [True]
    assert "cannot be found" in skipped[0].reason or "cannot be unpacked" in skipped[0].reason
    assert [path.name for path in (tmp_path / "unpacked").iterdir()] == [item.path.name for item in unpacked_members]


def test_a_damaged_header_and_a_missing_end_of_a_tar_file_are_reported(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tar", [("a.pdf", b"x"), ("b.pdf", b"x"), ("c.pdf", b"x")])
    content = archive.read_bytes()
    archive.write_bytes(content.replace(b"b.pdf", b"B.pdf"))
    unpacked_members, skipped = outcome(archive)
    assert [item.name for item in unpacked_members] == ["a.pdf"]
    assert [(item.document_lost, "what follows member 1 cannot be found" in item.reason) for item in skipped] == [(True, True)]
    archive.write_bytes(content[: 6 * 512])
    unpacked_members, skipped = outcome(archive)
    assert len(unpacked_members) == 3
    assert ["cut off" in item.reason for item in skipped] == [True]


def test_a_tar_header_that_points_backwards_does_not_loop(tmp_path: Path) -> None:
    info = tarfile.TarInfo("a.pdf")
    info.pax_headers = {"size": "-1024"}
    unpacked_members, skipped = outcome(tar_of(tmp_path / "a.tar", [], info))
    assert not unpacked_members
    assert skipped[0].document_lost


@pytest.mark.parametrize("mark", [b"Rar!\x1a\x07\x01\0", b"\x28\xb5\x2f\xfd"])
def test_unsupported_archives_are_refused_with_a_hint(tmp_path: Path, mark: bytes) -> None:
    archive = tmp_path / "scans.tar.zst"
    archive.write_bytes(mark + bytes(999))
    assert is_archive(archive)
    ((skipped,),) = outcome(archive)[1:]
    assert "unpack it and put the files into the inbox" in skipped.reason
    assert skipped.document_lost


def test_documents_are_not_archives(tmp_path: Path) -> None:
    office = zip_of(tmp_path / "letter.docx", [("[Content_Types].xml", b"x"), ("word/media/image1.png", b"x")])
    portfolio = tmp_path / "portfolio.pdf"
    portfolio.write_bytes(text_pdf(["A page"]) + zip_of(tmp_path / "in.zip", [("a.pdf", b"x")]).read_bytes())
    (tmp_path / "zeros.pdf").write_bytes(bytes(20_000))
    (tmp_path / "empty.pdf").write_bytes(b"")
    assert not [path.name for path in tmp_path.iterdir() if path.name != "in.zip" and is_archive(path)]
    assert not is_archive(tmp_path)
    unpacked_members, _ = outcome(zip_of(tmp_path / "outer.zip", [("letter.docx", office.read_bytes())]))
    assert [item.name for item in unpacked_members] == ["letter.docx"]
    assert outcome(zip_of(tmp_path / "empty.zip", []))[1] == [SkippedMember("", "holds no file", False, of_container=True)]


def test_members_are_unpacked_one_at_a_time_and_deleted_after_use(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "a.zip", [(f"{number}.pdf", b"12345") for number in range(9)])
    into, unpacked = tmp_path / "unpacked", UnpackedFiles(files=3, size=1000)
    names = []
    for item in unpack(archive, into, max_bytes=MB):
        if not isinstance(item, UnpackedMember):
            continue
        names.append(item)
        unpacked.add(item)
        if unpacked.full:
            unpacked.remove(names.pop(0).path)
        assert len(list(into.iterdir())) <= 3
    unpacked.remove(archive)
    assert archive.exists(), "only members are deleted"
    assert not UnpackedFiles(files=3, size=11).full
    few = UnpackedFiles(files=3, size=10)
    few.add(names[0])
    assert not few.full
    few.add(names[1])
    assert few.full


def test_only_needed_members_are_unpacked_also_in_nested_archives(tmp_path: Path) -> None:
    inner = tar_of(tmp_path / "in.tar.gz", [("a.pdf", b"one"), ("b.pdf", b"two")])
    archive = tar_of(tmp_path / "a.tar.gz", [("a.pdf", b"three"), ("in.tgz", inner.read_bytes()), ("c.pdf", b"four")])
    needed = {item.path for item in outcome(archive)[0] if item.name in ("in.tgz/b.pdf", "c.pdf")}
    items = list(unpack(archive, tmp_path / "unpacked", max_bytes=MB, is_needed=needed.__contains__))
    assert [item.name for item in items if isinstance(item, UnpackedMember)] == ["in.tgz/b.pdf", "c.pdf"]
    assert set((tmp_path / "unpacked").iterdir()) == needed


@pytest.mark.slow
def test_zips_with_more_than_65535_members_are_read_by_their_zip64_directory(tmp_path: Path) -> None:
    archive = tmp_path / "many.zip"
    with zipfile.ZipFile(archive, "w") as pack:
        with pack.open("first.pdf", "w", force_zip64=True) as member:
            member.write(b"x")
        for number in range(0xFFFF):
            pack.writestr(f"{number}.pdf", b"")
    with archive.open("rb") as file:
        sizes = [member.size for member in zip_members(file)]
    assert (len(sizes), sizes[0]) == (0x10000, 1)
    with (tmp_path / "cut.zip").open("wb") as file:
        file.write(archive.read_bytes()[:-100])
    assert "cut off" in outcome(tmp_path / "cut.zip")[1][0].reason


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz"])
def test_damage_of_any_kind_is_reported_and_never_raised(tmp_path: Path, ending: str) -> None:
    members = [("a.pdf", b"one"), ("2024/" + "n" * 150 + ".pdf", b"two" * 200), ("c.pdf", b"three")]
    content = archive_of(tmp_path / f"a.{ending}", members).read_bytes()[:6000]
    chance = random.Random(7)
    archive = tmp_path / "damaged"
    for _ in range(200):
        bad = bytearray(content)
        for _ in range(chance.randint(1, 6)):
            bad[chance.randrange(len(bad))] = chance.choice([0, 1, 0x7F, 0x80, 0xFF])
        archive.write_bytes(bad[: chance.choice([len(bad), chance.randrange(len(bad))])])
        for item in unpack(archive, tmp_path / "unpacked", max_bytes=MB):
            if isinstance(item, UnpackedMember):
                item.path.unlink()
        assert not list((tmp_path / "unpacked").iterdir())


def test_impossible_offsets_and_sizes_count_as_damage(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "far.zip", [("a.pdf", b"x"), ("b.pdf", b"x")], zipfile.ZIP_STORED)
    content = archive.read_bytes()
    entry = content.index(b"PK\1\2")
    far = bytearray(content[entry : entry + 46 + 5])
    far[30:32], far[42:46] = (12).to_bytes(2, "little"), b"\xff" * 4
    end = bytearray(content[-22:])
    end[12:16] = (int.from_bytes(end[12:16], "little") + 12).to_bytes(4, "little")
    archive.write_bytes(content[:entry] + far + struct.pack("<2HQ", 1, 8, 2**64 - 1) + content[entry + 51 : -22] + end)
    unpacked_members, skipped = outcome(archive)
    assert ([item.name for item in unpacked_members], [item.name for item in skipped]) == (["b.pdf"], ["a.pdf"])
    info = tarfile.TarInfo("a.pdf")
    info.size = 2**70
    archive = tmp_path / "far.tar"
    archive.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    assert [item.document_lost for item in outcome(archive)[1]] == [True, True]


def test_a_full_disk_ends_the_run(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "a.zip", [("a.pdf", b"x")])
    (tmp_path / "unpacked").write_text("a file, no folder")
    with pytest.raises(OutboxError):
        outcome(archive)


@pytest.mark.parametrize("ending", ["zip", *MODES])
def test_housekeeping_and_names_of_the_users_patterns_are_not_unpacked(tmp_path: Path, ending: str) -> None:
    passed = ["__MACOSX/a.pdf", "x/@EADIR/a.pdf", "Thumbs.db", "~$offer.docx", "x/drafts/b.pdf"]
    archive = archive_of(tmp_path / f"scans.{ending}", [(name, b"x") for name in [*passed, "lost+found.pdf", "kept.tmp"]])
    names = IgnoredNames(("drafts/", "!*.tmp"))
    items = list(unpack(archive, tmp_path / "unpacked", max_bytes=MB, ignored=names))
    assert [item.name for item in items if isinstance(item, UnpackedMember)] == ["lost+found.pdf", "kept.tmp"]
    skipped = [item for item in items if isinstance(item, SkippedMember)]
    assert [(item.name, item.document_lost) for item in skipped] == [(name, False) for name in passed]


def test_members_whose_names_some_file_systems_take_for_one_have_results_apart(tmp_path: Path) -> None:
    names = [
        "Scan.pdf",
        "scan.PDF",
        "R\u00e9sum\u00e9.pdf",
        "Re\u0301sume\u0301.pdf",
        "SUB/x.pdf",
        "sub/X.pdf",
        "A.json/b",
        "a",
    ]
    archive = tar_of(tmp_path / "a.tar", [(name, name.encode()) for name in names])
    members, skipped = outcome(archive)
    assert skipped == []
    assert [item.original_name for item in members] == names
    assert len({unicodedata.normalize("NFC", unicodedata.normalize("NFC", item.name).casefold()) for item in members}) == len(
        names
    )
    assert members[-1].name == "a~2"  # its result would be the folder of the one before
    assert [item.name for item in outcome(archive)[0]] == [item.name for item in members]
