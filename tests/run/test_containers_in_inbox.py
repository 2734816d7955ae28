"""Containers in the inbox: each part is a document with a parent and a status, nothing is read twice, and originals move last."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from examples.einvoice import with_facturx
from pipeline.ledger.ledger import Ledger
from pipeline.run.container_parts import ContainerParts
from tests.drawing import encrypted_pdf, invoice, invoice_pdf, text_pdf
from tests.drawn_containers import HEADER, KINDS, mail, pdf_with, seven_zip_of, signed, tar_of, zip_of
from tests.run.conftest import RunFolders


def page(text: str) -> bytes:
    return text_pdf([text])


def rows(folders: RunFolders) -> dict[str, tuple[str, str, str]]:
    """Status, parent and counts of parts by file."""
    found = [(row["file"], (row["status"], row["parent"], row["parts"])) for row in folders.csv("documents")]
    assert max(Counter(name for name, _ in found).values()) == 1, "every document has one row"
    return dict(found)


@pytest.mark.parametrize("name", KINDS)
def test_the_parts_of_every_kind_are_documents_with_a_parent(folders: RunFolders, name: str) -> None:
    folders.put(f"sub/{name}", KINDS[name]([("one.pdf", page("First")), ("two.pdf", page("Second"))]))
    folders.run()
    found = rows(folders)
    texts = {file.rpartition("/")[2]: folders.texts(file) for file in found if file.endswith(("one.pdf", "two.pdf"))}
    assert texts == {"one.pdf": ["First"], "two.pdf": ["Second"]}
    assert all(parent == file.rpartition("/")[0] for file, (_, parent, _) in found.items() if parent)
    assert {part["name"] for part in folders.json(f"sub/{name}")["parts"]} == {
        file for file, (_, parent, _) in found.items() if parent == f"sub/{name}"
    }
    before = list(folders.engine.units)
    again = folders.run()
    assert (again.documents, again.containers, folders.engine.units) == (Counter(), Counter(), before)


def test_the_header_of_the_mail_stays_with_each_part(folders: RunFolders) -> None:
    folders.put("post.eml", mail([("in.zip", zip_of([("a.pdf", page("Alpha"))])), ("b.pdf", page("Beta"))]))
    folders.run()
    for name in ("post.eml", "post.eml/in.zip", "post.eml/in.zip/a.pdf", "post.eml/b.pdf", "post.eml/body.txt"):
        assert folders.json(name)["document"]["mail"] == HEADER, name
    assert folders.json("post.eml/in.zip/a.pdf")["document"]["parent"] == "post.eml/in.zip"
    assert "parent" not in folders.json("post.eml")["document"]


@pytest.mark.parametrize("wrap", ["zip", "p7m", "pdf", "eml"])
def test_the_data_of_an_einvoice_is_found_wherever_it_hides(folders: RunFolders, wrap: str) -> None:
    drawn = invoice("de")
    content = with_facturx(invoice_pdf(drawn), drawn)
    around = {
        "zip": ("a.zip", zip_of([("x.7z", seven_zip_of([("r.pdf", content)]))])),
        "p7m": ("r.pdf.p7m", signed(content)),
        "pdf": ("a.pdf", pdf_with([("r.pdf", content)])),
        "eml": ("a.eml", mail([("r.pdf.p7m", signed(content))])),
    }
    folders.put(*around[wrap])
    folders.run(template="invoice")
    (row,) = [row for row in folders.csv("invoice") if row["file"].endswith("r.pdf")]
    assert row["invoice_number"] == drawn.number


def test_every_part_ends_in_a_status_and_the_container_counts_them(folders: RunFolders) -> None:
    members = [("a.pdf", page("Alpha")), ("locked.pdf", encrypted_pdf("x", "secret")), ("../up.pdf", b"x")]
    folders.put(
        "a.zip", zip_of([*members, ("notes.rar", b"Rar!\x1a\x07\x01\0" + bytes(9)), ("cut.zip", zip_of(members)[:-30])])
    )
    tally = folders.run()
    found = rows(folders)
    assert {name: status for name, (status, _, _) in found.items()} == {
        "a.zip": "partial",
        "a.zip/a.pdf": "done",
        "a.zip/locked.pdf": "failed",
        "a.zip/notes.rar": "failed",
        "a.zip/cut.zip": "failed",
    }
    assert found["a.zip"][2] == "1 done, 3 failed, 1 skipped"
    result = folders.json("a.zip")
    assert result["reason"] == "needs_password"
    assert [part["status"] for part in result["parts"]] == ["done", "failed", "skipped", "failed", "failed"]
    assert folders.json("a.zip/notes.rar")["reason"] == "unsupported"
    assert tally.containers == Counter(partial=1, failed=2)
    assert not tally.all_done


def test_a_part_that_cannot_be_taken_out_has_a_row_of_its_own(folders: RunFolders) -> None:
    folders.put("a.7z", seven_zip_of([("a.pdf", page("Alpha"))], password="secret"))
    folders.run()
    assert {name: status for name, (status, _, _) in rows(folders).items()} == {"a.7z": "failed", "a.7z/a.pdf": "failed"}


@pytest.mark.parametrize("after", ["move", "delete"])
def test_the_original_leaves_when_all_its_parts_are_durable(folders: RunFolders, after: str) -> None:
    folders.changes = {"after": after, "archive": folders.inbox.parent / "archive", "failed": folders.inbox.parent / "failed"}
    good, bad = zip_of([("a.pdf", page("Alpha"))]), zip_of([("b.pdf", page("Beta")), ("x.pdf", encrypted_pdf("x", "secret"))])
    folders.put("good.zip", good)
    folders.put("sub/bad.zip", bad)
    folders.put("host.pdf", pdf_with([("c.pdf", page("Gamma"))]))
    folders.run()
    assert [path for path in folders.inbox.rglob("*") if path.is_file()] == []
    failed = sorted(
        path.relative_to(folders.inbox.parent / "failed") for path in (folders.inbox.parent / "failed").rglob("*.*")
    )
    assert failed == [Path("sub/bad.zip"), Path("sub/bad.zip.reason.txt")]
    reason = (folders.inbox.parent / "failed" / "sub" / "bad.zip.reason.txt").read_text()
    assert "x.pdf" in reason
    assert "needs_password" in reason
    kept = [path.read_bytes() for path in (folders.inbox.parent / "archive").rglob("*.zip")]
    assert kept == ([good] if after == "move" else [])
    folders.put("good.zip", zip_of([("a.pdf", page("Another"))]))
    folders.run()
    assert folders.texts("good.zip/a.pdf") == ["Alpha"], "a later container of the same name replaces no result"
    assert folders.texts("good.zip~2/a.pdf") == ["Another"]


def test_a_container_with_other_contents_replaces_its_parts(folders: RunFolders) -> None:
    folders.put("a.zip", zip_of([("a.pdf", page("Alpha")), ("gone.pdf", page("Gone")), ("b.pdf", page("Beta"))]))
    folders.run()
    folders.put("a.zip", zip_of([("new.pdf", page("New")), ("b.pdf", page("Beta")), ("a.pdf", page("Alpha, corrected"))]))
    units = len(folders.engine.units)
    folders.run()
    assert set(rows(folders)) == {"a.zip", "a.zip/a.pdf", "a.zip/b.pdf", "a.zip/new.pdf"}
    folders.run()
    assert not (folders.outbox / "a.zip" / "gone.pdf.json").exists()
    assert folders.texts("a.zip/a.pdf") == ["Alpha, corrected"]
    assert len(folders.engine.units) == units + 2, "the part with the same contents is not read again"


def test_results_of_parts_follow_a_container_that_is_renamed(folders: RunFolders) -> None:
    folders.put(
        "a.eml", mail([("in.zip", zip_of([("a.pdf", page("Alpha"))])), ("b.pdf", pdf_with([("c.pdf", page("C"))], "B"))])
    )
    folders.run()
    names = set(rows(folders))
    units = len(folders.engine.units)
    (folders.inbox / "a.eml").rename(folders.inbox / "b.eml")
    tally = folders.run()
    assert tally.renamed == 1
    assert set(rows(folders)) == {f"b{name[1:]}" for name in names}
    assert folders.json("b.eml/in.zip/a.pdf")["document"]["parent"] == "b.eml/in.zip"
    assert {part["name"] for part in folders.json("b.eml")["parts"]} == {"b.eml/body.txt", "b.eml/in.zip", "b.eml/b.pdf"}
    assert not (folders.outbox / "a.eml").exists()
    folders.run()
    assert len(folders.engine.units) == units


def test_equal_containers_and_equal_parts_are_each_complete(folders: RunFolders) -> None:
    content = mail([("a.pdf", page("Alpha"))])
    folders.put("a.eml", content)
    folders.put("b.eml", content)
    folders.put("a.pdf", page("Alpha"))
    folders.put("c.zip", zip_of([("x.pdf", page("Alpha")), ("y.pdf", page("Alpha"))]))
    folders.run()
    assert {name for name in rows(folders) if name.endswith(".pdf")} == {
        *("a.pdf", "a.eml/a.pdf", "b.eml/a.pdf", "c.zip/x.pdf", "c.zip/y.pdf")
    }
    assert folders.engine.units.count(("transcript", 1)) == 2, "equal pages are read once, and equal bodies"


def test_a_new_template_reads_the_parts_again(folders: RunFolders) -> None:
    folders.put("a.zip", zip_of([("a.pdf", page("Alpha"))]))
    folders.run()
    folders.run(template="receipt")
    assert list(folders.json("a.zip/a.pdf")["results"]) == ["receipt"]


def test_a_ledger_that_is_lost_is_made_anew_with_the_parts(folders: RunFolders) -> None:
    folders.put("a.eml", mail([("in.zip", zip_of([("a.pdf", page("Alpha"))])), ("b.pdf", page("Beta"))]))
    folders.put("h.pdf", pdf_with([("c.pdf", page("C"))], "H"))
    folders.run()
    before, units = rows(folders), len(folders.engine.units)
    ledger = folders.outbox / ".pipeline" / "ledger.sqlite"
    for path in ledger.parent.glob("ledger.sqlite*"):
        path.unlink()
    ledger.write_bytes(b"no ledger" * 1000)
    folders.run()
    assert rows(folders) == before
    assert len(folders.engine.units) == units, "no page is read again"
    names = {path.relative_to(folders.outbox).as_posix() for path in folders.outbox.rglob("*.json")}
    assert {name for name in names if not name.startswith(".")} == {f"{name}.json" for name in before if "~" not in name}


def test_a_stopped_run_goes_on_with_the_rest_of_the_container(folders: RunFolders, monkeypatch: pytest.MonkeyPatch) -> None:
    folders.put("a.zip", zip_of([(f"{number}.pdf", page(f"Page {number}")) for number in range(8)]))
    take = ContainerParts.file_finished
    count = 0

    def stop_after_three(parts: ContainerParts, file: object) -> None:
        nonlocal count
        take(parts, file)  # type: ignore[arg-type]
        count += 1
        if count == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(ContainerParts, "file_finished", stop_after_three)
    with pytest.raises(KeyboardInterrupt):
        folders.run()
    monkeypatch.undo()
    assert not (folders.outbox / "a.zip.json").exists(), "a container is published after its parts"
    folders.run()
    assert len(rows(folders)) == 9
    assert len(folders.engine.units) <= 8 + 2, "only the pages in flight are read once more"


def test_an_archive_of_an_older_ledger_keeps_its_results(folders: RunFolders) -> None:
    content = zip_of([("a.pdf", page("Alpha"))])
    path = folders.put("a.zip", content)
    folders.run()
    old = folders.outbox.resolve() / ".pipeline" / "unpacked" / hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    new = folders.outbox.resolve() / ".pipeline" / "unpacked" / hashlib.sha256(b"a.zip").hexdigest()[:16]
    with Ledger(folders.outbox / ".pipeline") as ledger:  # as an older version has recorded it
        ledger.record_folder_move(new, old)
        ledger.change("DELETE FROM contained")
        ledger.change("DELETE FROM files WHERE name = 'a.zip'")
        ledger.mark_sheets_outdated(["documents"])
    (folders.outbox / "a.zip.json").unlink()
    units = len(folders.engine.units)
    folders.run()
    assert len(folders.engine.units) == units
    assert set(rows(folders)) == {"a.zip/a.pdf", "a.zip~2"}, "the name of a container is not that of a folder"


def test_nothing_of_a_container_stays_on_the_disk(folders: RunFolders) -> None:
    folders.put("a.tar.gz", tar_of([("a.pdf", page("Alpha")), ("b.zip", zip_of([("c.pdf", page("C"))]))]))
    folders.run()
    assert not (folders.outbox / ".pipeline" / "unpacked").exists()
    shutil.rmtree(folders.outbox)
