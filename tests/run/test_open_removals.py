"""Removals that a crash has left open: what comes to the path of such a file, and what is concluded from files that are not seen."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.ledger.ledger import Ledger
from pipeline.ledger.removal_records import Removal
from tests.drawing import text_pdf
from tests.run.conftest import RunFolders
from tests.run.test_archive_changes import removal

NAME = "letters/b.pdf"
OTHER = text_pdf(["Another one"])


@pytest.fixture
def read(folders: RunFolders, tmp_path: Path) -> RunFolders:
    """Folders in which two documents were read and kept. Later runs move or delete them."""
    folders.changes.update(after="keep", archive=tmp_path / "archive")
    folders.put("a.pdf", text_pdf(["Alpha"]))
    folders.put(NAME, text_pdf(["Beta"]))
    folders.run()
    folders.changes["after"] = "move"
    return folders


def begin(folders: RunFolders, name: str, *, to: Path | None, claimed: bool = True) -> Removal:
    """Leave what a run leaves that is killed when it has recorded a removal, and given the file the name of its claim."""
    begun = removal(folders.inbox / name, to)
    with Ledger(folders.outbox / ".pipeline") as ledger:
        ledger.begin_removals([begun])
    if claimed and begun.claim:
        begun.path.rename(begun.claim)
    return begun


def target(folders: RunFolders, name: str) -> Path:
    path: Path = folders.changes["archive"] / "2026-01-01" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def open_removals(folders: RunFolders) -> list[Removal]:
    with Ledger(folders.outbox / ".pipeline") as ledger:
        return ledger.open_removals()


def place(folders: RunFolders, name: str) -> str:
    with sqlite3.connect(folders.outbox / ".pipeline" / "ledger.sqlite") as db:
        return str(db.execute("SELECT place FROM files WHERE name = ?", [name]).fetchone()[0])


def rows(folders: RunFolders) -> list[str]:
    return sorted(row["file"] for row in folders.csv("documents"))


def unmount(folder: Path, share: Path) -> Path:
    """Put an empty mount point in the place of a folder. Returns where the folder is meanwhile."""
    folder.rename(share)
    folder.mkdir()
    return share


def mount(share: Path, folder: Path) -> None:
    """Put the folder back. What has come to the mount point is hidden, as below a mounted share."""
    folder.rename(share.with_name(f"below {share.name}"))
    share.rename(folder)


# ---- what comes to the path of a file that leaves -----------------------------------------------------------


@pytest.mark.parametrize("after", ["move", "delete"])
def test_a_namesake_takes_neither_result_nor_claim_of_a_file_that_leaves(read: RunFolders, tmp_path: Path, after: str) -> None:
    folder = read.inbox / "letters"
    begin(read, NAME, to=target(read, NAME) if after == "move" else None)
    share = unmount(folder, tmp_path / "share")
    read.changes["after"] = "keep"
    read.put(NAME, OTHER)
    read.run()
    assert (read.texts(NAME), read.texts("letters_b.pdf~2")) == (["Beta"], ["Another one"])
    read.changes["after"] = after
    read.run()  # the namesake leaves as well
    assert not (folder / "b.pdf").exists()
    mount(share, folder)
    read.run()
    assert rows(read) == ["a.pdf", NAME, "letters_b.pdf~2"]
    assert (read.texts(NAME), read.texts("letters_b.pdf~2")) == (["Beta"], ["Another one"])
    assert not list(folder.iterdir()), "the claim is left hidden"
    assert open_removals(read) == []
    gone = {"move": "archive", "delete": "deleted"}[after]
    assert (place(read, NAME), place(read, "letters_b.pdf~2")) == (gone, gone)


def test_a_removal_of_a_namesake_does_not_replace_an_open_one(tmp_path: Path) -> None:
    first = Removal(
        Path("/in/a.pdf"), "archive", Path("/archive/a.pdf"), Path("/in/.a.pdf.00000001.claimed"), 1, 2, 3, 4, 5, "first"
    )
    second = replace(first, target=Path("/archive/a-2.pdf"), claim=Path("/in/.a.pdf.00000002.claimed"), sha256="second")
    with Ledger(tmp_path) as ledger:
        ledger.begin_removals([first])
        ledger.begin_removals([second])
        assert ledger.open_removals() == [first, second]
        ledger.end_removals([second])
        assert ledger.open_removals() == [first]


def test_a_renamed_file_does_not_replace_the_result_of_a_file_that_leaves(read: RunFolders, tmp_path: Path) -> None:
    begin(read, NAME, to=target(read, NAME))
    share = unmount(read.inbox / "letters", tmp_path / "share")
    read.changes["after"] = "keep"
    (read.inbox / "a.pdf").rename(read.inbox / NAME)
    read.run()
    assert read.texts(NAME) == ["Beta"]
    mount(share, read.inbox / "letters")
    read.changes["after"] = "move"
    read.run()
    assert read.texts(NAME) == ["Beta"]
    assert NAME in rows(read)


def test_a_copy_of_a_file_that_left_does_not_take_its_record(read: RunFolders, tmp_path: Path) -> None:
    """The file is in the archive, which is not there now."""
    moved_to = target(read, "a.pdf")
    begun = begin(read, "a.pdf", to=moved_to, claimed=False)
    begun.path.rename(moved_to)
    share = unmount(read.changes["archive"], tmp_path / "share")
    read.put("copy.pdf", text_pdf(["Alpha"]))
    read.changes["after"] = "keep"
    read.run()
    mount(share, read.changes["archive"])
    read.run()
    assert rows(read) == ["a.pdf", "copy.pdf", NAME]
    assert (place(read, "a.pdf"), place(read, "copy.pdf")) == ("archive", "original")


# ---- what is concluded from files that are not seen ---------------------------------------------------------


def test_a_file_that_was_copied_is_known_in_the_archive_while_its_share_is_not_there(
    read: RunFolders, tmp_path: Path, other_file_system: Path
) -> None:
    read.changes["archive"] = other_file_system / "archive"
    copy = target(read, NAME)
    begun = begin(read, NAME, to=copy)
    assert begun.claim
    shutil.copy2(begun.claim, copy)
    share = unmount(read.inbox / "letters", tmp_path / "share")
    read.run()
    assert place(read, NAME) == "archive"
    assert open_removals(read) == [begun], "the original is not deleted yet"
    mount(share, read.inbox / "letters")
    read.run()
    assert open_removals(read) == []
    assert not list((read.inbox / "letters").iterdir())
    assert copy.exists()
    assert (rows(read), read.texts(NAME)) == (["a.pdf", NAME], ["Beta"])


@pytest.mark.parametrize("claimed", [False, True])
def test_a_file_in_the_place_of_a_folder_of_the_archive_leaves_no_removal_open(read: RunFolders, claimed: bool) -> None:
    moved_to = target(read, NAME)
    begun = begin(read, NAME, to=moved_to, claimed=claimed)
    moved_to.parent.rmdir()
    moved_to.parent.write_bytes(b"a file")
    read.changes["after"] = "keep"
    read.run()
    assert open_removals(read) == []
    assert begun.path.exists()
    assert place(read, NAME) == "original"


def test_a_namesake_on_another_share_does_not_end_the_removal_of_a_file(read: RunFolders, tmp_path: Path) -> None:
    begun = begin(read, NAME, to=None)
    unmount(read.inbox / "letters", tmp_path / "share")
    read.put(NAME, OTHER)
    read.changes["after"] = "keep"
    read.run()
    assert begun in open_removals(read)


@pytest.mark.parametrize("is_mounted", [False, True])
def test_a_file_without_a_trace_is_neither_archived_nor_read_again(read: RunFolders, tmp_path: Path, is_mounted: bool) -> None:
    """It is neither in the inbox nor in the archive: somebody took it, or the archive is not there."""
    moved_to = target(read, "a.pdf")
    begun = begin(read, "a.pdf", to=moved_to, claimed=False)
    (target(read, "others.pdf")).write_bytes(b"of an earlier day")
    begun.path.rename(moved_to)
    content = moved_to.read_bytes()
    if is_mounted:
        moved_to.unlink()
    else:
        share = unmount(read.changes["archive"], tmp_path / "share")
    read.changes["after"] = "keep"
    read.run()
    assert place(read, "a.pdf") == "original"
    assert open_removals(read) == ([] if is_mounted else [begun])
    if not is_mounted:
        mount(share, read.changes["archive"])
        read.run()
        assert place(read, "a.pdf") == "archive"
        assert moved_to.read_bytes() == content
    assert rows(read) == ["a.pdf", NAME]
