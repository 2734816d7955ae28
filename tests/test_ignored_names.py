"""Which names are no documents: the built-in table, and patterns of the user."""

from __future__ import annotations

import pytest

from pipeline.errors import SettingsError
from pipeline.ignored_names import IgnoredNames
from pipeline.settings import load_settings

HOUSEKEEPING = (
    "@eaDir/a.pdf/SYNOPHOTO_THUMB_M.jpg", "#recycle/a.pdf", "#snapshot/daily/a.pdf", "@tmp/a.pdf", "a.pdf@SynoEAStream",
    "@Recycle/a.pdf", "@Recently-Snapshot/a.pdf", "$RECYCLE.BIN/S-1-5/$R1.pdf", "System Volume Information/a.pdf", "found.000/a.pdf",
    "Thumbs.db", "Thumbs.db:encryptable", "ehthumbs.db", "desktop.ini", "__MACOSX/._a.pdf", "__MACOSX/a.pdf",
    "Network Trash Folder/a.pdf", "Temporary Items/a.pdf", "Icon\r", ".DS_Store", "._a.pdf", ".Trashes/501/a.pdf",
    ".Trash-1000/files/a.pdf", "lost+found/#123.pdf", "~$offer.docx", "~WRL0001.tmp", ".~lock.offer.odt#", "a.pdf~", "a.swp", "#a.txt#",
    "a.pdf.part", "a.pdf.partial", "a.pdf.crdownload", "a.pdf.download/a.pdf", "a.pdf.opdownload", "a.pdf.crswap", "a.pdf.filepart",
    "a.pdf.aria2", "a.pdf.dtapart", "a.pdf.!ut", "a.pdf.!qB", "a.pdf.bc!", "a.pdf.!sync", ".sync_0a1b.db", ".~a.pdf", ".stfolder/a",
    ".stversions/a.pdf", "~syncthing~a.pdf.tmp", ".syncthing.a.pdf.tmp", ".dropbox.cache/a.pdf", ".a.pdf.Ab12Cd", ".a.pdf.icloud",
    ".nfs000001", "a.pdf.reason.txt", ".uploads/a.pdf",
)  # fmt: skip
DOCUMENTS = (
    "lost+found.pdf", "parts.pdf", "part.pdf", "Recycle/a.pdf", "recycle.pdf", "eaDir/a.pdf", "download.pdf", "tmp/a.pdf",
    "Thumbs.pdf", "thumbs.db.pdf", "desktop.ini.pdf", "System Volume.pdf", "$R1.pdf", "a (conflicted copy).pdf", "a.sync-conflict-1.pdf",
    "~offer.docx", "a@b.pdf", "#1 invoice.pdf", "found.pdf", "found.0001/a.pdf", "partial/a.pdf", "swp/a.pdf", "MACOSX/a.pdf",
    "lost+found", "@eaDir", "a.download.pdf", "Rechnung Nr. 7.pdf",
)  # fmt: skip


@pytest.mark.parametrize("name", HOUSEKEEPING)
@pytest.mark.parametrize("folder", ["", "2026/March/"])
def test_housekeeping_is_no_document_in_any_folder_and_spelling(name: str, folder: str) -> None:
    for spelling in (name, name.upper(), name.lower()):
        assert IgnoredNames().ignores_path(folder + spelling)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_with_a_similar_name_is_read(name: str) -> None:
    assert not IgnoredNames().ignores_path(name)
    assert not IgnoredNames().ignores_path(f"2026/{name}")


@pytest.mark.parametrize(
    ("patterns", "ignored", "read"),
    [
        (("*.bak",), ["a.bak", "x/y/A.BAK"], ["a.bak.pdf", "bak"]),
        (("drafts/",), ["drafts/a.pdf", "x/Drafts/y/a.pdf"], ["drafts", "drafts.pdf"]),
        (("/drafts/",), ["drafts/a.pdf"], ["x/drafts/a.pdf"]),
        (("x/*.pdf",), ["x/a.pdf"], ["x/y/a.pdf", "y/x/a.pdf", "a.pdf"]),
        (("x/**/old",), ["x/old", "x/y/z/old"], ["x/older", "y/old"]),
        (("**/old/*.pdf",), ["old/a.pdf", "x/old/a.pdf"], ["x/old/y/a.pdf"]),
        (("old/**",), ["old/a.pdf", "old/x/a.pdf"], ["x/old/a.pdf", "old"]),
        (("scan?.pdf",), ["scan1.pdf"], ["scan10.pdf", "scan.pdf"]),
        (("scan[0-4].pdf",), ["scan3.pdf"], ["scan5.pdf"]),
        (("scan[!0-4].pdf",), ["scan5.pdf"], ["scan3.pdf"]),
        (("*.pdf", "!keep.pdf"), ["a.pdf"], ["keep.pdf", "x/keep.pdf"]),
        (("!keep.pdf", "*.pdf"), ["keep.pdf"], []),
        (("!*.tmp",), ["a.part"], ["a.tmp", "x/a.tmp"]),
        (("!.scans/",), [".other/a.pdf", ".scans/.a.pdf"], [".scans/a.pdf"]),
        (("!*",), ["a.pdf.reason.txt", ".uploads/a.pdf"], [".hidden.pdf"]),
        (("#*",), ["#1.pdf"], ["1.pdf"]),
        ((r"\!a.pdf",), ["!a.pdf"], ["a.pdf"]),
        (("a[.pdf",), ["a[.pdf"], ["a.pdf"]),
        (("a+b(c).pdf",), ["a+b(c).pdf"], ["aab(c).pdf"]),
    ],
    ids=str,
)
def test_patterns_are_those_of_gitignore(patterns: tuple[str, ...], ignored: list[str], read: list[str]) -> None:
    names = IgnoredNames(patterns)
    assert {path: names.ignores_path(path) for path in [*ignored, *read]} == {
        **dict.fromkeys(ignored, True),
        **dict.fromkeys(read, False),
    }


@pytest.mark.parametrize("pattern", ["", "!", "/", "a[z-a]"])
def test_a_wrong_pattern_is_named_with_its_key(pattern: str) -> None:
    with pytest.raises(SettingsError, match=r"intake\.ignore"):
        load_settings(None, search=False, intake={"ignore": ["*.bak", pattern]})


def test_a_hostile_name_is_judged_quickly() -> None:
    names = IgnoredNames(("**/a*/**/b*c*d*e",))
    assert not names.ignores_path("/".join(["ab"] * 100) + "/" + "bcd" * 80)
