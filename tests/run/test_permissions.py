"""Results are no more readable than their documents; the program's own folder is private; a folder of a group stays one."""

from __future__ import annotations

import logging
import os
import stat
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.monitoring.logs import log_event, open_log
from pipeline.settings_sections import LogSettings
from tests.cli.conftest import Pipeline, folder, pipeline
from tests.drawing import text_pdf
from tests.run.conftest import RunFolders

__all__ = ["folder", "pipeline"]


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """The umask of most machines: all may read what is made."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def put(folders: RunFolders, name: str, mode: int, folder_mode: int = 0o755) -> None:
    path = folders.put(name, text_pdf([f"The text of {name}"]))
    path.chmod(mode)
    if "/" in name:
        path.parent.chmod(folder_mode)


@pytest.mark.parametrize(
    ("name", "document", "inside", "result"),
    [
        ("a.pdf", 0o600, 0o755, 0o600),
        ("a.pdf", 0o640, 0o755, 0o640),
        ("a.pdf", 0o644, 0o755, 0o644),
        ("in/a.pdf", 0o644, 0o700, 0o600),
        ("in/a.pdf", 0o644, 0o710, 0o640),
        ("in/a.pdf", 0o444, 0o755, 0o644),
    ],
)
def test_a_result_and_its_tables_have_no_right_that_the_document_withholds(
    folders: RunFolders, name: str, document: int, inside: int, result: int
) -> None:
    folders.outbox.mkdir()
    put(folders, "open.pdf", 0o644)
    folders.run()
    assert mode(folders.outbox / "transcript.csv") == 0o644
    put(folders, name, document, inside)
    folders.run()
    assert mode(folders.outbox / f"{name}.json") == result
    assert mode(folders.outbox / "open.pdf.json") == 0o644
    assert {mode(folders.outbox / f"{sheet}.csv") for sheet in ("documents", "transcript")} == {result}
    (folders.outbox / "transcript.csv").unlink()
    put(folders, "another.pdf", 0o644)
    folders.run()
    assert mode(folders.outbox / "transcript.csv") == result, "a table that is written anew as well"


def test_exports_have_no_right_that_a_document_withholds(folder: Path, pipeline: Pipeline) -> None:
    folders = RunFolders(folder / "inbox", folder / "outbox")
    put(folders, "a.pdf", 0o600)
    put(folders, "b.pdf", 0o644)
    folders.run()
    (folders.inbox / "a.pdf").unlink()
    formats = [part for kind in ("json", "csv", "xlsx", "sqlite", "parquet", "jsonl") for part in ("--format", kind)]
    for target in ([], ["--to", "elsewhere"]):
        outcome = pipeline("export", *formats, *target)
        assert outcome.code == 0, outcome.err
        place = folder / (target[1] if target else "outbox")
        files = [path for path in place.iterdir() if path.is_file()]
        assert len(files) > 6
        assert {path.name: mode(path) for path in files} == {
            path.name: 0o644 if path.name == "b.pdf.json" else 0o600 for path in files
        }
    assert pipeline("review").code == 0
    assert mode(folders.outbox / "review.html") == 0o600


def test_members_of_an_archive_are_as_private_as_the_archive(folder: Path, pipeline: Pipeline) -> None:
    (folder / "inbox").mkdir()
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("a.pdf", text_pdf(["Text"]))
    (folder / "a.zip").chmod(0o600)
    assert pipeline("reprocess", folder / "a.zip", "--template", "transcript").code == 0
    assert mode(folder / "outbox" / "a.zip" / "a.pdf.json") == 0o600


def test_the_programs_own_folder_is_private_also_where_an_older_version_made_it(folders: RunFolders) -> None:
    put(folders, "a.pdf", 0o644)
    folders.run()
    state = folders.outbox / ".pipeline"
    assert mode(state) == 0o700
    state.chmod(0o755)
    folders.run()
    assert mode(state) == 0o700


def test_a_folder_of_a_group_stays_one(folders: RunFolders) -> None:
    os.umask(0o002)
    folders.outbox.mkdir()
    folders.outbox.chmod(0o2770)
    put(folders, "a.pdf", 0o600)
    folders.run()
    assert mode(folders.outbox / "a.pdf.json") == 0o660
    assert mode(folders.outbox / "transcript.csv") == 0o660
    assert mode(folders.outbox / ".pipeline") == 0o2770
    assert mode(folders.outbox / ".pipeline" / "ledger.sqlite") & 0o060 == 0o060


def acl(*entries: tuple[int, int, int]) -> bytes:
    """An ACL as Linux stores it: tag, rights, number of the user or group."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


NOBODY = 0xFFFFFFFF
OWNER, USER, OWN_GROUP, MASK, OTHERS = 0x01, 0x02, 0x04, 0x10, 0x20


def set_acl(path: Path, name: str, value: bytes) -> None:
    try:
        os.setxattr(path, name, value)
    except OSError:
        pytest.skip("this file system has no ACLs")


