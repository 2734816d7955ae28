"""Which files of the inbox are documents, and the names of their results in the outbox."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.errors import SettingsError
from pipeline.ignored_names import IgnoredNames
from pipeline.intake.scan import Inbox, outbox_name, scan_arguments, scan_inbox


def preferred_name(path: Path, preferred: str) -> str:
    del path
    return preferred


def names(inbox: Path, outbox: Path) -> list[str]:
    return [file.source.name for file in scan_inbox(Inbox(inbox, (outbox,)), preferred_name, lambda *_: None)]


def test_files_of_all_folders_are_sorted_without_hidden_and_unfinished_ones(tmp_path: Path) -> None:
    for name in (
        "b.pdf",
        "a/z.png",
        "a/c.pdf",
        ".hidden.pdf",
        ".git/x.pdf",
        "d.pdf.part",
        "e.crdownload",
        "Thumbs.db",
        "f.pdf~",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    assert names(tmp_path, tmp_path / "none") == ["a/c.pdf", "a/z.png", "b.pdf"]


def test_an_outbox_inside_the_inbox_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.json").write_text("{}")
    (tmp_path / "a.pdf").write_bytes(b"x")
    assert names(tmp_path, tmp_path / "out") == ["a.pdf"]


def test_links_out_of_the_inbox_pipes_and_loops_are_skipped(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (tmp_path / "secret.pdf").write_bytes(b"x")
    (inbox / "real.pdf").write_bytes(b"x")
    (inbox / "link.pdf").symlink_to(tmp_path / "secret.pdf")
    (inbox / "inside.pdf").symlink_to(inbox / "real.pdf")
    (inbox / "loop.pdf").symlink_to(inbox / "loop.pdf")
    (inbox / "up").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(inbox / "pipe.pdf")
    assert names(inbox, tmp_path / "none") == ["inside.pdf", "real.pdf"]


def test_long_names_and_names_with_control_characters_become_safe_and_stay_unique() -> None:
    long = ["x" * 300 + end for end in ("a.pdf", "b.pdf")]
    safe = [outbox_name(name) for name in ("a\nb.pdf", "a\tb.pdf", *long, "b\udcff.pdf")]
    assert len(set(safe)) == len(safe)
    assert all(len(name.encode()) <= 240 and name.isprintable() for name in safe)
    assert outbox_name("Rechnungen/März 2024/n°1.pdf") == "Rechnungen/März 2024/n°1.pdf"


def test_arguments_are_read_where_they_are_and_missing_ones_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "box").mkdir()
    (tmp_path / "box" / "a.pdf").write_bytes(b"x")
    (tmp_path / "b.pdf").write_bytes(b"x")
    elsewhere = Inbox(tmp_path / "inbox", ())
    files = list(scan_arguments([tmp_path / "box", tmp_path / "b.pdf"], elsewhere, preferred_name, lambda *_: None))
    assert [file.source.name for file in files] == ["box/a.pdf", "b.pdf"]
    with pytest.raises(SettingsError, match=r"gone\.pdf"):
        list(scan_arguments([tmp_path / "gone.pdf"], elsewhere, preferred_name, lambda *_: None))


def test_arguments_inside_the_inbox_keep_their_relative_path(tmp_path: Path) -> None:
    path = tmp_path / "inbox" / "receipts" / "2024" / "a.pdf"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    inbox = Inbox(tmp_path / "inbox", ())
    for argument in (path, path.parent, tmp_path / "inbox"):
        files = list(scan_arguments([argument], inbox, preferred_name, lambda *_: None))
        assert [file.source.relative for file in files] == ["receipts/2024/a.pdf"]


def test_names_in_the_outbox_are_unique_and_conflict_with_no_folder_or_sheet() -> None:
    from pipeline.run.outbox_names import OutboxNames

    namer = OutboxNames({"/x/a.pdf": "a.pdf"})
    long = "文" * 80 + ".pdf"
    preferred = ["a.pdf", "a.pdf", "a.pdf.json/b.pdf", "invoice.csv/c.pdf", long, long, "d/e", "d"]
    names = [namer(Path(f"/{number}"), name) for number, name in enumerate(preferred)]
    assert len(set(names)) == len(names)
    assert not [name for name in names if name.startswith(("a.pdf.json/", "invoice.csv/"))]
    assert all(len(part.encode()) <= 250 for name in names for part in name.split("/"))
    assert namer(Path("/x/a.pdf"), "other.pdf") == "a.pdf", "a file keeps the name it has"


def test_a_container_inside_a_container_keeps_its_name_after_a_kill() -> None:
    from pipeline.run.outbox_names import OutboxNames

    namer = OutboxNames({"/x/1": "m.eml", "/x/2": "m.eml/in.zip/read.pdf"})
    assert namer.within(Path("/x/3"), "m.eml/in.zip") == "m.eml/in.zip", "it ends after its parts, of which one was read"
    assert namer.within(Path("/x/4"), "m.eml") != "m.eml"


HOUSEKEEPING = (
    "@eaDir/a.pdf/thumb.jpg",
    "sub/#recycle/a.pdf",
    "sub/$RECYCLE.BIN/a.pdf",
    "LOST+FOUND/a.pdf",
    "~$offer.docx",
    "a.pdf.!UT",
)


def fill(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
        os.utime(path, (1_000_000_000, 1_000_000_000))


def test_housekeeping_of_servers_and_desktops_is_not_listed(tmp_path: Path) -> None:
    fill(tmp_path, *HOUSEKEEPING, "lost+found.pdf", "sub/parts.pdf")
    assert names(tmp_path, tmp_path / "none") == ["lost+found.pdf", "sub/parts.pdf"]
    argument = [tmp_path / "sub"]
    files = scan_arguments(argument, Inbox(tmp_path / "elsewhere", ()), preferred_name, lambda *_: None)
    assert [file.source.name for file in files] == ["sub/parts.pdf"]


def test_patterns_of_the_user_count_from_the_inbox(tmp_path: Path) -> None:
    fill(tmp_path, "a.pdf", "a.bak", "drafts/b.pdf", "sub/drafts/c.pdf", "sub/d.tmp")
    inbox = Inbox(tmp_path, (), ignored=IgnoredNames(("*.bak", "/drafts/", "!*.tmp")))
    expected = ["a.pdf", "sub/d.tmp", "sub/drafts/c.pdf"]
    assert [file.source.name for file in scan_inbox(inbox, preferred_name, lambda *_: None)] == expected
    files = scan_arguments([tmp_path / "sub", tmp_path / "drafts"], inbox, preferred_name, lambda *_: None)
    assert [file.source.relative for file in files] == ["sub/d.tmp", "sub/drafts/c.pdf", "drafts/b.pdf"]
