"""Crashes while files are moved and deleted, and shares that are not mounted, lose and double nothing."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drawing import encrypted_pdf, text_pdf
from tests.run.conftest import RunFolders
from tests.run.dying_runs import DyingRuns, dying_runs
from tests.run.processes import Workspace

GOOD = ("a.pdf", "letters/b.pdf", "letters/c.pdf")
SEALED = "sealed.pdf"


@pytest.fixture(scope="module")
def dying() -> Iterator[DyingRuns]:
    """A process that starts runs which are killed."""
    with dying_runs() as process:
        yield process


@pytest.fixture
def other_file_system() -> Iterator[Path]:
    """A folder on a file system other than that of the temporary files."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == Path(tempfile.gettempdir()).stat().st_dev:
        pytest.skip("there is no second file system at /dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory))
    yield folder
    shutil.rmtree(folder)


def kept_files(folders: RunFolders) -> dict[str, bytes]:
    """Contents by name of files that a run has published and left in the inbox."""
    contents = {name: text_pdf([name]) for name in GOOD} | {SEALED: encrypted_pdf()}
    for name, content in contents.items():
        folders.put(name, content)
    folders.changes["after"] = "keep"
    folders.run()
    return contents


def documents(folders: RunFolders) -> Counter[str]:
    return Counter(row["file"] for row in folders.csv("documents"))


def places(folders: RunFolders) -> dict[str, str]:
    """Place by name, as the ledger has it."""
    with sqlite3.connect(folders.outbox / ".pipeline" / "ledger.sqlite") as db:
        assert db.execute("SELECT count(*) FROM removals").fetchone() == (0,), "a removal is still open"
        return dict(db.execute("SELECT name, place FROM files"))


def originals(folders: RunFolders) -> Counter[bytes]:
    """Contents of all files outside of the outbox, without the reasons of failed ones."""
    beside = folders.inbox.parent
    roots = {folders.inbox, beside / "failed", beside / "below", folders.changes["archive"]}
    files = (path for root in roots for path in root.rglob("*") if path.is_file())
    return Counter(path.read_bytes() for path in files if not path.name.endswith(".reason.txt"))


def check_archived(folders: RunFolders, contents: dict[str, bytes]) -> None:
    after = folders.changes["after"]
    assert documents(folders) == Counter(contents.keys())
    kept = {name: content for name, content in contents.items() if after == "move" or name == SEALED}
    assert originals(folders) == Counter(kept.values())
    assert not any(path.is_file() for path in folders.inbox.rglob("*")), "a file is left in the inbox"
    assert places(folders) == {
        name: "failed" if name == SEALED else {"move": "archive", "delete": "deleted"}[after] for name in contents
    }


def check_every_step(dying: DyingRuns, folders: RunFolders, after: str, archive: Path, *, stride: int = 1) -> None:
    """Kill a run before every step of its archiving. The next run finishes the work, and the names are free for other files."""
    folders.changes["archive"] = archive
    contents = kept_files(folders)
    saved = folders.inbox.parent / "saved"
    for name in ("inbox", "outbox"):
        shutil.copytree(folders.inbox.parent / name, saved / name, copy_function=shutil.copy2)
    folders.changes["after"] = after
    step, killed = 1, 0
    while True:
        for name in ("inbox", "outbox", "failed"):
            shutil.rmtree(folders.inbox.parent / name, ignore_errors=True)
        shutil.rmtree(archive, ignore_errors=True)
        for name in ("inbox", "outbox"):
            shutil.copytree(saved / name, folders.inbox.parent / name, copy_function=shutil.copy2)
        was_killed = dying.run(folders, step)
        if was_killed:
            folders.run()
        check_archived(folders, contents)
        if not was_killed:
            break
        killed += 1
        step += stride
    assert killed > 9 / stride, "the kills must fall into the archiving"
    folders.put("a.pdf", text_pdf(["Another one"]))
    folders.run()
    assert folders.texts("a.pdf") == ["a.pdf"]
    assert folders.texts("a.pdf~2") == ["Another one"]


@pytest.mark.parametrize("after", ["move", "delete"])
def test_a_crash_at_any_step_loses_and_doubles_nothing(
    dying: DyingRuns, folders: RunFolders, tmp_path: Path, after: str
) -> None:
    check_every_step(dying, folders, after, tmp_path / "archive", stride=3)


@pytest.mark.slow
@pytest.mark.parametrize("after", ["move", "delete"])
def test_a_crash_at_every_step_loses_and_doubles_nothing(
    dying: DyingRuns, folders: RunFolders, tmp_path: Path, after: str
) -> None:
    check_every_step(dying, folders, after, tmp_path / "archive")


@pytest.mark.slow
def test_a_crash_while_files_move_to_another_file_system(
    dying: DyingRuns, folders: RunFolders, other_file_system: Path
) -> None:
    check_every_step(dying, folders, "move", other_file_system / "archive")


# ---- shares that are not mounted ------------------------------------------------------------------------


@pytest.mark.parametrize("folder", [".", "letters"])
@pytest.mark.parametrize("after", ["move", "delete"])
def test_files_of_a_share_that_is_not_mounted_for_one_start(
    folders: RunFolders, tmp_path: Path, after: str, folder: str
) -> None:
    """An empty mount point says nothing about the files of the share."""
    folders.changes["archive"] = tmp_path / "archive"
    contents = kept_files(folders)
    mount_point, share = folders.inbox / folder, tmp_path / "share"
    mount_point.rename(share)
    mount_point.mkdir()
    folders.changes["after"] = after
    folders.run()
    mount_point.rmdir()
    share.rename(mount_point)
    folders.run()
    folders.run()
    check_archived(folders, contents)


@pytest.mark.parametrize("unmounted", ["inbox", "archive"])
@pytest.mark.parametrize("after", ["move", "delete"])
def test_a_crash_and_then_a_start_without_the_share(
    dying: DyingRuns, folders: RunFolders, tmp_path: Path, after: str, unmounted: str
) -> None:
    folders.changes["archive"] = tmp_path / "archive"
    contents = kept_files(folders)
    folders.changes["after"] = after
    assert dying.run(folders, 12), "the kill must fall into the archiving"
    mount_point, share = tmp_path / unmounted, tmp_path / "share"
    if mount_point.exists():
        mount_point.rename(share)
        mount_point.mkdir()
        folders.run()
        mount_point.rename(tmp_path / "below")  # what lies below a mounted share is there, though not to be seen
        share.rename(mount_point)
    folders.run()
    folders.run()
    check_archived(folders, contents)


def test_a_deleted_file_stays_deleted_however_often_the_program_starts(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.put("a.pdf")
    assert workspace.run("run", AFTER="delete")[0] == 0
    for _ in range(3):
        code, _, err = workspace.run("run", AFTER="delete")
        assert code == 0, err
    with sqlite3.connect(workspace.outbox / ".pipeline" / "ledger.sqlite") as db:
        row = db.execute("SELECT path, place, deleted_path FROM files").fetchone()
    assert row == (None, "deleted", os.fsencode(workspace.inbox / "a.pdf"))


def test_many_starts_change_no_row_of_the_ledger(folders: RunFolders, tmp_path: Path) -> None:
    folders.changes["archive"] = tmp_path / "archive"
    kept_files(folders)
    folders.changes["after"] = "delete"
    folders.run()

    def rows() -> list[tuple[object, ...]]:
        with sqlite3.connect(folders.outbox / ".pipeline" / "ledger.sqlite") as db:
            return list(db.execute("SELECT * FROM files ORDER BY name"))

    before = rows()
    for _ in range(50):
        folders.run()
    assert rows() == before