def test_an_outbox_with_an_acl_gives_its_rights_to_results(folders: RunFolders) -> None:
    folders.outbox.mkdir()
    shared = acl((OWNER, 7, NOBODY), (USER, 7, 12345), (OWN_GROUP, 5, NOBODY), (MASK, 7, NOBODY), (OTHERS, 0, NOBODY))
    for name in ("system.posix_acl_access", "system.posix_acl_default"):
        set_acl(folders.outbox, name, shared)
    put(folders, "a.pdf", 0o644)
    folders.run()
    for name in ("a.pdf.json", "transcript.csv"):
        assert mode(folders.outbox / name) & 0o067 == 0o060, "the mask, not the umask, and nothing for others"
    assert mode(folders.outbox / ".pipeline") & 0o070 == 0o070


def test_a_document_whose_acl_names_others_is_not_one_of_its_group(folders: RunFolders) -> None:
    put(folders, "a.pdf", 0o600)
    named = acl((OWNER, 6, NOBODY), (USER, 4, 12345), (OWN_GROUP, 0, NOBODY), (MASK, 4, NOBODY), (OTHERS, 0, NOBODY))
    set_acl(folders.inbox / "a.pdf", "system.posix_acl_access", named)
    assert mode(folders.inbox / "a.pdf") == 0o640, "the mode shows the mask"
    folders.run()
    assert mode(folders.outbox / "a.pdf.json") == 0o600


def test_a_log_file_is_private_and_keeps_the_mode_that_its_owner_gives_it(tmp_path: Path) -> None:
    log = LogSettings(file=tmp_path / "run.log", megabytes=0.001, keep=2)
    with open_log(log):
        log_event(logging.WARNING, "warning", detail="x")
    assert mode(tmp_path / "run.log") == 0o600
    (tmp_path / "run.log").chmod(0o640)
    with open_log(log):
        for _ in range(100):
            log_event(logging.WARNING, "warning", detail="x")
    assert {path.name: mode(path) for path in tmp_path.iterdir()} == dict.fromkeys(("run.log", "run.log.1", "run.log.2"), 416)


def test_a_ledger_that_is_made_anew_knows_what_documents_withhold(folders: RunFolders) -> None:
    put(folders, "a.pdf", 0o600)
    folders.run()
    (folders.outbox / ".pipeline" / "ledger.sqlite").write_bytes(b"no database at all" * 1000)
    for name in ("documents.csv", "transcript.csv"):
        (folders.outbox / name).unlink()
    put(folders, "b.pdf", 0o644)
    folders.run()
    assert mode(folders.outbox / "a.pdf.json") == 0o600
    assert mode(folders.outbox / "b.pdf.json") == 0o644
    assert mode(folders.outbox / "transcript.csv") == 0o600


@pytest.mark.parametrize("after", ["move", "delete"])
def test_folders_for_moved_files_are_as_private_as_those_of_the_inbox(folders: RunFolders, tmp_path: Path, after: str) -> None:
    folders.changes.update(after=after, archive=tmp_path / "archive")
    folders.inbox.chmod(0o750)
    for name, inside in {"secret/a.pdf": 0o700, "secret/of/b.pdf": 0o755, "open/c.pdf": 0o755}.items():
        put(folders, name, 0o644, inside)
        folders.put(f"{name}.broken.pdf", b"%PDF-1.7 broken off")
    (folders.inbox / "secret").chmod(0o700)
    folders.run()
    roots = [tmp_path / "failed", *([*(tmp_path / "archive").iterdir(), tmp_path / "archive"] if after == "move" else [])]
    assert {mode(root) for root in roots} == {0o750}
    for root in roots[: 2 if after == "move" else 1]:
        modes = {name: mode(root / name) for name in ("secret", "secret/of", "open")}
        assert modes == {"secret": 0o700, "secret/of": 0o755, "open": 0o755}


def test_a_folder_that_exists_and_one_of_a_group_stay_as_their_owner_has_made_them(folders: RunFolders, tmp_path: Path) -> None:
    folders.changes.update(after="move", archive=tmp_path / "archive")
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive").chmod(0o2775)
    (tmp_path / "failed").mkdir()
    (tmp_path / "failed").chmod(0o755)
    folders.inbox.chmod(0o700)
    put(folders, "a.pdf", 0o644)
    folders.put("broken.pdf", b"%PDF-1.7 broken off")
    folders.run()
    (day,) = (tmp_path / "archive").iterdir()
    assert (mode(tmp_path / "archive"), mode(tmp_path / "failed")) == (0o2775, 0o755)
    assert mode(day) & 0o077 == 0o070 & ~0o022, "the group's rights follow the umask, as in every program"


def test_the_reason_of_a_failed_file_is_as_private_as_the_file(folders: RunFolders) -> None:
    folders.changes["after"] = "move"
    folders.put("broken.pdf", b"%PDF-1.7 broken off").chmod(0o600)
    folders.put("open.pdf", b"%PDF-1.7 also broken off").chmod(0o644)
    folders.run()
    failed = folders.inbox.parent / "failed"
    assert mode(failed / "broken.pdf.reason.txt") == 0o600
    assert mode(failed / "open.pdf.reason.txt") == 0o644
